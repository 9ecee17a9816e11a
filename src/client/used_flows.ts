/**
 * Remembers which sign-ins were redeemed, so that an answer counts once.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** More than this are not remembered: the authority takes each code once, too. */
const MAX_FLOWS = 10_000;

/** The sign-ins that one application object redeemed. */
export class UsedFlows {
  readonly #clock: Clock;
  readonly #untilMs = new Map<string, number>();

  /**
   * Makes an empty memory.
   *
   * @param clock Where the time is read.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Marks a sign-in as redeemed, the same moment in which that is checked.
   *
   * @param state Its name.
   * @param correlationId Its id.
   * @param untilMs When it ends by itself.
   * @throws {ClientAuthError} `auth_flow_used`.
   */
  use(state: string, correlationId: string, untilMs: number): void {
    if (this.#untilMs.has(state)) {
      const why = "Cannot sign in: this answer was used before. Begin again";
      throw new ClientAuthError("auth_flow_used", why, correlationId);
    }
    // The oldest come first, and as all live equally long they end first.
    for (const [known, endsAtMs] of this.#untilMs) {
      if (endsAtMs > this.#clock.now() && this.#untilMs.size < MAX_FLOWS) break;
      this.#untilMs.delete(known);
    }
    this.#untilMs.set(state, untilMs);
  }
}
