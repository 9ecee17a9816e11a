/**
 * Reads an authority of any kind: workforce tenants, Azure AD B2C, External ID, ADFS, and OpenID Connect issuers.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { isLoopback } from "../net/endpoint.ts";
import {
  type Authority,
  type AuthorityOption,
  joinParts,
  parseAuthority,
  parseOidcAuthority,
  requireUrl,
} from "./authority.ts";
import { b2cAuthority, isB2cHost } from "./b2c.ts";
import { exactIssuer } from "./exact_issuer.ts";
import { externalIdAuthority, isExternalIdHost } from "./external_id.ts";
import { cloudOf } from "./known_clouds.ts";
import { isSharedTenant } from "./tenant.ts";

/** The options that say who issues the tokens. */
export interface AnyAuthorityOptions {
  /** An authority of Microsoft's, in any of its shapes. @default {"https://login.microsoftonline.com/common"} */
  readonly authority?: AuthorityOption | undefined;
  /** Any OpenID Connect issuer. Not together with `authority`. */
  readonly oidcAuthority?: string | URL | undefined;
  /** Hosts that speak like Microsoft's and are not, each with its port unless that is the default. */
  readonly knownAuthorities?: readonly string[] | undefined;
}

const ADFS_PATH = /^\/adfs(?:\/\.well-known\/openid-configuration)?\/?$/i;
/** What a workforce authority has in its path; the rest is refused with a better message than that of the clients. */
const TENANT_PATH =
  /^\/(?!(?:adfs|tfp|dstsv2)(?:\/|$))[^/]+(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?\/?$/i;

function knownHosts(value: readonly string[] = []): readonly string[] {
  const fits = Array.isArray(value) &&
    value.every((host) => typeof host === "string" && /^[\w.-]+(?::\d+)?$/.test(host));
  return fits
    ? value.map((host) => host.toLowerCase())
    : refuse("invalid_option", "knownAuthorities", "it must be an array of hosts, such as login.example.com");
}

/** An authority on a host that the application vouches for: its path tells what it is. */
function onKnownHost(url: URL, hosts: readonly string[], insecureLoopback: boolean): Authority | undefined {
  const { host, origin, pathname } = url;
  if (ADFS_PATH.test(pathname)) {
    const base = `${origin}/adfs`;
    const rules = exactIssuer(base, [host, ...hosts]);
    return { kind: "oidc", type: "adfs", environment: host, tenant: "adfs", base, rules };
  }
  const policy = b2cAuthority(url, hosts);
  if (policy !== undefined || !TENANT_PATH.test(pathname)) return policy;
  const workforce = parseAuthority(url, hosts, insecureLoopback);
  // A proxy of a cloud, or the local authority; else the proxy and a custom domain of External ID look alike.
  return isSharedTenant(workforce.tenant) || isLoopback(url) ? workforce : externalIdAuthority(url, hosts);
}

/**
 * Reads the options that say who issues the tokens.
 *
 * @param options The options.
 * @param insecureLoopback Whether `http:` is allowed on loopback; it makes loopback hosts known, too.
 * @returns The authority.
 * @throws {ClientConfigurationError} before any request, for a host that is not known, `http:`, credentials in the
 * URL, a tenant that is no tenant, or a path that is of no shape.
 */
export function parseAnyAuthority(
  { authority, oidcAuthority, knownAuthorities }: AnyAuthorityOptions,
  insecureLoopback: boolean,
): Authority {
  const hosts = knownHosts(knownAuthorities);
  if (oidcAuthority !== undefined) {
    if (authority !== undefined) {
      refuse("conflicting_authority", "oidcAuthority", "authority is given, too: choose one");
    }
    const generic = parseOidcAuthority(oidcAuthority, insecureLoopback);
    return { ...generic, rules: exactIssuer(generic.base) };
  }
  const option = joinParts(authority ?? "https://login.microsoftonline.com/common");
  const url = requireUrl(option, "authority", insecureLoopback);
  const { host, pathname } = url;
  const shaped = (expected: string, found: Authority | undefined): Authority =>
    found ?? refuse("invalid_authority", "authority", `it must be ${expected}`);
  if (cloudOf(host) !== undefined) {
    const found = TENANT_PATH.test(pathname) ? parseAuthority(url, hosts, insecureLoopback) : undefined;
    return shaped(`https://${host}/<tenant>`, found);
  }
  if (isB2cHost(host)) return shaped(`https://${host}/<tenant>/B2C_1_<policy>`, b2cAuthority(url, hosts));
  if (isExternalIdHost(host)) return shaped(`https://${host}/<tenant>`, externalIdAuthority(url, hosts));
  if (hosts.includes(host) || (insecureLoopback && isLoopback(url))) {
    const expected = `https://${host} with /<tenant>, /<tenant>/B2C_1_<policy> or /adfs`;
    return shaped(expected, onKnownHost(url, hosts, insecureLoopback));
  }
  const why = `${host} is not Microsoft's: list it in knownAuthorities, or use oidcAuthority`;
  refuse("untrusted_authority", "authority", why);
}
