/**
 * What an API answers where it cannot serve a request.
 *
 * @module
 */

import { AccessTokenError } from "../errors/access_token_error.ts";
import type { AuthError } from "../errors/auth_error.ts";
import type { ClientAuthError } from "../errors/errors.ts";
import type { InteractionRequiredAuthError, ServerError } from "../errors/server_error.ts";
import { bearerChallenge, type ChallengeParameters, encodeClaims, plainText } from "./challenge.ts";

/** How long to leave an API alone whose authority cannot be reached and did not say, in seconds. */
const RETRY_SECONDS = 5;

/** An answer that is no success. */
export interface Refusal {
  /** The status. */
  readonly status: number;
  /** What went wrong, as OAuth names it: for the body, and for the challenge unless no token came at all. */
  readonly error: string;
  /** What went wrong, in words: nothing of the token, and nothing of an outage's reasons. */
  readonly text: string;
  /** The challenge's own parameters; absent where the caller's token is not to blame. */
  readonly challenge?: ChallengeParameters | undefined;
  /** When to come again, in seconds. */
  readonly retryAfter?: number | undefined;
}

/** What was asked of the authority on behalf of a caller who has to consent. */
export interface ConsentRequest {
  /** The page that asks for consent. */
  readonly consentUri?: string | undefined;
  /** This API's client id. */
  readonly clientId: string;
  /** The scopes of the other API. */
  readonly scopes: readonly string[];
}

/** What refusals say beside what went wrong. */
export interface RefusalTerms {
  /** Where users sign in. */
  readonly authorizationUri?: string | undefined;
  /** The document of RFC 9728. */
  readonly resourceMetadata?: string | undefined;
  /** A scope as callers ask for it. */
  fullScope(scope: string): string;
  /** What was asked when the authority answered with this error. */
  consentOf(error: AuthError): ConsentRequest | undefined;
}

const unavailable = (retryAfter: number = RETRY_SECONDS): Refusal => ({
  status: 503,
  error: "temporarily_unavailable",
  text: "This API cannot answer for now: try again later",
  retryAfter: Math.max(1, Math.ceil(retryAfter)),
});

/** No details: what is wrong here is nothing for callers. */
const FAILED: Refusal = { status: 500, error: "server_error", text: "This API cannot answer" };

function refuseToken(failure: AccessTokenError, terms: RefusalTerms): Refusal {
  const { status, error, scopes, claims, message } = failure;
  // Without an error, scopes are for callers that know nothing of this API: others are told nothing (RFC 6750 section 3).
  const isTold = error !== undefined || terms.resourceMetadata !== undefined;
  return {
    status,
    error: error ?? "unauthorized",
    text: message,
    challenge: {
      error,
      error_description: error && plainText(message),
      scope: isTold && scopes?.length ? scopes.map(terms.fullScope).join(" ") : undefined,
      claims: claims && encodeClaims(claims),
    },
  };
}

/** what the authority asks of the user, for the caller to do. */
function refuseUser(failure: InteractionRequiredAuthError, terms: RefusalTerms): Refusal {
  const { claims, code } = failure;
  const consent = code === "consent_required" && claims === undefined ? terms.consentOf(failure) : undefined;
  const error = claims === undefined
    ? code === "consent_required" ? code : "interaction_required"
    : "insufficient_claims";
  const text = error === "consent_required"
    ? "The user or an administrator has to consent to what this API asks of another one"
    : "The user has to sign in again, for another API that this one calls";
  const { consentUri, clientId, scopes } = consent ?? {};
  return {
    // Another token is no help where consent is missing.
    status: error === "consent_required" ? 403 : 401,
    error,
    text,
    challenge: {
      error,
      error_description: text,
      claims: claims && encodeClaims(claims),
      // By the names of Microsoft.Identity.Web.
      ...consent && { consentUri, clientId, scopes: scopes?.join(" "), proposedAction: "consent" },
    },
  };
}

/**
 * Decides on an answer. By names, so that errors of another copy of this library count, too.
 *
 * @param error What was thrown.
 * @param terms What refusals say besides.
 * @returns The answer.
 */
export function refusalOf(error: AuthError, terms: RefusalTerms): Refusal {
  switch (error.name) {
    case "AccessTokenError":
      return refuseToken(error as AccessTokenError, terms);
    case "InteractionRequiredAuthError":
      return refuseUser(error as InteractionRequiredAuthError, terms);
    case "NetworkError":
      return unavailable();
    case "ServerError": {
      const { retryable, retryAfterSeconds } = error as ServerError;
      return retryable ? unavailable(retryAfterSeconds) : FAILED;
    }
    case "ClientAuthError":
      return refuseCall(error as ClientAuthError, terms);
    default:
      return FAILED;
  }
}

function refuseCall({ code }: ClientAuthError, terms: RefusalTerms): Refusal {
  if (code === "endpoints_resolution_error" || code === "request_aborted") return unavailable();
  // It was valid when it came.
  const expired = new AccessTokenError("access_token_expired", "The access token has expired", {
    status: 401,
    error: "invalid_token",
  });
  return code as string === "user_assertion_expired" ? refuseToken(expired, terms) : FAILED;
}

/**
 * Writes an answer.
 *
 * @param refusal What to answer.
 * @param terms What refusals say besides.
 * @param correlationId For support.
 * @returns The answer. No cache keeps it.
 */
export function refusalResponse(
  { status, error, text, challenge, retryAfter }: Refusal,
  { authorizationUri, resourceMetadata }: RefusalTerms,
  correlationId: string | undefined,
): Response {
  const headers = new Headers({ "cache-control": "no-store", "content-type": "application/json" });
  headers.set("vary", "Authorization");
  if (retryAfter !== undefined) headers.set("retry-after", `${retryAfter}`);
  if (challenge !== undefined) {
    const value = bearerChallenge({
      // Empty where anybody may sign in at a shared endpoint; who calls us knows the tenant by the next parameter.
      realm: "",
      authorization_uri: authorizationUri,
      ...challenge,
      resource_metadata: resourceMetadata,
    });
    headers.set("www-authenticate", value);
  }
  const body = JSON.stringify({ error, error_description: text, correlationId });
  return new Response(body, { status, headers });
}
