/**
 * What a child process does with cases.
 *
 * @module
 */
import type { HostCase } from "./host_http.ts";

/** Prints a line of JSON for each case; the process ends by itself. */
export async function reportCases(cases: readonly HostCase[]): Promise<void> {
  for (const [name, body] of cases) {
    let error: string | undefined;
    try {
      await body();
    } catch (thrown) {
      error = thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown);
    }
    console.log(JSON.stringify({ name, error }));
  }
}
