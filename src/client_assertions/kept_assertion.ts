/**
 * Keeps assertions for as long as they are good, R-215.
 *
 * @module
 */

import { endOf, requireAssertion } from "../credential/assertion_method.ts";
import type { ClientAssertionProvider, CredentialContext } from "../credential/client_credential.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf } from "../errors/errors.ts";
import { SingleFlight } from "../store/single_flight.ts";
import type { SourceSettings } from "./source_options.ts";

/** How long before its end an assertion is no longer used, unless it lives for a short time only. */
const MARGIN_MS = 60_000;
/** What says that it is good for longer is asked for again all the same, as its owner may have changed. */
const MAX_KEPT_MS = 3_600_000;

/** A source of assertions. */
export interface AssertionSource {
  /** The source's settings. */
  readonly settings: SourceSettings;
  /** How many requests an assertion takes at most. */
  readonly requests: number;
  /** What an assertion is for: equal texts share one. Its audience, of which there is one for each cloud at most. */
  readonly keyOf: (context: CredentialContext) => string;
  /** Gets one. */
  readonly get: (key: string, context: CredentialContext) => Promise<unknown>;
}

/** What a callback of the application threw is named, not repeated. */
async function explained<T>(work: Promise<T>, { correlationId }: CredentialContext): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (isAuthError(error)) throw error;
    const why = `Cannot get an assertion: its source threw ${nameOf(error)}`;
    throw new ClientAuthError("client_credential_failed", why, correlationId);
  }
}

/**
 * Makes a function for `{ clientAssertion }`: one assertion for everybody who asks at the same time, kept until shortly before
 * its end, or until the authority refuses it.
 *
 * @param source The source.
 * @returns The function.
 */
export function keptAssertion({ settings, requests, keyOf, get }: AssertionSource): ClientAssertionProvider {
  const { clock, timeoutMs } = settings;
  const kept = new Map<string, { readonly assertion: string; readonly untilMs: number }>();
  const flights = new SingleFlight<string>(clock);
  const renew = async (key: string, context: CredentialContext): Promise<string> => {
    const assertion = requireAssertion(await explained(get(key, context), context));
    const nowMs = clock.now();
    const leftMs = Math.min((endOf(assertion) ?? 0) - nowMs, MAX_KEPT_MS + MARGIN_MS);
    kept.set(key, { assertion, untilMs: nowMs + leftMs - Math.min(MARGIN_MS, leftMs / 5) });
    return assertion;
  };
  return async (context) => {
    const key = keyOf(context);
    const known = kept.get(key);
    if (known && context.rejectedBy === undefined && clock.now() < known.untilMs) return known.assertion;
    const deadlineMs = requests * timeoutMs + 1_000;
    return await flights.run(key, { deadlineMs }, () => renew(key, context));
  };
}
