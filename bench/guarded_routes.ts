/**
 * What guards cost over HTTP, on Deno and on workerd: an API beside bare `jose`, and sessions, beside a route without a guard.
 *
 * @module
 */
import { root } from "../tests/support/bundle.ts";
import type { Credentials } from "./guarded_worker.ts";
import { requestsPerSecond } from "./http_load.ts";
import { median } from "./timing.ts";

/** The rate of each route on one runtime, in requests for each second: the median of the rounds. */
export interface RouteRates {
  readonly runtime: string;
  readonly rates: Readonly<Record<string, number>>;
}

const ROUTES = ["/open", "/headers", "/jose", "/guarded", "/verified", "/sealed-session", "/server-session"];
// Many and short: what else the machine does comes and goes.
const ROUNDS = 41;
const REQUESTS = 640;

/** Measures the routes; they take turns, so that what the machine does besides falls on all of them. */
export async function measureRoutes(runtime: "deno" | "workerd"): Promise<RouteRates> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `${root}bench/guarded_server.ts`, runtime],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value = "" } = await lines.read();
    const port = Number(value.trim());
    const headers = await (await fetch(`http://127.0.0.1:${port}/credentials`)).json() as Credentials;
    const found: Record<string, number[]> = Object.fromEntries(ROUTES.map((path) => [path, []]));
    for (let round = 0; round <= ROUNDS; round++) {
      // The order turns, so that no route always comes after the same one.
      for (const path of round % 2 ? ROUTES : ROUTES.toReversed()) {
        const rate = await requestsPerSecond({ port, path, headers: { ...headers } }, REQUESTS);
        // Not counted: the compilers warm up on the first.
        if (round > 0) found[path]!.push(rate);
      }
    }
    return { runtime, rates: Object.fromEntries(ROUTES.map((path) => [path, median(found[path]!)])) };
  } finally {
    await child.stdin.close();
    lines.releaseLock();
    await child.stdout.cancel().catch(() => {});
    await child.status;
  }
}

/** The table that is printed. */
export function formatRoutes(measured: readonly RouteRates[]): string {
  const row = (cells: readonly string[]): string =>
    cells.map((cell, index) => index === 0 ? cell.padEnd(52) : cell.padStart(14)).join("");
  const ratio = (name: string, path: string, beside: string, wanted: string): string =>
    row([name, ...measured.map(({ rates }) => (rates[path]! / rates[beside]!).toFixed(2)), wanted]);
  return [
    "Guarded routes over HTTP, requests for each second",
    row(["", ...measured.map(({ runtime }) => runtime)]),
    ...ROUTES.map((path) => row([path, ...measured.map(({ rates }) => rates[path]!.toFixed(0))])),
    "",
    ratio("one header read and one set, of an open route", "/headers", "/open", ""),
    ratio("guarded, of bare jose", "/guarded", "/jose", ">= 0.95"),
    ratio("token seen before, of an open route", "/verified", "/open", ">= 0.90"),
    ratio("token seen before, of one header read and set", "/verified", "/headers", ""),
    ratio("session on the server, of an open route", "/server-session", "/open", ">= 0.80"),
    ratio("session on the server, of one header read and set", "/server-session", "/headers", ""),
    ratio("session in a sealed cookie, of an open route", "/sealed-session", "/open", ">= 0.80"),
  ].join("\n");
}

if (import.meta.main) {
  console.log(formatRoutes([await measureRoutes("deno"), await measureRoutes("workerd")]));
}
