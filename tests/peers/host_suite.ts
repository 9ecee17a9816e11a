/**
 * Every case of the loopback receiver.
 *
 * @module
 */
import { answerCases } from "./host_answer_cases.ts";
import { browserCases } from "./host_browser_cases.ts";

import { endingCases } from "./host_ending_cases.ts";
import type { HostCase } from "./host_http.ts";
import { refusalCases } from "./host_refusal_cases.ts";

/** The cases, in order. */
export const hostCases: readonly HostCase[] = [
  ...answerCases,
  ...refusalCases,
  ...endingCases,
  ...browserCases,
];
