/**
 * The renewal of a cached token: shared while it is under way, and outlived by a token that is still good.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import { isStale, isUsable, type Slot } from "../cache/token_index.ts";
import { lengthPrefixed } from "../crypto/digest.ts";
import type { ServerError } from "../errors/server_error.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { withDeadline } from "../runtime/wait.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { type FlightOptions, SingleFlight } from "../store/single_flight.ts";
import type { Engine } from "./engine.ts";
import { toAuthError } from "./failure.ts";
import type { TokenFound } from "./token_found.ts";
import { patienceMs } from "./turns.ts";

/** After a proactive refresh began, nobody else begins one for this long. */
const REFRESH_PAUSE_SECONDS = 30;
/** How long a caller with a good token waits for a better one. */
const REFRESH_PATIENCE_MS = 2_000;
/** A token with less than this left is no good one: its caller waits for as long as it takes. */
const WAITING_FLOOR_SECONDS = 60;

/** A token of the memory, and whose it is. */
export interface KnownToken extends TokenFound {
  /** The token. */
  readonly token: Slot;
}

/** What is renewed, and for whom. */
export interface Renewal {
  /** For whom, and what is asked for: equal names share the work. */
  readonly name: readonly string[];
  /** Looks the token up once more: the store may have brought one. */
  readonly find: (nowMs: number) => KnownToken | undefined;
  /** Why it is renewed. */
  readonly reason: RefreshReason;
  /** The claims of a challenge: work for other ones is not shared. */
  readonly challenge: string;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** Why a token has to be renewed. */
export function reasonOf(isForced: boolean, slot: Slot | undefined, nowMs: number): RefreshReason {
  if (isForced) return "force_refresh_or_claims";
  if (slot === undefined) return "no_cached_token";
  return isUsable(slot, nowMs) ? "proactive_refresh" : "expired";
}

/**
 * Whether somebody else has renewed a token meanwhile.
 *
 * @param known What the cache has now.
 * @param asked The token that is to be replaced, and why.
 * @param nowMs The time in epoch milliseconds.
 * @returns Whether it answers the question.
 */
export function isRenewed(
  known: Slot | undefined,
  { stale, reason }: { readonly stale: CachedToken | undefined; readonly reason: RefreshReason },
  nowMs: number,
): known is Slot {
  return known !== undefined && known !== stale && isUsable(known, nowMs) &&
    nowMs < (known.refreshOn ?? Infinity) * 1000 && reason !== "force_refresh_or_claims";
}

/** The renewals of one application. */
export class Renewals {
  readonly #engine: Engine;
  readonly #flights: SingleFlight<TokenFound>;

  /**
   * Makes a place to share renewals in.
   *
   * @param engine The application's parts.
   */
  constructor(engine: Engine) {
    this.#engine = engine;
    this.#flights = new SingleFlight(engine.configuration.clock);
  }

  /**
   * Joins the work for this very token, or begins it; a token that is still good does not wait for it.
   *
   * @param renewal What is renewed.
   * @param known The token of the memory, if there is one.
   * @param nowMs The time of the call, in epoch milliseconds.
   * @param work Gets the new token; must end by its own deadline.
   * @returns The new token, or the old one while that is good.
   */
  run(
    renewal: Renewal,
    known: KnownToken | undefined,
    nowMs: number,
    work: () => Promise<TokenFound>,
  ): Promise<TokenFound> {
    const { cache: { index }, clock } = this.#engine.configuration;
    const { challenge, reason, waitUntil, name: [owner = ""] } = renewal;
    const asked = index.removals;
    const isRemoved = (): boolean => index.removedSince(owner, asked, known?.token);
    const isForced = reason === "force_refresh_or_claims";
    const name = lengthPrefixed([...renewal.name, isForced ? `!${challenge}` : ""]);
    const options = { waitUntil, deadlineMs: this.#engine.flightDeadlineMs + patienceMs(this.#engine) };
    const flight = this.#look(name, options, work, isRemoved)
      .catch((error) => this.#outlive(error, renewal, isForced));
    const slot = known?.token;
    if (!known || !slot || isForced || !isAlive(slot, clock, WAITING_FLOOR_SECONDS)) return flight;
    if (isUsable(slot, nowMs)) slot.refreshAt = Math.ceil(nowMs / 1000) + REFRESH_PAUSE_SECONDS;
    if (waitUntil === undefined || !isUsable(slot, nowMs) || isStale(slot, nowMs)) {
      return withDeadline(
        clock,
        flight,
        REFRESH_PATIENCE_MS,
        () => isAlive(slot, clock) && !isRemoved() ? known : flight,
      );
    }
    // In the background: nobody waits for it.
    flight.catch(() => {});
    return Promise.resolve(known);
  }

  /** Joins a piece of work. That it found nothing counts only where it can have seen whoever signed in before this call. */
  async #look(
    name: string,
    options: FlightOptions,
    work: () => Promise<TokenFound>,
    isRemoved: () => boolean,
  ): Promise<TokenFound> {
    let isOwn = false;
    const own = (): Promise<TokenFound> => {
      isOwn = true;
      return work();
    };
    try {
      return await this.#flights.run(name, options, own);
    } catch (error) {
      // What another call began may have looked earlier, and what met a removal has not looked behind it.
      const isOld = !isOwn || isRemoved();
      if (!isOld || toAuthError(error).code !== "no_tokens_found") throw error;
      return await this.#flights.run(name, options, own);
    }
  }

  /** A token that is still good wins over a failed refresh, unless a forced one was refused for good. */
  #outlive(error: unknown, { find }: Renewal, isForced: boolean): TokenFound {
    const failure = toAuthError(error);
    const { clock, emit } = this.#engine.configuration;
    const known = find(clock.now());
    // An outage says nothing of the caller's right to a token; anything else does.
    const isOutage = failure.name === "NetworkError" || (failure as Partial<ServerError>).retryable;
    if (known === undefined || !isAlive(known.token, clock) || (isForced && !isOutage)) {
      throw failure;
    }
    emit?.({ type: "refresh_failed", error: failure });
    return known;
  }
}

function isAlive(token: CachedToken, clock: Clock, forSeconds = 0): boolean {
  return (token.expiresOn - forSeconds) * 1000 > clock.now();
}
