/**
 * Microsoft Entra External ID: Entra ID on a host of the tenant's own.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/external-id/customers/how-to-custom-url-domain | Custom URL domains}
 */
import type { Tenant } from "../declared.ts";
import type { Shape } from "./shape.ts";

/** An external tenant; its issuer is the same on all of its hosts, and the origin of the request on loopback. */
export function externalShape(tenant: Tenant, segment: string, origin: string, onOwnHost: boolean): Shape {
  const base = `${origin}/${tenant.id}`;
  const shape = { kind: "external", tenant, segment: segment.toLowerCase(), base } as const;
  return onOwnHost ? { ...shape, issuerOrigin: `https://${tenant.id}.ciamlogin.com` } : shape;
}
