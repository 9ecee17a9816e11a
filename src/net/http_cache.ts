/**
 * What an authority said that is no token, and must not be asked for again at once.
 *
 * @module
 */

import { hmacSha256, lengthPrefixed } from "../crypto/digest.ts";
import type { Clock } from "../runtime/clock.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { HttpAnswer } from "./http_client.ts";
import { parseRetryAfter } from "./retry.ts";

/** For how long a refusal (status 400, unless the credential was wrong: that may rotate) answers the same request, in seconds; MSAL Python's value. */
const REFUSED_SECONDS = 60;
/** Nothing counts for longer than the longest `Retry-After`. */
const MAX_MS = 3_600_000;
/** What `error` and its like look like. */
export const LABEL: RegExp = /^[\w.-]{1,64}$/;

/** What is kept of an answer: codes, no descriptions, no tokens. */
export interface RefusedAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth `error`. */
  readonly error: string;
  /** The AADSTS numbers. */
  readonly errorCodes: readonly number[];
  /** Entra's `suberror`. */
  readonly suberror?: string | undefined;
  /** The claims challenge: without it the next sign-in would not do what is asked. */
  readonly claims?: string | undefined;
}

/** An answer that counts until a time in epoch milliseconds. */
export interface ThrottledAnswer extends RefusedAnswer {
  /** Until when the request is answered from here. */
  readonly untilMs: number;
}

/** Remembers refusals and throttling; MSAL Python's two layers, under one key. */
export class HttpCache {
  readonly #store: GuardedStore;
  readonly #clock: Clock;
  readonly #hashKey: string;
  readonly #defaultSeconds: number;

  /**
   * Makes a cache over a store.
   *
   * @param store Where answers are remembered.
   * @param clock Where the time is read.
   * @param hashKey Keys the hashes by which requests are named: the client's secret, if it is static.
   * @param defaultSeconds For how long 429 and statuses from 500 count without a usable `Retry-After`.
   */
  constructor(store: GuardedStore, clock: Clock, hashKey: string, defaultSeconds: number) {
    this.#store = store;
    this.#clock = clock;
    this.#hashKey = hashKey;
    this.#defaultSeconds = defaultSeconds;
  }

  /**
   * Names a request: everything that is asked, claims included, and not the credential. A keyed hash, so that a reader
   * of the store learns neither scopes nor users.
   *
   * @param url The token endpoint.
   * @param form The form, without the credential.
   * @returns A store key.
   */
  async keyOf(url: URL, form: URLSearchParams): Promise<string> {
    return `msal-edge.http.v1.${await hmacSha256(
      this.#hashKey,
      lengthPrefixed([url.href, ...[...form].flat()]),
    )}`;
  }

  /** What the same request was answered with, if it must not be sent now. */
  async recall(key: string): Promise<ThrottledAnswer | undefined> {
    const stored = await this.#store.get(key, { consistency: "eventual" });
    try {
      const answer = JSON.parse(stored?.value ?? "{}") as ThrottledAnswer;
      const leftMs = answer.untilMs - this.#clock.now();
      // A store may keep a value for longer than it was told, and what is in it may be somebody else's.
      const counts = leftMs > 0 && leftMs <= MAX_MS && typeof answer.status === "number" &&
        answer.status >= 400 &&
        LABEL.test(answer.error) &&
        Array.isArray(answer.errorCodes);
      return counts ? answer : undefined;
    } catch {
      // Not ours, or not of this version: a miss.
      return undefined;
    }
  }

  /**
   * Remembers an answer for as long as it counts. One of a status below 400 never does, whatever its headers say.
   *
   * @param key The request's name.
   * @param answer The answer.
   * @param refused What is kept of it, without secrets.
   * @param refusedSeconds For how long a refusal counts.
   * @returns For how many seconds the authority is left alone; `undefined` where it did not ask for that.
   */
  async remember(
    key: string,
    { status, retryAfter }: HttpAnswer,
    refused: RefusedAnswer,
    refusedSeconds: number = REFUSED_SECONDS,
  ): Promise<number | undefined> {
    if (status < 400) return undefined;
    const nowMs = this.#clock.now();
    const overloaded = status === 429 || status >= 500 || retryAfter !== null;
    const asked = parseRetryAfter(retryAfter, nowMs) ?? (overloaded ? this.#defaultSeconds : undefined);
    const untilMs = nowMs +
      1000 * (asked ?? (status === 400 && refused.error !== "invalid_client" ? refusedSeconds : 0));
    if (untilMs > nowMs) {
      const { error, errorCodes, suberror, claims } = refused;
      const value: ThrottledAnswer = { untilMs, status, error, errorCodes, suberror, claims };
      await this.#store.set(key, JSON.stringify(value), { expiresAtMs: untilMs, hints: { kind: "http" } });
    }
    return asked;
  }
}
