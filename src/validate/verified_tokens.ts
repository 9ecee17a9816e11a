/**
 * Tokens that were verified, known again by their exact text.
 *
 * @module
 */

import type { KeySet } from "../jwt/key_set.ts";
import { ClockRing, type RingItem } from "../store/clock_ring.ts";
import type { ValidatedAccessToken } from "./validated_token.ts";

const MAX_ENTRIES = 100_000;

/** What is known of a token that was verified. */
export interface Verified {
  /** Who calls. */
  readonly caller: ValidatedAccessToken;
  /** Where its key was found. */
  readonly jwksUri: string;
  /** The keys among which its key was. */
  readonly keys: KeySet;
  /** From when it counts, in milliseconds since the epoch. */
  readonly fromMs: number;
  /** Until when it counts. */
  readonly untilMs: number;
}

interface Held extends Verified, RingItem {
  readonly token: string;
}

/** Verified tokens, within a bound. No token that was refused is ever in here. */
export class VerifiedTokens {
  readonly #held = new Map<unknown, Held>();
  readonly #ring: ClockRing<Held>;

  /**
   * Makes an empty cache.
   *
   * @param maxBytes The most bytes, about.
   */
  constructor(maxBytes: number) {
    this.#ring = new ClockRing(
      { maxEntries: MAX_ENTRIES, maxBytes },
      ({ token }) => void this.#held.delete(token),
    );
  }

  /**
   * Finds a token that counts now; one that does not is forgotten.
   *
   * @param token The token, whatever it is.
   * @param nowMs The time.
   * @param keysOf The keys of a URL as they are now; `undefined` where they have to be asked for.
   * @returns What is known of it.
   */
  find(token: unknown, nowMs: number, keysOf: (jwksUri: string) => KeySet | undefined): Verified | undefined {
    const held = this.#held.get(token);
    if (held === undefined) return undefined;
    // Other keys, or none at hand: whether its own is still among them is for a new verification to say.
    if (nowMs >= held.fromMs && nowMs < held.untilMs && keysOf(held.jwksUri) === held.keys) {
      held.used = true;
      return held;
    }
    this.#remove(held);
    return undefined;
  }

  /**
   * Keeps a token.
   *
   * @param token The token.
   * @param verified What is known of it.
   */
  add(token: string, verified: Verified): void {
    const known = this.#held.get(token);
    if (known !== undefined) this.#remove(known);
    // The text, and its claims as an object, which takes about thrice the room.
    const held = { ...verified, token, bytes: 4 * token.length + 512, used: false };
    if (this.#ring.add(held)) this.#held.set(token, held);
  }

  #remove(held: Held): void {
    this.#ring.remove(held);
    this.#held.delete(held.token);
  }
}
