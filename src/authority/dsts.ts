/**
 * dSTS, the token service of Microsoft's own data centres: it goes by its discovery document alone.
 *
 * @module
 */

import type { Authority } from "./authority.ts";
import { exactIssuer } from "./exact_issuer.ts";
import { requireTenant } from "./tenant.ts";

const HOST = /^(?:(?!xn--)[a-z0-9-]{1,63}\.){1,8}dsts\.core\.(?:windows|azure-test)\.net$/;
const PATH = /^\/dstsv2\/([^/]+)(?:\/\.well-known\/openid-configuration)?\/?$/i;

/** Whether a host is one of dSTS. */
export function isDstsHost(host: string): boolean {
  return HOST.test(host);
}

/**
 * Reads a URL as that of a dSTS tenant.
 *
 * @param url The URL, on a host that is trusted.
 * @param trusted The hosts that are known beside it.
 * @returns The authority; `undefined` where the path is none.
 * @throws {ClientConfigurationError} `invalid_tenant`.
 */
export function dstsAuthority(
  { host, origin, pathname }: URL,
  trusted: readonly string[],
): Authority | undefined {
  const named = PATH.exec(pathname)?.[1];
  if (named === undefined) return undefined;
  const tenant = requireTenant(named, "authority");
  const base = `${origin}/dstsv2/${tenant}`;
  const isHost = (other: string): boolean => other === host || isDstsHost(other) || trusted.includes(other);
  return { kind: "oidc", type: "dsts", environment: host, tenant, base, rules: exactIssuer(base, isHost) };
}
