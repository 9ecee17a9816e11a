/**
 * Which runtime this is, for the two places that have to know.
 *
 * @module
 */

/** The runtime's name for telemetry, such as `deno`; never more of the user agent than that. */
export function runtimeName(): string {
  return /^[a-z-]*/.exec(globalThis.navigator?.userAgent?.toLowerCase() ?? "")?.[0] || "other";
}

/** Whether this is workerd, where a promise can die with the request that made it. */
export function isWorkers(): boolean {
  return runtimeName() === "cloudflare-workers";
}
