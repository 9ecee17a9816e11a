/**
 * Which text may stand where a tenant stands.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

const GUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;
const DNS_NAME =
  /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*$/;
const SHARED = ["common", "organizations", "consumers"];

/** Whether a tenant stands for many: no app token can be had there. */
export function isSharedTenant(tenant: string): boolean {
  return SHARED.includes(tenant);
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
  const text = typeof tenant === "string" ? tenant.toLowerCase() : "";
  if (GUID.test(text) || DNS_NAME.test(text)) return text;
  refuse("invalid_tenant", option, "a tenant is a GUID or a domain name such as contoso.onmicrosoft.com");
}
