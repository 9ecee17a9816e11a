/**
 * Runs the cases of the loopback receiver on Bun or Node.
 *
 * @module
 */
import { reportCases } from "./report_cases.ts";
import { hostCases } from "./host_suite.ts";

await reportCases(hostCases);
