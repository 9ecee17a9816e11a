/**
 * The client of a request, and whether the path is one that it may use.
 *
 * @module
 */
import { authenticateUserClient, clientProofOf, requireApp } from "./client_authentication.ts";
import { CONSUMERS_TENANT_ID } from "./clouds.ts";
import { type App, CONSUMERS } from "./declared.ts";
import { EntraError, tenantNotFound } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { tenantAt } from "./shapes/place.ts";

/** Path segments that stand for more than one tenant, or for that of Microsoft accounts. */
export const ALIASES: readonly string[] = ["common", "organizations", "consumers"];

/** The tenant segment of the path: an alias, or the id of a tenant. Throws AADSTS90002. */
export function pathSegment(exchange: Exchange): string {
  const named = exchange.route.tenant ?? "";
  const lower = named.toLowerCase();
  const isShared = exchange.route.shape === undefined;
  if (isShared && ALIASES.includes(lower)) return lower;
  if (isShared && lower === CONSUMERS_TENANT_ID) return "consumers";
  const tenant = tenantAt(exchange, named);
  if (!tenant) throw tenantNotFound(named, "invalid_request");
  return tenant.id;
}

function refuseAudience(app: App, segment: string): void {
  const named = `Application '${app.clientId}'(${app.name})`;
  if (segment === "consumers" && (app.audience === "single" || app.audience === "multi")) {
    const text =
      `${named} is configured for use by Azure Active Directory users only. Please do not use the ` +
      "/consumers endpoint to serve this request.";
    throw new EntraError(400, "invalid_request", 9002346, text);
  }
  if (segment !== "consumers" && app.audience === "personal") {
    const text =
      `${named} is configured for use by Microsoft Account users only. Please use the /consumers ` +
      "endpoint to serve this request.";
    throw new EntraError(400, "invalid_request", 9002331, text);
  }
  if (app.audience === "single" && ALIASES.includes(segment)) {
    const text =
      `${named} is not configured as a multi-tenant application. Usage of the /${segment} endpoint is ` +
      "not supported for such apps created after '10/15/2018'. Use a tenant-specific endpoint or configure the " +
      "application to be multi-tenant.";
    throw new EntraError(400, "invalid_request", 50194, text);
  }
}

/** The app that a request on this path names. Throws AADSTS700016, 50194, 9002331 or 9002346. */
export function appOnPath(exchange: Exchange, clientId: string): App {
  const { directory } = exchange.services;
  const segment = pathSegment(exchange);
  const tenant = directory.tenant(segment);
  const app = tenant ? requireApp(exchange, tenant, clientId) : directory.appAnywhere(clientId);
  if (!app) return requireApp(exchange, { ...CONSUMERS, id: "", name: segment }, clientId);
  refuseAudience(app, segment);
  return app;
}

/** The client of a token request for a user, authenticated if it is a confidential one. */
export async function authenticatedClient(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<App> {
  const proof = clientProofOf(exchange, form);
  const app = appOnPath(exchange, proof.clientId);
  await authenticateUserClient(exchange, app, proof);
  return app;
}
