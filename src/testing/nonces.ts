/**
 * Nonces that proofs of possession must contain.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-8 | RFC 9449 section 8}
 */
import type { Clock } from "../runtime/clock.ts";
import type { NonceOptions } from "./key_options.ts";
import { opaque } from "./token_parts.ts";

const DEFAULT_LIFETIME_SECONDS = 300;
const NONCE_BYTES = 18;

/** The nonces of one endpoint: one is given out at a time, and the one before it is still taken. */
export class Nonces {
  /** Whether a proof must have one. */
  readonly required: boolean;
  readonly #clock: Clock;
  readonly #lifetimeMs: number;
  #current: { readonly value: string; readonly madeAtMs: number } | undefined;
  #before: { readonly value: string; readonly madeAtMs: number } | undefined;

  constructor(clock: Clock, { requireNonce = false, nonceLifetimeSeconds }: NonceOptions) {
    this.required = requireNonce;
    this.#clock = clock;
    this.#lifetimeMs = (nonceLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS) * 1000;
  }

  /** The nonce to give out: a new one when the last one has lived for half of its time. */
  current(): string {
    const nowMs = this.#clock.now();
    if (this.#current && nowMs < this.#current.madeAtMs + this.#lifetimeMs / 2) return this.#current.value;
    this.#before = this.#current;
    this.#current = { value: opaque(NONCE_BYTES), madeAtMs: nowMs };
    return this.#current.value;
  }

  /** Whether a nonce was given out here, and lives. */
  accepts(nonce: unknown): boolean {
    const oldestMs = this.#clock.now() - this.#lifetimeMs;
    return [this.#current, this.#before].some((given) =>
      given !== undefined && given.value === nonce && given.madeAtMs > oldestMs
    );
  }
}
