/**
 * Every case of the loopback receiver.
 *
 * @module
 */
import { browserCases } from "./host_browser_cases.ts";
import { answerCases } from "./host_cases.ts";
import { endingCases } from "./host_ending_cases.ts";
import type { HostCase } from "./host_http.ts";

/** The cases, in order. */
export const hostCases: readonly HostCase[] = [...answerCases, ...endingCases, ...browserCases];
