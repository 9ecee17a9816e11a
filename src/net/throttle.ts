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
export interface ThrottledAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth `error`. */
  readonly error: string;
  /** The AADSTS numbers. */
  readonly errorCodes: readonly number[];
  /** Entra's `suberror`. */
  readonly suberror?: string | undefined;
  /** Until when the request is answered from here, in epoch milliseconds. */
  readonly untilMs: number;
}

/** Form members that prove who asks, or that differ in every request: no part of what is asked. */
const CREDENTIALS = new Set(["client_secret", "client_assertion", "client_assertion_type"]);

/** Remembers answers that must not be asked for again at once; MSAL Python 5.2 and 5.3, under one key. */
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
   * Names a request: everything that is asked, claims included, but not the proof of who asks.
   *
   * @param url The token endpoint.
   * @param form The form.
   * @returns A store key.
   */
  keyOf(url: URL, form: URLSearchParams): Promise<string> {
    const asked = [...form].filter(([name]) => !CREDENTIALS.has(name)).map((pair) => pair.join("=")).sort();
    return this.#cache.keyOf(["throttle", url.href, ...asked]);
  }

  /** What the same request was answered with, if it must not be sent now. */
  async recall(key: string): Promise<ThrottledAnswer | undefined> {
    const found = await this.#cache.read(key) as ThrottledAnswer | undefined;
    return found !== undefined && Array.isArray(found.errorCodes) ? found : undefined;
  }

  /**
   * For how long an answer is to be remembered.
   *
   * @param answer The answer; one of a status below 400 is never remembered, whatever its headers say.
   * @returns Seconds; 0 for not at all.
   */
  secondsFor(answer: HttpAnswer): number {
    const { status } = answer;
    if (status < 400) return 0;
    const asked = parseRetryAfter(answer.retryAfter, this.#clock.now());
    if (asked !== undefined) return asked;
    if (status === 429 || status >= 500 || answer.retryAfter !== null) return this.#defaultSeconds;
    return status === 400 ? REFUSED_SECONDS : 0;
  }

  /** Remembers an answer. */
  async remember(key: string, answer: Omit<ThrottledAnswer, "untilMs">, seconds: number): Promise<void> {
    if (seconds <= 0) return;
    const untilMs = this.#clock.now() + seconds * 1000;
    await this.#cache.write(key, { ...answer, untilMs }, untilMs);
  }
}
