/**
 * Azure AD B2C: each policy of a tenant is an authority of its own.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/azure/active-directory-b2c/tokens-overview | Tokens of Azure AD B2C}
 */

import { refuse } from "../errors/errors.ts";
import type { Authority } from "./authority.ts";
import { endpointsAt } from "./endpoints.ts";
import type { AuthorityRules, IssuerFail, TokenClaims } from "./issuer_rules.ts";
import { isGuid, isSharedTenant, requireTenant, tenantOf } from "./tenant.ts";

const HOST = /^(?!xn--)[a-z0-9-]{1,63}\.b2clogin\.(?:com|cn|us|de)$/;
const PATH =
  /^(\/tfp)?\/(?!tfp\/)([^/]+)\/(b2c_[\w-]{1,120})(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?\/?$/i;
/** `https://host/<tenant>/v2.0/`, or `https://host/tfp/<tenant>/<policy>/v2.0/`: a setting of the policy. */
const ISSUER = /^(https?:\/\/[^/]+)\/(?:tfp\/([^/]+)\/([^/]+)|([^/]+))\/v2\.0\/?$/;

/** Whether a host is one of Azure AD B2C. */
export function isB2cHost(host: string): boolean {
  return HOST.test(host);
}

/** The parts of an issuer; without an origin where it is none of B2C. */
function readIssuer(issuer: string): { origin: string; owner: string; named?: string | undefined } {
  const [, origin = "", withPolicy = "", policy, alone] = ISSUER.exec(issuer) ?? [];
  return { origin, owner: (alone ?? withPolicy).toLowerCase(), named: policy?.toLowerCase() };
}

/** Checks the policy that a token names: in `tfp`, or in `acr` where the policy is set so. */
function checkPolicy({ tfp, acr }: TokenClaims, policy: string, fail: IssuerFail): void {
  const isPolicy = (value: unknown): boolean => typeof value === "string" && value.toLowerCase() === policy;
  const other = typeof acr === "string" && /^b2c_/i.test(acr) && !isPolicy(acr);
  if (!isPolicy(tfp ?? acr) || other) fail("issuer_mismatch");
}

function rulesOf(base: string, tenant: string, policy: string, hosts: readonly string[]): AuthorityRules {
  const origins = [new URL(base).origin, ...hosts.map((host) => `https://${host}`)];
  return {
    documentUrl: `${base}/v2.0/.well-known/openid-configuration`,
    // It has no device sign-in.
    endpoints: { ...endpointsAt(`${base}/oauth2/v2.0`), deviceAuthorization: undefined },
    isHost: (host) => hosts.includes(host),
    isIssuer(issuer) {
      const { origin, owner, named = policy } = readIssuer(issuer);
      // A domain is resolved by the authority; a GUID is what it is.
      const isOwner = owner === tenant || (isGuid(owner) && !isGuid(tenant));
      return origins.includes(origin) && isOwner && named === policy;
    },
    issuerOf(claims, { issuer }, _isAccessToken, fail) {
      checkPolicy(claims, policy, fail);
      const { owner } = readIssuer(issuer);
      // Most of its tokens do not name their tenant; those that do must not name another.
      const named = Object.keys(claims).some((name) => name.toLowerCase() === "tid");
      if (named && tenantOf(claims, fail) !== owner && isGuid(owner)) fail("tenant_mismatch");
      return issuer;
    },
  };
}

/**
 * Reads a URL as that of a B2C policy.
 *
 * @param url The URL, on a host that is trusted.
 * @param trusted The hosts that are known beside it.
 * @returns The authority; `undefined` where the path names no policy.
 * @throws {ClientConfigurationError} `invalid_tenant`, `invalid_authority`.
 */
export function b2cAuthority(
  { host, origin, pathname }: URL,
  trusted: readonly string[],
): Authority | undefined {
  const [path, tfp = "", named, policyNamed = ""] = PATH.exec(pathname) ?? [];
  if (path === undefined) return undefined;
  const tenant = requireTenant(named, "authority");
  if (isSharedTenant(tenant)) refuse("invalid_authority", "authority", "a B2C policy is of one tenant");
  const policy = policyNamed.toLowerCase();
  const base = `${origin}${tfp.toLowerCase()}/${tenant}/${policy}`;
  const rules = rulesOf(base, tenant, policy, [host, ...trusted]);
  return { kind: "oidc", type: "b2c", environment: host, tenant, base, policy, rules };
}
