/**
 * Which runtime this is, for the two places that have to know.
 *
 * @module
 */

/** Whether this is workerd, where a promise can die with the request that made it. */
export function isWorkers(): boolean {
  return "WebSocketPair" in globalThis && globalThis.navigator?.userAgent === "Cloudflare-Workers";
}

/** The runtime's name for telemetry, such as `deno`; never more of the user agent than that. */
export function runtimeName(): string {
  const agent = globalThis.navigator?.userAgent?.toLowerCase() ?? "";
  if (agent.startsWith("cloudflare-workers")) return "workerd";
  return /^(?:deno|bun|node)/.exec(agent)?.[0] ?? "other";
}
