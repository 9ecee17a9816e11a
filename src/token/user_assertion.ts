/**
 * The access token that an API was called with, as far as it matters here: the API has validated it.
 *
 * @module
 */

import { isGuid } from "../authority/tenant.ts";
import { sha256 } from "../crypto/digest.ts";
import { ClientAuthError, refuse } from "../errors/errors.ts";
import { decodeJsonPart } from "../jwt/compact.ts";

/** What is known of an assertion. */
export interface UserAssertion {
  /** The assertion. */
  readonly text: string;
  /** The SHA-256 of its text. */
  readonly hash: string;
  /** When it ends, in epoch seconds; unknown for one that is not to be read here. */
  readonly expiresOn: number | undefined;
  /** The caller's tenant, a GUID. */
  readonly tenant: string | undefined;
  /** The caller's object id there, a GUID. */
  readonly objectId: string | undefined;
}

/** Refuses an assertion that has ended: its sender has to bring another one. */
export function expiredAssertion(correlationId?: string): ClientAuthError {
  const why = "Cannot get a token: userAssertion has expired. Answer 401";
  return new ClientAuthError("user_assertion_expired", why, correlationId);
}

function guidOf(claim: unknown): string | undefined {
  const text = `${claim}`.toLowerCase();
  return isGuid(text) ? text : undefined;
}

/**
 * Reads an assertion. What is no JWT, or is encrypted, is for the authority alone to understand.
 *
 * @param text What the caller gave.
 * @param isEntra Whether the authority is Entra's, whose tokens tell users from apps.
 * @param correlationId The call's id, for errors.
 * @returns What is known of it.
 * @throws {ClientConfigurationError} `invalid_request` for what is no token.
 * @throws {ClientAuthError} `user_assertion_app_only` where there is no user on whose behalf anything could be done.
 */
export function readUserAssertion(
  text: unknown,
  isEntra: boolean,
  correlationId: string | undefined,
): Promise<UserAssertion> {
  if (typeof text !== "string" || !/^[\x21-\x7e]{1,16384}$/.test(text)) {
    refuse("invalid_request", "userAssertion", "it must be the access token of the call");
  }
  const [, payload = "", , ...more] = text.split(".", 4);
  const claims = (more.length === 0 && decodeJsonPart(payload)) || {};
  const { exp, idtyp, oid, roles, scp, sub, tid } = claims;
  const isApp = scp === undefined && (roles !== undefined || (oid !== undefined && oid === sub));
  if (idtyp === "app" || (isEntra && isApp)) {
    const why = "Cannot get a token: userAssertion has no user. Use acquireTokenForClient";
    throw new ClientAuthError("user_assertion_app_only", why, correlationId);
  }
  const expiresOn = typeof exp === "number" ? exp : undefined;
  const known = { text, expiresOn, tenant: guidOf(tid), objectId: guidOf(oid) };
  return sha256(text).then((hash) => ({ ...known, hash }));
}
