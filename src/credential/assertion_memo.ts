/**
 * Remembers assertions for most of their life.
 *
 * @module
 */

/** Of ten minutes: the last one is for a clock that is behind, and for the way. */
const REUSE_MS = 540_000;
/** One for each tenant that is asked. */
const MAX_ASSERTIONS = 256;

interface Remembered {
  readonly madeMs: number;
  readonly promise: Promise<string>;
  assertion?: string;
}

/** Assertions by what they are for. */
export class AssertionMemo {
  readonly #remembered = new Map<string, Remembered>();
  readonly #patienceMs: number;

  /** @param patienceMs How long one that is being signed is waited for, before another one is. */
  constructor(patienceMs: number) {
    this.#patienceMs = patienceMs;
  }

  /**
   * Gives an assertion that is young enough, or a new one.
   *
   * @param key What it is for.
   * @param nowMs The time.
   * @param make Makes one. A failure is not remembered.
   */
  get(key: string, nowMs: number, make: () => Promise<string>): Promise<string> {
    const known = this.#remembered.get(key);
    const ageMs = nowMs - (known?.madeMs ?? NaN);
    // A clock that was set back gives a negative age.
    if (ageMs >= 0 && ageMs < (known!.assertion === undefined ? this.#patienceMs : REUSE_MS)) {
      return known!.promise;
    }
    this.#remembered.delete(key);
    for (const oldest of this.#remembered.keys()) {
      if (this.#remembered.size < MAX_ASSERTIONS) break;
      this.#remembered.delete(oldest);
    }
    return this.#make(key, nowMs, make());
  }

  /**
   * Forgets an assertion that was refused, and no newer one.
   *
   * @param key What it is for.
   * @param assertion The assertion.
   */
  forget(key: string, assertion: string): void {
    if (this.#remembered.get(key)?.assertion === assertion) this.#remembered.delete(key);
  }

  #make(key: string, madeMs: number, promise: Promise<string>): Promise<string> {
    const made: Remembered = { madeMs, promise };
    this.#remembered.set(key, made);
    promise.then((assertion) => {
      made.assertion = assertion;
    }, () => {
      if (this.#remembered.get(key) === made) this.#remembered.delete(key);
    });
    return promise;
  }
}
