/**
 * Who issues the tokens, and where to ask.
 *
 * @module
 */

import type { ClientConfigurationErrorCode } from "../errors/error_codes.ts";
import { refuse } from "../errors/errors.ts";
import { endpointFault, isLoopback } from "../net/endpoint.ts";
import { cloudOf } from "./known_clouds.ts";
import { isSharedTenant, requireTenant } from "./tenant.ts";

/** A Microsoft Entra authority in two parts, as MSAL Python's `AuthorityBuilder` takes them. */
export interface AuthorityParts {
  /** The cloud's host or origin, such as `login.microsoftonline.us`. */
  readonly instance: string | URL;
  /** The tenant: a GUID, a domain name, `common`, `organizations` or `consumers`. */
  readonly tenant: string;
}

/** What the `authority` option takes. */
export type AuthorityOption = string | URL | AuthorityParts;

/** An authority, checked. */
export interface Authority {
  /** `aad` for Microsoft Entra ID, `oidc` for any OpenID Connect issuer. */
  readonly kind: "aad" | "oidc";
  /** The host as it was configured, with its port unless that is the default; `environment` in MSAL's cache. */
  readonly environment: string;
  /** The tenant in lower case; the issuer's path, without slashes at its ends, for `oidc`. */
  readonly tenant: string;
  /** Whether the tenant stands for many: `common`, `organizations` or `consumers`. */
  readonly shared: boolean;
  /** For `aad` the base of all endpoints, without a slash at its end; the issuer for `oidc`. */
  readonly base: string;
}

/** What may follow the tenant in a pasted authority. */
const PASTED_TAIL =
  /^(?:\/v2\.0)?(?:\/\.well-known\/openid-configuration)?$|^\/oauth2\/v2\.0\/(?:token|authorize)$/;
const EXAMPLE = "https://login.microsoftonline.com/contoso.onmicrosoft.com";

/** Parses a URL that a request may be sent to, refusing whatever the URL parser would silently repair. */
function requireUrl(value: unknown, option: string, insecureLoopback: boolean): URL {
  const text = String(value);
  const fail = (why: string, code: ClientConfigurationErrorCode = "invalid_authority"): never =>
    refuse(code, option, why);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\s\\%\u0000-\u001f\u007f]|\/\.\.?(?:\/|$)/.test(text)) {
    fail("it holds white space, a backslash, a percent sign or a dot segment");
  }
  const url = URL.canParse(text) ? new URL(text) : fail(`it must be a URL such as ${EXAMPLE}`);
  const fault = endpointFault(url, insecureLoopback);
  if (fault !== undefined) {
    fail(fault, url.protocol === "https:" ? "invalid_authority" : "authority_uri_insecure");
  }
  if (url.search !== "") fail("it has a query; pass extraQueryParameters instead");
  return url;
}

/** Reads `{ instance, tenant }` as a URL; anything else stays what it is. */
function joinParts(option: unknown): unknown {
  const { instance, tenant } = (option ?? {}) as Partial<AuthorityParts>;
  if (instance === undefined) return option;
  const origin = String(instance).replace(/\/$/, "");
  return `${origin.includes("://") ? "" : "https://"}${origin}/${requireTenant(tenant, "authority.tenant")}`;
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
    const why =
      `${environment} is not one of Microsoft's clouds. Check the spelling, use oidcAuthority for another ` +
      "issuer, or list a host that speaks like Entra in knownAuthorities";
    refuse("untrusted_authority", "authority", why);
  }
  const [, first = "", tail = ""] = /^\/([^/]*)(.*?)\/?$/.exec(pathname) ?? [];
  if (first === "") refuse("invalid_authority", "authority", `its tenant is missing: use ${EXAMPLE}`);
  const tenant = requireTenant(first, "authority");
  if (!PASTED_TAIL.test(tail) || ["adfs", "tfp", "dstsv2"].includes(tenant)) {
    refuse("invalid_authority", "authority", "B2C policies, ADFS and dSTS are not supported in this version");
  }
  const base = `${protocol}//${cloud?.[0] ?? environment}/${tenant}`;
  return { kind: "aad", environment, tenant, shared: isSharedTenant(tenant), base };
}

/**
 * Where an Entra authority issues a tenant's tokens: it follows from the authority, so nothing has to be discovered.
 *
 * @param authority An authority of the kind `aad`.
 * @param tenant A tenant that was checked.
 * @returns The token endpoint.
 */
export function aadTokenEndpoint(authority: Authority, tenant: string): string {
  return `${new URL(authority.base).origin}/${tenant}/oauth2/v2.0/token`;
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
  return { kind: "oidc", environment, tenant: path.slice(1), shared: false, base: origin + path };
}
