/**
 * Reads an authority of any kind: workforce tenants, Azure AD B2C, External ID, ADFS, dSTS, and OpenID Connect issuers.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { isLoopback } from "../net/endpoint.ts";
import { type Authority, type AuthorityOption, joinParts, requireUrl } from "./authority.ts";
import { b2cAuthority, isB2cHost } from "./b2c.ts";
import { dstsAuthority, isDstsHost } from "./dsts.ts";
import { endpointsAt } from "./endpoints.ts";
import { exactIssuer } from "./exact_issuer.ts";
import { externalIdAuthority, isExternalIdHost } from "./external_id.ts";
import { cloudOf, isOfCloud } from "./known_clouds.ts";
import { isSharedTenant, requireTenant } from "./tenant.ts";

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
/** A tenant, and what may follow it in a pasted authority. */
const TENANT_PATH =
  /^\/(?!(?:adfs|tfp|dstsv2)(?:\/|$))([^/]+)(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?\/?$/i;

/**
 * Checks `knownAuthorities`.
 *
 * @param value What the caller gave.
 * @returns The hosts in lower case.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function knownHosts(value: readonly string[] = []): readonly string[] {
  const fits = Array.isArray(value) &&
    value.every((host) => typeof host === "string" && /^[\w.-]+(?::\d+)?$/.test(host));
  return fits
    ? value.map((host) => host.toLowerCase())
    : refuse("invalid_option", "knownAuthorities", "it must be an array of hosts, such as login.example.com");
}

/**
 * Reads a URL as that of a tenant of Entra ID, in any cloud.
 *
 * @param url The URL, on a host that is trusted.
 * @returns The authority; `undefined` where the path is no tenant's.
 * @throws {ClientConfigurationError} `invalid_tenant`.
 */
export function workforceAuthority({ host, pathname, protocol }: URL): Authority | undefined {
  const named = TENANT_PATH.exec(pathname)?.[1];
  if (named === undefined) return undefined;
  const tenant = requireTenant(named, "authority");
  const base = `${protocol}//${cloudOf(host)?.[0] ?? host}/${tenant}`;
  return { kind: "aad", type: "aad", environment: host, tenant, base };
}

function adfsAuthority({ host, origin, pathname }: URL, hosts: readonly string[]): Authority | undefined {
  if (!ADFS_PATH.test(pathname)) return undefined;
  const base = `${origin}/adfs`;
  const isHost = (other: string): boolean => other === host || hosts.includes(other);
  const rules = exactIssuer(base, isHost, endpointsAt(`${base}/oauth2`));
  return { kind: "oidc", type: "adfs", environment: host, tenant: "adfs", base, rules };
}

/** An authority on a host that the application vouches for: its path tells what it is. */
function onKnownHost(url: URL, hosts: readonly string[]): Authority | undefined {
  const found = adfsAuthority(url, hosts) ?? b2cAuthority(url, hosts) ?? dstsAuthority(url, hosts);
  const workforce = found ? undefined : workforceAuthority(url);
  if (workforce === undefined) return found;
  // A proxy of a cloud, or the local authority; else the proxy and a custom domain of External ID look alike.
  return isSharedTenant(workforce.tenant) || isLoopback(url) ? workforce : externalIdAuthority(url, hosts);
}

function genericAuthority({ host, origin, pathname }: URL): Authority {
  const path = pathname.replace(/(?:\/\.well-known\/openid-configuration)?\/?$/, "");
  const base = origin + path;
  const cloud = cloudOf(isExternalIdHost(host) ? "login.microsoftonline.com" : host);
  // Of one of Microsoft's all endpoints are in its cloud.
  const isHost = cloud && ((other: string): boolean => other === host || isOfCloud(other, cloud));
  const rules = exactIssuer(base, isHost);
  return { kind: "oidc", type: "oidc", environment: host, tenant: path.slice(1), base, rules };
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
    return genericAuthority(requireUrl(oidcAuthority, "oidcAuthority", insecureLoopback));
  }
  const option = joinParts(authority ?? "https://login.microsoftonline.com/common");
  const url = requireUrl(option, "authority", insecureLoopback);
  const { host } = url;
  const shaped = (path: string, found: Authority | undefined): Authority =>
    found ?? refuse("invalid_authority", "authority", `it must be https://${host}${path}`);
  if (cloudOf(host) !== undefined) return shaped("/<tenant>", workforceAuthority(url));
  if (isB2cHost(host)) return shaped("/<tenant>/B2C_1_<policy>", b2cAuthority(url, hosts));
  if (isExternalIdHost(host)) return shaped("/<tenant>", externalIdAuthority(url, hosts));
  if (isDstsHost(host)) return shaped("/dstsv2/<tenant>", dstsAuthority(url, hosts));
  if (hosts.includes(host) || (insecureLoopback && isLoopback(url))) {
    return shaped(
      " with /<tenant>, /<tenant>/B2C_1_<policy>, /adfs or /dstsv2/<tenant>",
      onKnownHost(url, hosts),
    );
  }
  const why = `${host} is not Microsoft's: list it in knownAuthorities, or use oidcAuthority`;
  refuse("untrusted_authority", "authority", why);
}
