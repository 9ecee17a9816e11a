/**
 * Which runtime this is.
 *
 * @module
 */

/** Whether this is workerd, where a promise can die with the request that made it. */
export function isWorkers(): boolean {
  return globalThis.navigator?.userAgent === "Cloudflare-Workers";
}
