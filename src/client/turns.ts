/**
 * Renewals that isolates do one after the other.
 *
 * @module
 */

import { takesOnce } from "../authority/authority.ts";
import { type Turn, userTurn } from "../cache/turns.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { Engine } from "./engine.ts";

/** For how long nobody else asks for the same token; whoever died with its request is waited for no longer. */
const LEASE_MS = 4_000;
/** How long others wait for it: long enough for one of them to take over. */
const PATIENCE_MS = 5_000;

/** What is asked of the authority. */
interface Question {
  /** The owner of the token, as the index names it. */
  readonly owner: string;
  /** Its bucket. */
  readonly bucket: string;
  /** Its scopes. */
  readonly key: string;
  /** Why it is asked for. */
  readonly reason: RefreshReason;
}

/**
 * How much longer a piece of work may take because others do theirs first.
 *
 * @param engine The application's parts.
 * @returns The time in milliseconds; 0 where the store has no locks.
 */
export function patienceMs({ configuration: { authority, cache }, flightDeadlineMs }: Engine): number {
  if (cache.turns === undefined) return 0;
  // For as long as one takes who died, and one who took over.
  return takesOnce(authority) ? 2 * flightDeadlineMs : PATIENCE_MS;
}

/**
 * The turn of a renewal.
 *
 * @param engine The application's parts.
 * @param question What is asked.
 * @param isUser Whether a refresh token is redeemed.
 * @param look Finds what others have got meanwhile.
 * @returns `undefined` where nobody has to wait: without locks, or where the answer would serve nobody else.
 */
export function turnOf<T>(
  engine: Engine,
  { owner, bucket, key, reason }: Question,
  isUser: boolean,
  look: () => Promise<T | undefined>,
): Turn<T> | undefined {
  const { authority, cache: { turns } } = engine.configuration;
  if (turns === undefined) return undefined;
  // Who sends a refresh token twice may lose the grant: no two renewals of a user at a time, for as long as one can take.
  const isOneTime = isUser && takesOnce(authority);
  // Removals take turns with these.
  if (isOneTime || (isUser && !turns.cas)) {
    const leaseMs = isOneTime ? engine.flightDeadlineMs : LEASE_MS;
    return { name: userTurn(owner), leaseMs, patienceMs: patienceMs(engine), look };
  }
  if (reason === "force_refresh_or_claims") return undefined;
  return { name: ["token", owner, bucket, key], leaseMs: LEASE_MS, patienceMs: PATIENCE_MS, look };
}
