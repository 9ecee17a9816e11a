/**
 * The tenant that a user signs in to.
 *
 * @module
 */
import { requireApp } from "./client_authentication.ts";
import type { App, Tenant, User } from "./declared.ts";
import { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";

/** The user's object id in a tenant: their own at home, that of the guest object elsewhere. */
export function objectIdIn(user: User, tenant: Tenant): string | undefined {
  if (user.tenant === tenant) return user.id;
  return user.guestOf.find((guest) => guest.tenant === tenant)?.id;
}

function refusePersonal(): EntraError {
  const text =
    "User account '{EUII Hidden}' is a personal Microsoft account. Personal Microsoft accounts are not " +
    "supported for this application unless explicitly invited to an organization. Try signing out and signing " +
    "back in with an organizational account.";
  return new EntraError(400, "invalid_grant", 500200, text);
}

function refuseStranger(app: App, user: User, tenant: Tenant): EntraError {
  const provider = user.personal ? "live.com" : `https://sts.windows.net/${user.tenant.id}/`;
  const text = `User account '{EUII Hidden}' from identity provider '${provider}' does not exist in tenant ` +
    `'${tenant.name}' and cannot access the application '${app.clientId}'(${app.name}) in that tenant. The account ` +
    "needs to be added as an external user in the tenant first. Sign out and sign in again with a different " +
    "Azure Active Directory user account.";
  return new EntraError(400, "invalid_grant", 50020, text);
}

/** Who may come in through `common`, `organizations` or `consumers`: each into their home. */
function homeBehind(alias: string, app: App, user: User): Tenant {
  if (user.personal && (alias === "organizations" || app.audience === "multi")) throw refusePersonal();
  if (!user.personal && alias === "consumers") {
    const text =
      "The user account {EUII Hidden} does not exist in the Microsoft accounts directory. To sign into " +
      "this application, the account must be added to the directory.";
    throw new EntraError(400, "invalid_grant", 50034, text);
  }
  if (user.tenant.kind !== "workforce") {
    const text = "The user account {EUII Hidden} does not exist in a directory that this endpoint is for.";
    throw new EntraError(400, "invalid_grant", 50034, text);
  }
  return user.tenant;
}

/** The tenant that a user of an app ends in. Throws AADSTS50020, 50034, 500200 or 700016. */
export function tenantFor(exchange: Exchange, app: App, segment: string, user: User): Tenant {
  const named = exchange.services.directory.tenant(segment);
  const tenant = named ?? homeBehind(segment, app, user);
  if (objectIdIn(user, tenant) === undefined) throw refuseStranger(app, user, tenant);
  requireApp(exchange, tenant, app.clientId);
  return tenant;
}
