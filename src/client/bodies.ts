/**
 * Bodies of requests that may have to be sent more than once.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { discard } from "../net/body.ts";

/** A body, as `fetch` takes it. */
export type Body = BodyInit | null;

/** The bodies of a request and its repetitions. */
export class Bodies {
  #left: Body | undefined;

  /**
   * Keeps a body.
   *
   * @param body The body; one that can be read once is sent once, unless it is a stream.
   */
  constructor(body: Body) {
    this.#left = body;
  }

  /** Whether there is one more. */
  get hasMore(): boolean {
    return this.#left !== undefined;
  }

  /**
   * Gives the next one.
   *
   * @param mayRepeat Whether there may be another one: a stream is kept only then.
   * @returns The body.
   */
  take(mayRepeat: boolean): Body {
    const body = this.#left as Body;
    const { tee, locked } = Object(body) as Partial<ReadableStream<Uint8Array>>;
    const isStream = typeof tee === "function";
    if (isStream && mayRepeat && !locked) {
      const [now, later] = (body as ReadableStream<Uint8Array>).tee();
      this.#left = later;
      return now;
    }
    if (isStream || Symbol.asyncIterator in Object(body)) this.#left = undefined;
    return body;
  }

  /** Gives up a stream that was kept for nothing; other bodies have nothing to cancel. */
  close(): void {
    const { cancel } = Object(this.#left) as Partial<ReadableStream>;
    if (typeof cancel === "function") discard(this.#left as ReadableStream);
  }
}

/**
 * The body of a request.
 *
 * @param request What the caller gave, if that is a `Request`.
 * @param body The body beside it, which wins.
 * @returns The body; that of a `Request` is read into memory.
 * @throws {ClientConfigurationError} `invalid_request` where it was read before.
 */
export async function bodyOf(request: Request | undefined, body: RequestInit["body"]): Promise<Body> {
  if (body !== undefined || !request?.body) return body ?? null;
  // Not its stream: an API may want to know the length.
  return request.bodyUsed
    ? refuse("invalid_request", "input", "its body was read already")
    : await request.arrayBuffer();
}
