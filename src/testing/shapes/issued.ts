/**
 * What a tenant's tokens look like that are issued without a request.
 *
 * @module
 */
import { PUBLIC_CLOUD } from "../clouds.ts";
import type { Tenant } from "../declared.ts";
import { adfsShape } from "./adfs.ts";
import { b2cShape } from "./b2c.ts";
import type { Dialect } from "./shape.ts";

/** Who issues a token. */
export interface Issuing {
  /** The origin that issuers are derived from. */
  readonly issuerOrigin: string;
  /** What is not as at Entra ID; absent if all is. */
  readonly dialect: Dialect | undefined;
}

function defaultOrigin({ kind, id, hosts: [host] }: Tenant): string {
  if (kind === "external") return `https://${id}.ciamlogin.com`;
  const isOwn = host !== undefined && kind !== "workforce";
  return `https://${isOwn ? host : PUBLIC_CLOUD.hosts[0]}`;
}

/** Who issues the tokens of a tenant. Throws a `TypeError` when it has no such policy. */
export function issuingOf(
  tenant: Tenant,
  options: { readonly issuerOrigin?: string; readonly policy?: string },
): Issuing {
  const issuerOrigin = options.issuerOrigin ?? defaultOrigin(tenant);
  if (tenant.kind === "adfs") return { issuerOrigin, dialect: adfsShape(tenant, issuerOrigin).dialect };
  if (tenant.kind !== "b2c") return { issuerOrigin, dialect: undefined };
  const wanted = options.policy?.toLowerCase() ?? tenant.policies[0]?.id;
  const policy = tenant.policies.find(({ id }) => id === wanted);
  if (!policy) throw new TypeError("Cannot issue a token: no such policy");
  const at = { origin: issuerOrigin, segment: tenant.id, tfp: false };
  return { issuerOrigin, dialect: b2cShape(tenant, policy, at).dialect };
}
