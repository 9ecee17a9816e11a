/**
 * Checks what came back from a sign-in before a code is redeemed.
 *
 * @module
 */

import { TEMPLATE } from "../authority/provider_document.ts";
import { isGuid } from "../authority/tenant.ts";
import { sameText } from "../crypto/same_text.ts";
import type { ClientAuthErrorCode } from "../errors/error_codes.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { readErrorAnswer, toServerError } from "./error_response.ts";

/** What the answer must be. */
export interface ExpectedAnswer {
  /** The `state` of the flow. */
  readonly state: string;
  /** Finds who must have answered; called once the answer is known to be this flow's. */
  readonly issuer: () => Promise<ExpectedIssuer>;
  /** The authority's host, for errors. */
  readonly host: string;
  /** The flow's correlation id, for errors. */
  readonly correlationId: string;
  /** What must not come back in an error's text: nonce, verifier. */
  readonly secrets?: readonly unknown[] | undefined;
}

/** Who must have answered. */
export interface ExpectedIssuer {
  /** The issuer that the metadata names, `{tenantid}` included. */
  readonly issuer: string;
  /** Whether the metadata says `authorization_response_iss_parameter_supported`, RFC 9207 section 3. */
  readonly issParameterSupported: boolean;
}

/** What a good answer brings. */
export interface AuthorizationAnswer {
  /** The authorization code. */
  readonly code: string;
  /** Entra's `client_info`: whose code it is, not to be trusted. */
  readonly clientInfo: string | undefined;
}

/** Whether an issuer is the expected one; Entra's metadata of many tenants has `{tenantid}` where a tenant stands. */
function isIssuer(iss: string, expected: string): boolean {
  const [before = "", after] = expected.split(TEMPLATE);
  if (after === undefined) return iss === expected;
  const tenant = iss.slice(before.length, iss.length - after.length);
  return iss === before + tenant + after && isGuid(tenant.toLowerCase());
}

/**
 * Checks an answer: whether it belongs to this sign-in, who sent it, and what it says; in this order, so that nothing of an
 * answer to somebody else's sign-in is looked at.
 *
 * @param parameters The answer's parameters.
 * @param expected What it must be.
 * @returns The code.
 * @throws {ClientAuthError} `state_not_found`, `state_mismatch`, `issuer_mismatch` or `invalid_auth_response`.
 * @throws {InteractionRequiredAuthError} where the user must sign in or consent, which `prompt=none` forbade.
 * @throws {ServerError} for any other refusal, such as `access_denied`.
 */
export async function checkAuthorizationResponse(
  parameters: ReadonlyMap<string, string>,
  expected: ExpectedAnswer,
): Promise<AuthorizationAnswer> {
  const { state, host, correlationId } = expected;
  const fail = (code: ClientAuthErrorCode, why: string): never => {
    throw new ClientAuthError(code, `Cannot sign in: ${why}`, correlationId);
  };
  const [given, iss, error, code] = ["state", "iss", "error", "code"].map((name) => parameters.get(name));
  if (!given || !state) return fail("state_not_found", "the answer or the flow has no state");
  if (!(await sameText(given, state))) {
    fail("state_mismatch", "the answer belongs to another flow. Begin again, in one tab");
  }
  const { issuer, issParameterSupported } = await expected.issuer();
  if (iss === undefined ? issParameterSupported : !isIssuer(iss, issuer)) {
    fail("issuer_mismatch", "the answer is from another issuer");
  }
  if (error !== undefined) {
    const secrets = [state, code, ...expected.secrets ?? []];
    const answer = readErrorAnswer(0, Object.fromEntries(parameters), secrets);
    throw toServerError(answer, host, correlationId, undefined, "");
  }
  if (!code) return fail("invalid_auth_response", "the answer has neither code nor error");
  return { code, clientInfo: parameters.get("client_info") };
}
