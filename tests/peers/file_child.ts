/**
 * Runs the cases of the file store on Bun or Node.
 *
 * @module
 */
import { fileCases } from "./file_cases.ts";
import { reportCases } from "./report_cases.ts";

await reportCases(fileCases);
