/**
 * How an app proves itself at the token endpoint.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-2.3.1 | RFC 6749 section 2.3.1}
 */
import { sameText } from "../crypto/same_text.ts";
import { requireClientAssertion } from "./client_assertion.ts";
import type { App, Tenant } from "./declared.ts";
import { EntraError, malformedRequest, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";

/** What a request offers as proof. */
export interface ClientProof {
  readonly clientId: string;
  readonly clientSecret: string | undefined;
  readonly assertion: string | undefined;
  readonly assertionType: string | undefined;
}

function formDecoded(part: string): string {
  try {
    return decodeURIComponent(part.replaceAll("+", " "));
  } catch {
    throw malformedRequest();
  }
}

function basicCredentials(authorization: string): { id: string; secret: string } {
  let text: string;
  try {
    const bytes = Uint8Array.from(atob(authorization.slice("Basic ".length).trim()), (c) => c.charCodeAt(0));
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformedRequest();
  }
  const colon = text.indexOf(":");
  if (colon < 0) throw malformedRequest();
  return { id: formDecoded(text.slice(0, colon)), secret: formDecoded(text.slice(colon + 1)) };
}

/** Reads the client's credentials from the form or from HTTP Basic; both at once are refused. */
export function clientProofOf(exchange: Exchange, form: ReadonlyMap<string, string>): ClientProof {
  const assertion = form.get("client_assertion");
  const assertionType = form.get("client_assertion_type");
  const authorization = exchange.incoming.headers.get("authorization") ?? "";
  if (/^basic /i.test(authorization)) {
    const { id, secret } = basicCredentials(authorization);
    const named = form.get("client_id") ?? id;
    if (named !== id || form.has("client_secret") || assertion !== undefined) throw malformedRequest();
    return { clientId: id, clientSecret: secret, assertion, assertionType };
  }
  const clientId = form.get("client_id");
  if (clientId === undefined) throw missingParameter("client_id");
  return { clientId, clientSecret: form.get("client_secret"), assertion, assertionType };
}

/** Finds the app in the tenant's directory. Throws AADSTS700016. */
export function requireApp(exchange: Exchange, tenant: Tenant, clientId: string): App {
  const app = exchange.services.directory.app(clientId, tenant);
  if (app) return app;
  const text =
    `Application with identifier '${clientId}' was not found in the directory '${tenant.name}'. This can ` +
    "happen if the application has not been installed by the administrator of the tenant or consented to by any " +
    "user in the tenant. You may have sent your authentication request to the wrong tenant.";
  throw new EntraError(400, "unauthorized_client", 700016, text);
}

/** Checks the client's secret. Throws AADSTS7000215 if it is wrong and AADSTS7000222 if it has expired. */
export async function requireSecret(app: App, secret: string, nowMs: number): Promise<void> {
  const matches = await Promise.all(app.secrets.map((known) => sameText(known.value, secret)));
  const matching = app.secrets.filter((_, index) => matches[index]);
  if (matching.some(({ expiresAtMs }) => expiresAtMs === undefined || expiresAtMs > nowMs)) return;
  if (matching.length > 0) {
    const text =
      `The provided client secret keys for app '${app.clientId}' are expired. Visit the Azure portal to ` +
      "create new keys for your app: https://aka.ms/NewClientSecret, or consider using certificate credentials for " +
      "added security: https://aka.ms/certCreds.";
    throw new EntraError(401, "invalid_client", 7000222, text);
  }
  const text =
    "Invalid client secret provided. Ensure the secret being sent in the request is the client secret " +
    `value, not the client secret ID, for a secret added to app '${app.clientId}'.`;
  throw new EntraError(401, "invalid_client", 7000215, text);
}

function refuseCredentialOfPublic(app: App, proof: ClientProof): void {
  if (!app.publicClient || (proof.clientSecret === undefined && proof.assertion === undefined)) return;
  const text = "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.";
  throw new EntraError(401, "invalid_client", 700025, text);
}

/** Authenticates an app that must prove itself. Throws AADSTS7000216 if it offers nothing. */
export async function authenticateApp(exchange: Exchange, app: App, proof: ClientProof): Promise<void> {
  const { clientSecret, assertion, assertionType } = proof;
  refuseCredentialOfPublic(app, proof);
  if (clientSecret !== undefined) {
    return await requireSecret(app, clientSecret, exchange.services.clock.now());
  }
  if (assertion !== undefined) return await requireClientAssertion(exchange, app, assertion, assertionType);
  const text =
    "'client_assertion', 'client_secret' or 'request' is required for the 'client_credentials' grant type.";
  throw new EntraError(401, "invalid_client", 7000216, text);
}

/** A confidential client, or a grant that only these may use, without a credential. */
export function credentialRequired(): EntraError {
  const text =
    "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.";
  return new EntraError(401, "invalid_client", 7000218, text);
}

/**
 * Authenticates the client of a user's token request.
 *
 * A public client must not send a credential (AADSTS700025), a confidential one must (AADSTS7000218).
 */
export async function authenticateUserClient(
  exchange: Exchange,
  app: App,
  proof: ClientProof,
): Promise<void> {
  refuseCredentialOfPublic(app, proof);
  if (app.publicClient) return;
  if (proof.clientSecret === undefined && proof.assertion === undefined) throw credentialRequired();
  await authenticateApp(exchange, app, proof);
}
