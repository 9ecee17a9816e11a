/**
 * Client assertions: signed with a certificate of the app, or by another issuer that it trusts.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc7523#section-3 | RFC 7523 section 3}
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials | Certificate credentials}
 */
import { requireCertificateAssertion } from "./certificate_assertion.ts";
import {
  invalidClient,
  missingClaim,
  type PresentedAssertion,
  presentedAssertion,
} from "./presented_assertion.ts";
import type { App } from "./declared.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { requireFederatedAssertion } from "./federated_assertion.ts";

const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

function requireType(type: string | undefined): void {
  if (type === undefined) throw missingParameter("client_assertion_type");
  if (type === JWT_BEARER) return;
  throw new EntraError(400, "invalid_request", 90023, `Unsupported 'client_assertion_type' value '${type}'.`);
}

/** An issuer that is an app's id is an app; any other is somebody whom the app may trust. */
function isSelfIssued({ clientId, federatedCredentials }: App, { claims }: PresentedAssertion): boolean {
  const issuer = String(claims.iss);
  return issuer.toLowerCase() === clientId || (!URL.canParse(issuer) && federatedCredentials.length === 0);
}

/**
 * Checks the assertion that an app presents.
 *
 * Throws AADSTS900144, 90023, 50027, 90014, and what the two kinds of assertion throw.
 */
export async function requireClientAssertion(
  exchange: Exchange,
  app: App,
  assertion: string,
  type: string | undefined,
): Promise<void> {
  requireType(type);
  const presented = presentedAssertion(assertion);
  for (const name of ["iss", "sub", "aud"]) {
    if (presented.claims[name] === undefined) throw missingClaim(name);
  }
  if (isSelfIssued(app, presented)) return await requireCertificateAssertion(exchange, app, presented);
  if (app.federatedCredentials.length === 0 && presented.claims.iss === presented.claims.sub) {
    const text = "Client assertion application identifier doesn't match 'client_id' parameter.";
    throw invalidClient(700021, text);
  }
  await requireFederatedAssertion(exchange, app, presented);
}
