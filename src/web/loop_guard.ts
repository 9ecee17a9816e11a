/**
 * Notices browsers that are sent round and round, and step-ups that do not help.
 *
 * A round is a sign-in that is begun after another was completed. Tabs that are opened at once all begin before the first of them
 * is done, so they are one round.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import type { Cookies } from "./cookies.ts";
import { SealedCookie } from "./sealed_cookie.ts";
import type { HeaderList } from "./sessions.ts";
import type { Transaction } from "./transactions.ts";

/** What a browser did lately. Times are seconds since the epoch. */
export interface Trail {
  /** When rounds began. */
  readonly rounds: readonly number[];
  /** When the latest sign-in was completed. */
  readonly doneAt?: number | undefined;
  /** What it was for, where it was a step-up. */
  readonly step?: string | undefined;
  /** The hash of its `state`. */
  readonly state?: string | undefined;
  /** Where it led. */
  readonly path?: string | undefined;
}

const NAME = "trail";
const WINDOW_SECONDS = 60;
const MAX_ROUNDS = 3;
/** For so long a step-up that was completed must have helped. */
const STEP_SECONDS = 120;
/** For so long an answer that comes once more leads to its page. */
const KEPT_SECONDS = 600;

function trailOf(value: unknown): Trail | undefined {
  const { rounds, doneAt, step, state, path } = Object(value) as Partial<Trail>;
  const texts = [step, state, path].every((text) => text === undefined || typeof text === "string");
  const times = Array.isArray(rounds) && [...rounds, doneAt ?? 0].every(Number.isFinite);
  return texts && times ? { rounds, doneAt, step, state, path } : undefined;
}

/** Keeps the trail of a browser in a sealed cookie. */
export class LoopGuard {
  readonly #cookie: SealedCookie;

  /**
   * Takes what cookies are made of.
   *
   * @param cookies The cookies.
   * @param secret Seals them.
   */
  constructor(cookies: Cookies, secret: string | readonly string[]) {
    this.#cookie = new SealedCookie(cookies.hostOnly, secret, "trail");
  }

  /** What the browser did lately. */
  async read(request: Request): Promise<Trail> {
    return (await this.#cookie.open(request, NAME, trailOf))?.value ?? { rounds: [] };
  }

  /**
   * The rounds, with the one that begins now.
   *
   * @param trail What the browser did.
   * @param nowSeconds The time.
   * @returns When they began; `undefined` where there are too many.
   */
  next({ rounds }: Trail, nowSeconds: number): readonly number[] | undefined {
    const recent = rounds.filter((at) => Math.abs(nowSeconds - at) < WINDOW_SECONDS);
    return recent.length < MAX_ROUNDS ? [...recent, nowSeconds] : undefined;
  }

  /** Whether the browser has just been through the same step-up. */
  hasJustDone({ step, doneAt = 0 }: Trail, wanted: string, nowSeconds: number): boolean {
    return step === wanted && Math.abs(nowSeconds - doneAt) <= STEP_SECONDS;
  }

  /** Where an answer led that came before; `undefined` where nobody knows. */
  async pathOf({ state, path }: Trail, answered: string): Promise<string | undefined> {
    return state === await sha256(answered) ? path : undefined;
  }

  /**
   * Notes that a sign-in is done.
   *
   * @param request The request that brought the answer.
   * @param transaction The sign-in.
   * @param nowSeconds The time.
   * @returns The headers.
   */
  async done(
    request: Request,
    { rounds, step, flow, returnTo }: Transaction,
    nowSeconds: number,
  ): Promise<HeaderList> {
    const trail = { rounds, doneAt: nowSeconds, step, state: await sha256(flow.state), path: returnTo };
    // The answer may have been posted from another site, yet what is set here is for this one.
    return await this.#cookie.write(request, NAME, trail, { sameSite: "Lax", maxAgeSeconds: KEPT_SECONDS });
  }

  /** Forgets everything: who signs out and in again goes in no circle. */
  forget(request: Request): HeaderList {
    return this.#cookie.clear(request, NAME, { sameSite: "Lax" });
  }
}
