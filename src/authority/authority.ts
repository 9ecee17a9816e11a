/**
 * Who issues the tokens, and where to ask.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { endpointFault } from "../net/endpoint.ts";
import type { AuthorityRules } from "./issuer_rules.ts";
import { requireTenant } from "./tenant.ts";

/** An authority of Microsoft's in two parts, as MSAL Python's `AuthorityBuilder` takes them. */
export interface AuthorityParts {
  /** The host or origin, such as `login.microsoftonline.us`. */
  readonly instance: string | URL;
  /** The tenant: a GUID, a domain name, `common`, `organizations` or `consumers`; `adfs` for AD FS. */
  readonly tenant: string;
}

/**
 * What the `authority` option takes: `https://<cloud>/<tenant>` for Entra ID, `https://<name>.ciamlogin.com` for External ID,
 * `https://<name>.b2clogin.com/<tenant>/<policy>` for Azure AD B2C, `https://<server>/adfs` for AD FS, and what is pasted with
 * more behind it. Custom domains and AD FS servers belong into `knownAuthorities`, too.
 */
export type AuthorityOption = string | URL | AuthorityParts;

/**
 * What an authority is: Microsoft Entra ID, Azure AD B2C, External ID (CIAM), Active Directory Federation Services, dSTS, or any
 * other OpenID Connect issuer.
 */
export type AuthorityType = "aad" | "b2c" | "ciam" | "adfs" | "dsts" | "oidc";

/** An authority, checked. */
export interface Authority {
  /** `aad` for Entra ID, which has many tenants; `oidc` for an authority that is one, whose issuer its discovery document tells. */
  readonly kind: "aad" | "oidc";
  /** What it is. */
  readonly type: AuthorityType;
  /** The host as it was configured, with its port unless that is the default; `environment` in MSAL's cache. */
  readonly environment: string;
  /** The tenant in lower case, `adfs` for AD FS; the issuer's path, without slashes at its ends, for an OpenID Connect issuer. */
  readonly tenant: string;
  /** The base of all endpoints, without a slash at its end; for an OpenID Connect issuer its name. */
  readonly base: string;
  /** The policy of Azure AD B2C, in lower case. */
  readonly policy?: string | undefined;
  /** What is its own in discovery and in its tokens. */
  readonly rules?: AuthorityRules | undefined;
}

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
    const example = option === "authority" ? "login.microsoftonline.com/common" : "idp.example";
    refuse("invalid_authority", option, `it must be a URL such as https://${example}, without a query`);
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
  const text = typeof instance === "string" ? instance : (instance as URL | null)?.href ?? "";
  // A path would take the tenant's place.
  const [, scheme = "https://", host] = /^(\w+:\/\/)?([^/]+)\/?$/.exec(text) ??
    refuse("invalid_authority", "authority.instance", "it must be a host or an origin");
  return `${scheme}${host}/${requireTenant(tenant, "authority.tenant")}`;
}

/**
 * Whether an authority is Microsoft's service: it sends `client_info`, has GUIDs for names, and reads telemetry.
 *
 * @param authority The authority.
 * @returns `true` for Entra ID, External ID and Azure AD B2C.
 */
export function isEntra({ type }: Authority): boolean {
  return type === "aad" || type === "ciam" || type === "b2c";
}

/**
 * Whether an authority's tokens name their tenant, and tell users from apps.
 *
 * @param authority The authority.
 * @returns `true` for Entra ID and External ID.
 */
export function namesTenants({ type }: Authority): boolean {
  return type === "aad" || type === "ciam";
}

/**
 * Whether an authority may take each refresh token once. Microsoft's take it again and again.
 *
 * @param authority The authority.
 * @returns `true` for any but Microsoft's.
 */
export function takesOnce({ type }: Authority): boolean {
  return type === "oidc" || type === "dsts";
}
