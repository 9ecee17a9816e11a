/**
 * Since when the tokens of a user are worth anything.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/app-resilience-continuous-access-evaluation | Continuous access evaluation}
 */
import type { User } from "./declared.ts";

/** The revocations of one authority. */
export class Revocations {
  readonly #validFrom = new Map<User, number>();
  readonly #generations = new Map<User, number>();

  /** Makes older access tokens worthless to APIs that look, and older refresh tokens too if asked. */
  revoke(user: User, nowSeconds: number, refreshTokens: boolean): void {
    this.#validFrom.set(user, nowSeconds);
    if (refreshTokens) this.#generations.set(user, this.generation(user) + 1);
  }

  /** The `nbf` that access tokens must have at least, in seconds since the epoch; 0 if nothing was revoked. */
  validFromSeconds(user: User): number {
    return this.#validFrom.get(user) ?? 0;
  }

  /** How often the user's refresh tokens have been revoked. */
  generation(user: User): number {
    return this.#generations.get(user) ?? 0;
  }
}
