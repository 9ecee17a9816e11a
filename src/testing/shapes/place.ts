/**
 * Which tenants are where: each shape has its own.
 *
 * @module
 */
import type { Tenant } from "../declared.ts";
import { EntraError } from "../entra_error.ts";
import type { Exchange } from "../exchange.ts";

/** The tenant of a name, if it is one where it is asked: a host of one tenant answers for no other. */
export function tenantAt({ services, route }: Exchange, named: string): Tenant | undefined {
  const tenant = services.directory.tenant(named);
  if (route.shape) return tenant === route.shape.tenant ? tenant : undefined;
  return tenant?.kind === "adfs" ? undefined : tenant;
}

/** Refuses a grant that was made elsewhere: at another policy, or at another service. */
export function requirePlace({ route }: Exchange, place: string | undefined): void {
  if (route.shape?.place === place) return;
  const text = "The provided grant has not been issued for this endpoint.";
  throw new EntraError(400, "invalid_grant", 70000, text, { suberror: "wrong_place" });
}
