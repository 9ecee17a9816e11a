/**
 * Runs the cases of workload identity on Bun or Node.
 *
 * @module
 */
import { reportCases } from "./report_cases.ts";
import { workloadCases } from "./workload_cases.ts";

await reportCases(workloadCases);
