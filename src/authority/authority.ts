/**
 * Who issues the tokens, and where to ask.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { endpointFault, isLoopback } from "../net/endpoint.ts";
import type { AuthorityRules } from "./issuer_rules.ts";
import { cloudOf } from "./known_clouds.ts";
import { requireTenant } from "./tenant.ts";

/** A Microsoft Entra authority in two parts, as MSAL Python's `AuthorityBuilder` takes them. */
export interface AuthorityParts {
  /** The cloud's host or origin, such as `login.microsoftonline.us`. */
  readonly instance: string | URL;
  /** The tenant: a GUID, a domain name, `common`, `organizations` or `consumers`. */
  readonly tenant: string;
}

/** What the `authority` option takes. */
export type AuthorityOption = string | URL | AuthorityParts;

/**
 * What an authority is: Microsoft Entra ID, Azure AD B2C, External ID (CIAM), Active Directory Federation Services, dSTS, or any
 * other OpenID Connect issuer.
 */
export type AuthorityType = "aad" | "b2c" | "ciam" | "adfs" | "dsts" | "oidc";

/** An authority, checked. */
export interface Authority {
  /** `aad` for Microsoft Entra ID, `oidc` for any authority whose issuer only its discovery document tells. */
  readonly kind: "aad" | "oidc";
  /** What it is. */
  readonly type: AuthorityType;
  /** The host as it was configured, with its port unless that is the default; `environment` in MSAL's cache. */
  readonly environment: string;
  /** The tenant in lower case; the issuer's path, without slashes at its ends, for an OpenID Connect issuer. */
  readonly tenant: string;
  /** For `aad` the base of all endpoints, without a slash at its end; for `oidc` the issuer, or what stands for it. */
  readonly base: string;
  /** What is its own in discovery and in its tokens. */
  readonly rules?: AuthorityRules | undefined;
}

/** A tenant, and what may follow it in a pasted authority. */
const TENANT_PATH =
  /^\/(?!(?:adfs|tfp|dstsv2)\/?$)([^/]+)(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?\/?$/i;
const EXAMPLE = "it must be a URL such as https://login.microsoftonline.com/common";

/**
 * Parses a URL that a request may be sent to, refusing whatever the URL parser would silently repair.
 *
 * @param value What the caller gave.
 * @param option The option's name, for the error.
 * @param insecureLoopback Whether `http:` is allowed on loopback.
 * @returns The URL.
 * @throws {ClientConfigurationError} before any request.
 */
export function requireUrl(value: unknown, option: string, insecureLoopback: boolean): URL {
  const text = typeof value === "string" ? value : (value as URL | null | undefined)?.href;
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  const repaired = /[\s\\%?\u0000-\u001f\u007f]|\/\.\.?(?:\/|$)/;
  if (typeof text !== "string" || repaired.test(text) || !URL.canParse(text)) {
    refuse("invalid_authority", option, `${EXAMPLE}, without a query`);
  }
  const url = new URL(text);
  const fault = endpointFault(url, insecureLoopback);
  if (fault !== undefined) {
    refuse(url.protocol === "https:" ? "invalid_authority" : "authority_uri_insecure", option, fault);
  }
  return url;
}

/**
 * Reads `{ instance, tenant }` as a URL.
 *
 * @param option What the caller gave.
 * @returns The URL as text; anything else as it is.
 * @throws {ClientConfigurationError} before any request.
 */
export function joinParts(option: unknown): unknown {
  const { instance, tenant } = (option ?? {}) as Partial<AuthorityParts>;
  if (instance === undefined) return option;
  const origin = (typeof instance === "string" ? instance : `${instance?.href}`).replace(
    /^(?!\w+:\/\/)/,
    "https://",
  ).replace(/\/$/, "");
  // A path would take the tenant's place.
  if (origin.split("/").length > 3) {
    refuse("invalid_authority", "authority.instance", "it must be a host or an origin");
  }
  return `${origin}/${requireTenant(tenant, "authority.tenant")}`;
}

/**
 * Reads the `authority` option: Microsoft Entra ID in any of its clouds.
 *
 * @param option A URL with the tenant as its path, pasted forms with `/v2.0` or more included, or the two parts.
 * @param knownAuthorities Hosts beside Microsoft's, each with its port unless that is the default.
 * @param insecureLoopback Whether `http:` is allowed on loopback; it makes loopback hosts known, too.
 * @returns The authority.
 * @throws {ClientConfigurationError} before any request, for a host that is not known, `http:`, credentials in the
 * URL, or a tenant that is no tenant.
 */
export function parseAuthority(
  option: AuthorityOption,
  knownAuthorities: readonly string[],
  insecureLoopback: boolean,
): Authority {
  const url = requireUrl(joinParts(option), "authority", insecureLoopback);
  const { host: environment, pathname, protocol } = url;
  const cloud = cloudOf(environment);
  if (
    cloud === undefined && !knownAuthorities.includes(environment) && !(insecureLoopback && isLoopback(url))
  ) {
    const why = `${environment} is no Microsoft cloud: list it in knownAuthorities, or use oidcAuthority`;
    refuse("untrusted_authority", "authority", why);
  }
  const first = TENANT_PATH.exec(pathname)?.[1] ??
    refuse("invalid_authority", "authority", `${EXAMPLE}; B2C, ADFS and dSTS are not supported yet`);
  const tenant = requireTenant(first, "authority");
  return {
    kind: "aad",
    type: "aad",
    environment,
    tenant,
    base: `${protocol}//${cloud?.[0] ?? environment}/${tenant}`,
  };
}

/**
 * Reads the `oidcAuthority` option: any OpenID Connect issuer, whose endpoints come from its discovery document.
 *
 * @param option The issuer, or the URL of its discovery document.
 * @param insecureLoopback Whether `http:` is allowed on loopback.
 * @returns The authority.
 * @throws {ClientConfigurationError} before any request.
 */
export function parseOidcAuthority(option: unknown, insecureLoopback: boolean): Authority {
  const { host: environment, origin, pathname } = requireUrl(option, "oidcAuthority", insecureLoopback);
  const path = pathname.replace(/(?:\/\.well-known\/openid-configuration)?\/?$/, "");
  return { kind: "oidc", type: "oidc", environment, tenant: path.slice(1), base: origin + path };
}
