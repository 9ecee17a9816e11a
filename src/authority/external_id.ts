/**
 * Microsoft Entra External ID, formerly CIAM: its issuers name the tenant twice, whatever name it was asked by.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/external-id/customers/concept-authentication-methods-customers | External ID}
 */

import { refuse } from "../errors/errors.ts";
import type { Authority } from "./authority.ts";
import { endpointsAt } from "./endpoints.ts";
import type { AuthorityRules } from "./issuer_rules.ts";
import { isOfCloud } from "./known_clouds.ts";
import { isGuid, isSharedTenant, requireTenant, tenantOf } from "./tenant.ts";

const HOST = /^(?!xn--)([a-z0-9-]{1,63})\.ciamlogin\.com$/;
const PATH = /^(?:\/(?!v2\.0(?:\/|$))([^/]+))?(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?\/?$/i;
const ISSUER = /^https:\/\/([^/]+)\/([^/]+)\/v2\.0$/;

/** Whether a host is one of External ID. */
export function isExternalIdHost(host: string): boolean {
  return HOST.test(host);
}

function rulesOf(base: string, pinned: string, own: readonly string[]): AuthorityRules {
  return {
    documentUrl: `${base}/v2.0/.well-known/openid-configuration`,
    endpoints: endpointsAt(`${base}/oauth2/v2.0`),
    // It is of the public cloud, whose keys for the same tenant are not all.
    isHost: (host, name) =>
      isExternalIdHost(host) || own.includes(host) || (name !== "jwks_uri" && isOfCloud(host)),
    isIssuer(issuer) {
      const [, host = "", named = ""] = ISSUER.exec(issuer) ?? [];
      const isOwner = isGuid(named) && (named === pinned || !isGuid(pinned));
      return isOwner && (host === `${named}.ciamlogin.com` || own.includes(host));
    },
    issuerOf(claims, { issuer }, _isAccessToken, fail) {
      if (tenantOf(claims, fail) !== issuer.split("/")[3]) fail("tenant_mismatch");
      return issuer;
    },
  };
}

/**
 * Reads a URL as that of an external tenant, on `ciamlogin.com` or on a domain of its own.
 *
 * @param url The URL, on a host that is trusted.
 * @param trusted The hosts that are known beside it; they count for a domain of its own alone.
 * @returns The authority; `undefined` where the path is none.
 * @throws {ClientConfigurationError} `invalid_tenant`, `invalid_authority`.
 */
export function externalIdAuthority(
  { host, origin, pathname }: URL,
  trusted: readonly string[],
): Authority | undefined {
  const label = HOST.exec(host)?.[1];
  const [path, inPath] = PATH.exec(pathname) ?? [];
  if (path === undefined || (inPath ?? label) === undefined) return undefined;
  const byHost = label === undefined || isGuid(label) ? label : `${label}.onmicrosoft.com`;
  const tenant = requireTenant(inPath ?? byHost, "authority");
  const isOther = isGuid(tenant) && label !== undefined && isGuid(label) && label !== tenant;
  if (isSharedTenant(tenant) || isOther) {
    refuse("invalid_authority", "authority", "an external tenant is one: name it alike in host and path");
  }
  const base = `${origin}/${tenant}`;
  const pinned = label !== undefined && isGuid(label) ? label : tenant;
  const rules = rulesOf(base, pinned, label === undefined ? [host, ...trusted] : []);
  return { kind: "oidc", type: "ciam", environment: host, tenant, base, rules };
}
