/**
 * Which runtime this is.
 *
 * @module
 */

/** Whether this is workerd, where a promise can die with the request that made it. */
export function isWorkers(): boolean {
  // Not by the user agent: with an old compatibility date there is none.
  return "WebSocketPair" in globalThis;
}
