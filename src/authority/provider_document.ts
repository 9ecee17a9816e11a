/**
 * Reads a discovery document: OpenID Connect Discovery 1.0 section 4.3, and what Entra's documents may say beside it.
 *
 * @module
 */

import type { DocumentFail } from "../net/document_source.ts";
import { endpointFault, isAddress } from "../net/endpoint.ts";
import type { Authority } from "./authority.ts";
import { cloudOf, isOfCloud } from "./known_clouds.ts";
import type { BackChannel, ProviderMetadata } from "./provider_metadata.ts";
import { isGuid, isSharedTenant } from "./tenant.ts";

/** The tenant of personal Microsoft accounts, which `consumers` stands for. */
export const MSA_TENANT = "9188040d-6c67-4c5b-b112-36a304b66dad";
/** What stands for the tenant where an authority stands for many. */
export const TEMPLATE = "{tenantid}";
/** The signature algorithms that can count: asymmetric ones alone. */
const ALGORITHM = /^(?:[RPE]S(?:256|384|512)|EdDSA|Ed25519)$/;

/** The endpoints at which a client says who it is; each may have an alias for clients with a TLS certificate. */
const BACK_CHANNEL: readonly BackChannel[] = [
  "token",
  "deviceAuthorization",
  "pushedAuthorizationRequest",
  "introspection",
  "revocation",
];

/** How a discovery document names an endpoint. */
export function documentName(endpoint: BackChannel): string {
  return `${endpoint.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)}_endpoint`;
}

/** Whether a document's issuer is that of Entra ID for a tenant. */
function isIssuer(issuer: string, { base, environment }: Authority, tenant: string): boolean {
  const [, origin, named = ""] = /^(https?:\/\/[^/]+)\/([^/]+)\/v2\.0$/.exec(issuer) ?? [];
  const hosts = cloudOf(environment)?.map((host) => `https://${host}`) ?? [new URL(base).origin];
  if (origin === undefined || !hosts.includes(origin)) return false;
  if (tenant === "consumers") return named === MSA_TENANT;
  if (isSharedTenant(tenant)) return named === TEMPLATE;
  // A domain is resolved by the authority; a GUID is what it is.
  return isGuid(named) && (named === tenant || !isGuid(tenant));
}

/** What is wrong with an endpoint that a document names. */
function faultOf(
  url: URL,
  name: string,
  { base, environment, rules }: Authority,
  insecureLoopback: boolean,
): string | undefined {
  const own = new URL(base);
  if (isAddress(url) && !isAddress(own)) return "it is an address, not a name";
  const isOwn = rules
    ? rules.isHost(url.host, name)
    : url.host === own.host || isOfCloud(url.host, cloudOf(environment) ?? []);
  return isOwn
    ? endpointFault(url, insecureLoopback)
    : "it is on another host, or in another sovereign cloud";
}

/**
 * Reads a discovery document, which must be the authority's own and name no endpoint that must not be asked.
 *
 * @param authority The authority.
 * @param tenant The tenant that was asked for.
 * @param body The document.
 * @param insecureLoopback Whether `http:` on loopback is allowed.
 * @param fail Refuses the document.
 * @returns What is needed of it; an empty `jwksUri` where it names none.
 */
export function readProvider(
  authority: Authority,
  tenant: string,
  body: Readonly<Record<string, unknown>>,
  insecureLoopback: boolean,
  fail: DocumentFail,
): ProviderMetadata {
  const { issuer, cloud_instance_name: cloudName, id_token_signing_alg_values_supported: algorithms } = body;
  const { access_token_issuer: accessTokenIssuer, mtls_endpoint_aliases: aliases } = body;
  const signing = body["token_endpoint_auth_signing_alg_values_supported"];
  const required = body["require_pushed_authorization_requests"];
  if (typeof issuer !== "string") return fail("issuer is missing");
  if (!(authority.rules?.isIssuer(issuer) ?? isIssuer(issuer, authority, tenant))) {
    const other = authority.type === "oidc" ? ", or as authority if it is Microsoft's" : "";
    fail(`it names another issuer: give the exact one${other}`, "issuer_mismatch");
  }
  const endpoint = (name: string, from = body): string | undefined => {
    const url = from[name];
    if (url === undefined || url === null) return undefined;
    const fault = typeof url === "string" && URL.canParse(url)
      ? faultOf(new URL(url), name, authority, insecureLoopback)
      : "it is no URL";
    return fault === undefined ? url as string : fail(`its ${name}: ${fault}`);
  };
  const backChannel = (from: typeof body): Partial<Record<BackChannel, string>> =>
    Object.fromEntries(
      BACK_CHANNEL.map((name) => [name, endpoint(documentName(name), from)]).filter(([, url]) => url),
    );
  const { token = fail("token_endpoint is missing"), ...others } = backChannel(body);
  return {
    endpoints: {
      ...others,
      token,
      authorization: endpoint("authorization_endpoint"),
      endSession: endpoint("end_session_endpoint"),
      ...(required === true && { requiresPushedAuthorization: true }),
      ...(Array.isArray(signing) &&
        { signingAlgorithms: signing.filter((name) => typeof name === "string") }),
      ...(aliases !== undefined && { mtls: backChannel(Object(aliases)) }),
    },
    issuer: {
      issuer,
      ...(typeof accessTokenIssuer === "string" && { accessTokenIssuer }),
      jwksUri: endpoint("jwks_uri") ?? "",
      cloudInstanceName: typeof cloudName === "string" ? cloudName : undefined,
      issParameterSupported: body["authorization_response_iss_parameter_supported"] === true,
      algorithms: Array.isArray(algorithms)
        ? algorithms.filter((name) => typeof name === "string" && ALGORITHM.test(name))
        : ["RS256"],
    },
  };
}
