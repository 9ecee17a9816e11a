/**
 * Client assertions of another issuer: federated identity credentials.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation | Workload identity federation}
 */
import { type CryptoKey, importJWK, type JWK, type JWTPayload } from "jose";
import { TOKEN_EXCHANGE } from "./built_in.ts";
import { issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import type { App } from "./declared.ts";
import type { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { FederatedCredentialDeclaration, PublicJwk } from "./key_options.ts";
import {
  invalidClient,
  isSignedBy,
  type PresentedAssertion,
  requireAlgorithm,
  requireLive,
} from "./presented_assertion.ts";
import { principalId } from "./token_parts.ts";

/** A credential that a token may match, with all that is expected of it. */
interface Expected {
  readonly issuers: readonly string[];
  readonly subject: string;
  readonly audiences: readonly string[];
  /** What `fmi_path` must be, where there is one. */
  readonly path?: string;
  readonly keys: () => readonly PublicJwk[] | Promise<readonly PublicJwk[]>;
}

const ALGORITHMS: readonly string[] = ["RS256"];
const AUDIENCES: readonly string[] = TOKEN_EXCHANGE.identifierUris;
const SEE = "https://learn.microsoft.com/entra/workload-id/workload-identity-federation";

async function ownKeys({ services }: Exchange): Promise<readonly PublicJwk[]> {
  const keys = await services.keys.all();
  return keys.map(({ kid, n, e }) => ({ kty: "RSA", kid, n, e }));
}

/** What is expected of a credential; nothing can match one that names what is not declared. */
async function expectedOf(
  exchange: Exchange,
  app: App,
  declared: FederatedCredentialDeclaration,
): Promise<readonly Expected[]> {
  if ("issuer" in declared) {
    const { issuer, subject, audiences = AUDIENCES, keys } = declared;
    const keySet = async (): Promise<readonly PublicJwk[]> =>
      (typeof keys === "function" ? await keys() : keys).keys;
    return [{ issuers: [issuer], subject, audiences, keys: keySet }];
  }
  const { directory } = exchange.services;
  const tenant = directory.tenant(declared.tenant ?? exchange.route.tenant ?? "");
  const other = tenant && directory.app(declared.app, tenant);
  if (!tenant || !other) return [];
  const origins = [exchange.issuerOrigin, exchange.origin, `https://${PUBLIC_CLOUD.hosts[0]}`];
  return [{
    issuers: origins.flatMap((origin) => Object.values(issuersOf(origin, tenant.id))),
    subject: await principalId(tenant, other),
    audiences: [...AUDIENCES, TOKEN_EXCHANGE.appId],
    path: app.clientId,
    keys: () => ownKeys(exchange),
  }];
}

function unmatched(code: number, what: string, value: unknown, more = ""): EntraError {
  const text =
    `No matching federated identity record found for presented assertion ${what} '${value}'.${more} ` +
    `Check your federated identity credential Subject, Audience and Issuer against the presented assertion. ${SEE}`;
  return invalidClient(code, text);
}

function subjectUnmatched(candidates: readonly Expected[], subject: unknown): EntraError {
  const differsInCase = (own: string): boolean =>
    typeof subject === "string" && own !== subject && own.toLowerCase() === subject.toLowerCase();
  if (!candidates.some((candidate) => differsInCase(candidate.subject))) {
    return unmatched(700213, "subject", subject);
  }
  const more =
    " The subject matches with case-insensitive comparison, but not with case-sensitive comparison.";
  return unmatched(7002138, "subject", subject, more);
}

function onPath({ path }: Expected, { fmi_path: named }: JWTPayload): boolean {
  return named === undefined || path === undefined || String(named).toLowerCase() === path;
}

/** Throws AADSTS700211, 700213, 7002138 or 700212. */
function matching(all: readonly Expected[], { claims }: PresentedAssertion): Expected {
  const { iss, sub, aud } = claims;
  const sameIssuer = all.filter(({ issuers }) => issuers.includes(String(iss)));
  if (sameIssuer.length === 0) throw unmatched(700211, "issuer", iss);
  const sameSubject = sameIssuer.filter((one) => one.subject === sub && onPath(one, claims));
  if (sameSubject.length === 0) throw subjectUnmatched(sameIssuer, sub);
  const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  const found = sameSubject.find(({ audiences }) => audiences.some((audience) => named.includes(audience)));
  if (found) return found;
  throw unmatched(700212, "audience", named.join(", "));
}

async function keyNamed({ keys }: Expected, { header, claims }: PresentedAssertion): Promise<CryptoKey> {
  const found = (await keys()).find(({ kid, kty, use }) =>
    kid === header.kid && kty === "RSA" && (use === undefined || use === "sig")
  );
  if (found && header.kid !== undefined) return await importJWK(found as JWK, "RS256") as CryptoKey;
  const text =
    `The certificate with identifier ${header.kid} used to sign the federated credential could not be ` +
    `found in the metadata of identity provider ${claims.iss}. Please validate that your Identity Provider's ` +
    "metadata exposes the key used to sign the incoming token.";
  throw invalidClient(7000272, text);
}

/**
 * Checks an assertion of another issuer.
 *
 * Throws AADSTS5002738, 700211, 700213, 7002138, 700212, 700229, 7000272, 7000274 or 700024.
 */
export async function requireFederatedAssertion(
  exchange: Exchange,
  app: App,
  presented: PresentedAssertion,
): Promise<void> {
  requireAlgorithm(presented, ALGORITHMS);
  const all = await Promise.all(app.federatedCredentials.map((one) => expectedOf(exchange, app, one)));
  const expected = matching(all.flat(), presented);
  if (presented.claims["scp"] !== undefined) {
    const text = "Only app-only tokens can be used as Federated Identity Credentials for AAD issuer.";
    throw invalidClient(700229, text);
  }
  if (!await isSignedBy(presented, await keyNamed(expected, presented))) {
    throw invalidClient(7000274, "Client assertion contains an invalid signature.");
  }
  requireLive(exchange, presented);
}
