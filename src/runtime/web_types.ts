/**
 * Platform functions that the library takes as arguments, typed by shape.
 *
 * @module
 */

/** A `fetch`: the global one, a Workers service binding's, or a test's. */
export type FetchFunction = (url: string, init: RequestInit) => Promise<Response>;

/**
 * Keeps a promise alive after the response was sent, as `ctx.waitUntil` of a Workers request does.
 *
 * @see {@link https://developers.cloudflare.com/workers/runtime-apis/context/#waituntil | Context.waitUntil}
 */
export type WaitUntil = (promise: Promise<unknown>) => void;
