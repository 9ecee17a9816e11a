/**
 * Who issues the tokens, and where to ask.
 *
 * @module
 */

import { ClientConfigurationError } from "../errors/errors.ts";
import { endpointFault, isLoopback } from "../net/endpoint.ts";
import { cloudOf, foldEnvironment } from "./known_clouds.ts";
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
  /** The host with a cloud's aliases folded; part of cache identities. */
  readonly cloud: string;
  /** The tenant in lower case; the issuer's path, without slashes at its ends, for `oidc`. */
  readonly tenant: string;
  /** Whether the tenant stands for many: `common`, `organizations` or `consumers`. */
  readonly shared: boolean;
  /** For `aad` the base of all endpoints, without a slash at its end; the issuer for `oidc`. */
  readonly base: string;
}

/** What decides which hosts are believed. */
export interface AuthorityTrust {
  /** Hosts beside Microsoft's, each with its port unless that is the default. */
  readonly knownAuthorities: readonly string[];
  /** Whether `http:` on loopback is allowed; it makes loopback hosts known, too. */
  readonly insecureLoopback: boolean;
}

/** What may follow the tenant in a pasted authority. */
const PASTED_TAIL =
  /^\/?(?:(?:v2\.0\/?)?(?:\.well-known\/openid-configuration)?|oauth2\/v2\.0\/(?:token|authorize))\/?$/;

function fail(
  code: "invalid_authority" | "untrusted_authority" | "authority_uri_insecure",
  option: string,
  why: string,
): never {
  throw new ClientConfigurationError(code, option, `Cannot use ${option}: ${why}`);
}

/**
 * Parses a URL that a request may be sent to, refusing whatever the URL parser would silently repair.
 *
 * @param value A string or a URL.
 * @param option The option's name, for errors.
 * @param insecureLoopback Whether `http:` is allowed on loopback.
 */
export function requireUrl(value: unknown, option: string, insecureLoopback: boolean): URL {
  const example = "a URL such as https://login.microsoftonline.com/contoso.onmicrosoft.com";
  const text = value instanceof URL ? value.href : value;
  if (typeof text !== "string" || text === "") fail("invalid_authority", option, `it is not ${example}`);
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (/[\s\\%\u0000-\u001f\u007f]/.test(text) || /(?:^|\/)\.\.?(?:\/|$)/.test(text)) {
    fail("invalid_authority", option, "it holds white space, a backslash, a percent sign or a dot segment");
  }
  if (!URL.canParse(text)) fail("invalid_authority", option, `it is not ${example}`);
  const url = new URL(text);
  const fault = endpointFault(url, insecureLoopback);
  if (fault !== undefined) {
    fail(url.protocol === "https:" ? "invalid_authority" : "authority_uri_insecure", option, fault);
  }
  if (url.search !== "") {
    fail("invalid_authority", option, "it has a query; pass extraQueryParameters instead");
  }
  return url;
}

function requireKnownHost(url: URL, trust: AuthorityTrust): void {
  const known = cloudOf(url.host) !== undefined || trust.knownAuthorities.includes(url.host) ||
    (trust.insecureLoopback && isLoopback(url));
  if (known) return;
  fail(
    "untrusted_authority",
    "authority",
    `the host ${url.host} is not one of Microsoft's clouds. Check its spelling; for a generic OpenID Connect issuer ` +
      "use oidcAuthority; if you trust the host to speak like Entra, list it in knownAuthorities",
  );
}

/** Reads `{ instance, tenant }` as a URL. */
function joinParts(parts: Partial<AuthorityParts>): string {
  const { instance } = parts;
  const origin = instance instanceof URL ? instance.href : String(instance ?? "");
  const base = /^[a-z][a-z0-9+.-]*:\/\//i.test(origin) ? origin : `https://${origin}`;
  return `${base.replace(/\/$/, "")}/${requireTenant(parts.tenant, "authority.tenant")}`;
}

/**
 * Reads the `authority` option: Microsoft Entra ID in any of its clouds.
 *
 * @param option A URL with the tenant as its path, pasted forms with `/v2.0` or more included, or the two parts.
 * @param trust Which hosts are believed.
 * @returns The authority.
 * @throws {ClientConfigurationError} before any request, for a host that is not known, `http:`, credentials in the
 * URL, or a tenant that is no tenant.
 */
export function parseAuthority(option: AuthorityOption, trust: AuthorityTrust): Authority {
  const isParts = typeof option === "object" && option !== null && !(option instanceof URL);
  const url = requireUrl(isParts ? joinParts(option) : option, "authority", trust.insecureLoopback);
  requireKnownHost(url, trust);
  const [first = ""] = url.pathname.slice(1).split("/", 1);
  if (first === "") {
    fail("invalid_authority", "authority", "its tenant is missing: add /<tenant id or domain> to the URL");
  }
  const tenant = requireTenant(first, "authority");
  const tail = url.pathname.slice(1 + first.length);
  if (!PASTED_TAIL.test(tail) || ["adfs", "tfp", "dstsv2"].includes(tenant)) {
    fail(
      "invalid_authority",
      "authority",
      "only https://<cloud>/<tenant> is supported in this version: no B2C policy, ADFS or dSTS path",
    );
  }
  return aadAuthority(url, tenant);
}

function aadAuthority(url: URL, tenant: string): Authority {
  const networkHost = cloudOf(url.host)?.[0] ?? url.host;
  return {
    kind: "aad",
    environment: url.host,
    cloud: foldEnvironment(url.host),
    tenant,
    shared: isSharedTenant(tenant),
    base: `${url.protocol}//${networkHost}/${tenant}`,
  };
}

/**
 * Where an Entra authority issues a tenant's tokens: it follows from the authority, so nothing has to be discovered.
 *
 * @param authority An authority of the kind `aad`.
 * @param tenant A tenant that was checked.
 * @returns The token endpoint.
 */
export function aadTokenEndpoint(authority: Authority, tenant: string): string {
  const cloud = authority.base.slice(0, authority.base.lastIndexOf("/"));
  return `${cloud}/${tenant}/oauth2/v2.0/token`;
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
  const url = requireUrl(option, "oidcAuthority", insecureLoopback);
  const path = url.pathname.replace(/\/\.well-known\/openid-configuration$/, "").replace(/\/$/, "");
  return {
    kind: "oidc",
    environment: url.host,
    cloud: foldEnvironment(url.host),
    tenant: path.slice(1),
    shared: false,
    base: `${url.origin}${path}`,
  };
}
