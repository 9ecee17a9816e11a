/**
 * Which text may stand where a tenant stands.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { IssuerFail, TokenClaims } from "./issuer_rules.ts";

/** The source of an expression for a GUID in lower case. */
export const GUID = "[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}";
const EXACTLY_GUID = /* @__PURE__ */ new RegExp(`^${GUID}$`);
/** A DNS name; a GUID has the form of one, too. Not folded before: that would let letters of other scripts in. */
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/i;

/** Whether a text is a GUID in lower case, as Entra writes tenants and users. */
export function isGuid(text: string): boolean {
  return EXACTLY_GUID.test(text);
}

/** Whether a tenant stands for many: no app token can be had there. */
export function isSharedTenant(tenant: string): boolean {
  return tenant === "common" || tenant === "organizations" || tenant === "consumers";
}

/**
 * Checks a tenant that becomes part of a URL: a GUID or a DNS name, nothing else.
 *
 * @param tenant What the caller gave.
 * @param option The option's name, for the error.
 * @returns The tenant in lower case.
 * @throws {ClientConfigurationError} `invalid_tenant`.
 */
export function requireTenant(tenant: unknown, option: string): string {
  // The common case, and the hit path.
  if (typeof tenant === "string" && isGuid(tenant)) return tenant;
  // A variable that is not set becomes one of these in a template.
  if (typeof tenant === "string" && DNS_NAME.test(tenant) && tenant !== "undefined" && tenant !== "null") {
    return tenant.toLowerCase();
  }
  refuse("invalid_tenant", option, "a tenant is a GUID or a domain");
}

/**
 * The tenant of a token, and that the user's id beside it is one.
 *
 * @param claims The token's claims.
 * @param fail Refuses the token.
 * @returns The tenant, a GUID in lower case: one claim of the name `tid` and of no other spelling.
 */
export function tenantOf(claims: TokenClaims, fail: IssuerFail): string {
  const { tid, oid } = claims;
  const names = Object.keys(claims).filter((name) => name.length === 3 && name.toLowerCase() === "tid");
  const tenant = typeof tid === "string" ? tid.toLowerCase() : "";
  if (names.length !== 1 || !isGuid(tenant)) fail("tenant_invalid");
  if (oid !== undefined && (typeof oid !== "string" || !isGuid(oid.toLowerCase()))) fail("subject_invalid");
  return tenant;
}
