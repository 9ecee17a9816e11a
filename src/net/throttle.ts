/**
 * Leaves an authority alone when it asked for that, or refused the same request a moment ago.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { HttpAnswer } from "./http_client.ts";
import type { HttpCache } from "./http_cache.ts";
import { parseRetryAfter } from "./retry.ts";

/** For how long a refusal (status 400) answers the same request, in seconds; MSAL Python's value. */
const REFUSED_SECONDS = 60;

/** What is kept of an answer: codes, no descriptions, no tokens. */
export interface RefusedAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth `error`; `server_error` or `invalid_response` where there is none. */
  readonly error: string;
  /** The AADSTS numbers. */
  readonly errorCodes: readonly number[];
  /** Entra's `suberror`. */
  readonly suberror?: string | undefined;
}

/** An answer that counts until a time in epoch milliseconds. */
export interface ThrottledAnswer extends RefusedAnswer {
  /** Until when the request is answered from here. */
  readonly untilMs: number;
}

/** Remembers answers that must not be asked for again at once; MSAL Python's two layers, under one key. */
export class Throttle {
  readonly #cache: HttpCache;
  readonly #clock: Clock;
  readonly #defaultSeconds: number;

  /**
   * Makes a throttle.
   *
   * @param cache Where answers are remembered.
   * @param clock Where the time is read.
   * @param defaultSeconds For how long 429 and statuses from 500 count without a usable `Retry-After`.
   */
  constructor(cache: HttpCache, clock: Clock, defaultSeconds: number) {
    this.#cache = cache;
    this.#clock = clock;
    this.#defaultSeconds = defaultSeconds;
  }

  /**
   * Names a request: everything that is asked, claims included. The credential is no part of it.
   *
   * @param url The token endpoint.
   * @param form The form, without the credential.
   * @returns A store key.
   */
  keyOf(url: URL, form: URLSearchParams): Promise<string> {
    return this.#cache.keyOf(["throttle", url.href, ...[...form].flat()]);
  }

  /** What the same request was answered with, if it must not be sent now. */
  async recall(key: string): Promise<ThrottledAnswer | undefined> {
    return await this.#cache.read(key) as ThrottledAnswer | undefined;
  }

  /**
   * Remembers an answer for as long as it counts. One of a status below 400 never does, whatever its headers say.
   *
   * @param key The request's name.
   * @param answer The answer as it came.
   * @param refused What is kept of it.
   */
  async remember(key: string, answer: HttpAnswer, refused: RefusedAnswer): Promise<void> {
    const { status, error, errorCodes, suberror } = refused;
    const nowMs = this.#clock.now();
    const untilMs = nowMs + 1000 * this.#secondsFor(answer, nowMs);
    if (untilMs > nowMs) {
      await this.#cache.write(key, { status, error, errorCodes, suberror, untilMs }, untilMs);
    }
  }

  #secondsFor({ status, retryAfter }: HttpAnswer, nowMs: number): number {
    if (status < 400) return 0;
    const overloaded = status === 429 || status >= 500 || retryAfter !== null;
    return parseRetryAfter(retryAfter, nowMs) ??
      (overloaded ? this.#defaultSeconds : status === 400 ? REFUSED_SECONDS : 0);
  }
}
