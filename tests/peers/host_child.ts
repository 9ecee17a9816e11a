/**
 * Runs the cases of the loopback receiver on Bun or Node: prints a line of JSON for each, and ends by itself.
 *
 * @module
 */
import { hostCases } from "./host_suite.ts";

for (const [name, body] of hostCases) {
  let error: string | undefined;
  try {
    await body();
  } catch (thrown) {
    error = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
  }
  console.log(JSON.stringify({ name, error }));
}
