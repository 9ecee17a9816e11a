/**
 * What a tenant declares of its kind, checked and with its defaults filled in.
 *
 * @module
 */
import { isMicrosoftHost } from "../clouds.ts";
import type { PolicyDeclaration, ShapeDeclaration, TenantKind } from "../shape_options.ts";

/** A policy, with its defaults filled in. */
export interface Policy extends Required<PolicyDeclaration> {
  /** The name in lower case, as it is compared and as issuers have it. */
  readonly id: string;
}

/** What is known of a tenant's kind. */
export interface DeclaredShape {
  readonly kind: TenantKind;
  /** Where it is asked, in lower case. */
  readonly hosts: readonly string[];
  readonly policies: readonly Policy[];
}

const HOST = /^[a-z0-9.-]+(?::\d{1,5})?$/;
const POLICY = /^b2c_1a?_[\w-]{1,100}$/i;
const INITIAL_DOMAIN = /^([a-z0-9-]{1,63})\.onmicrosoft\.com$/;

function requireHost(host: string): string {
  const lower = host.toLowerCase();
  if (HOST.test(lower) && !isMicrosoftHost(lower)) return lower;
  throw new TypeError(
    `Cannot declare a tenant: "${host}" is not a host of its own, such as login.contoso.com`,
  );
}

function policyOf(declared: PolicyDeclaration): Policy {
  const { name, issuer = "default", policyClaim = "tfp", tenantClaim = false } = declared;
  if (POLICY.test(name)) return { name, id: name.toLowerCase(), issuer, policyClaim, tenantClaim };
  throw new TypeError(`Cannot declare a tenant: "${name}" is not a policy, such as B2C_1_signin`);
}

/** The hosts that a tenant has without declaring them. */
function givenHosts(kind: TenantKind, id: string, domains: readonly string[]): readonly string[] {
  const names = domains.flatMap((domain) => INITIAL_DOMAIN.exec(domain)?.[1] ?? []);
  if (kind === "external") return [id, ...names].map((name) => `${name}.ciamlogin.com`);
  return kind === "b2c" ? names.map((name) => `${name}.b2clogin.com`) : [];
}

/** Reads what a tenant declares of its kind. Throws a `TypeError`. */
export function shapeDeclared(
  declared: ShapeDeclaration,
  id: string,
  domains: readonly string[],
): DeclaredShape {
  const { kind = "workforce" } = declared;
  const own = (declared.hosts ?? []).map(requireHost);
  const policies = (declared.policies ?? []).map(policyOf);
  if (kind === "workforce" && own.length > 0) {
    throw new TypeError("Cannot declare a tenant: a workforce has no hosts of its own");
  }
  if (kind === "adfs" && own.length === 0) {
    throw new TypeError("Cannot declare a tenant: a farm of AD FS needs a host");
  }
  if ((kind === "b2c") !== policies.length > 0) {
    throw new TypeError("Cannot declare a tenant: policies are for Azure AD B2C, which needs one");
  }
  return { kind, hosts: [...new Set([...givenHosts(kind, id, domains), ...own])], policies };
}
