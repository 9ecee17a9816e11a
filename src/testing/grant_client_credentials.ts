/**
 * The client credentials grant: a token for the app itself.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-client-creds-grant-flow | Client credentials flow}
 */
import { signAppToken } from "./access_token.ts";
import { authenticateApp, clientProofOf, requireApp } from "./client_authentication.ts";
import { capabilitiesOf, readClaims } from "./claims_request.ts";
import { CONSUMERS_TENANT_ID } from "./clouds.ts";
import type { Resource, Tenant } from "./declared.ts";
import { EntraError, tenantNotFound } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { isGuid } from "./guid.ts";
import { lifetimesOf } from "./lifetimes.ts";
import { tenantAt } from "./shapes/place.ts";
import type { Dialect } from "./shapes/shape.ts";
import { boundClaims } from "./token_binding.ts";

const DEFAULT_SUFFIX = "/.default";

/** The one tenant that the path names; an app has no account that an alias could be resolved with. */
function requireTenant(exchange: Exchange): Tenant {
  const named = exchange.route.tenant ?? "";
  const lower = exchange.route.shape ? "" : named.toLowerCase();
  if (lower === "common" || lower === "organizations") {
    const text =
      "No tenant-identifying information found in either the request or implied by any provided credentials.";
    throw new EntraError(400, "invalid_request", 50059, text);
  }
  if (lower === "consumers" || lower === CONSUMERS_TENANT_ID) {
    const text = "The grant type is not supported over the /common or /consumers endpoints. Please use the " +
      "/organizations or tenant-specific endpoint.";
    throw new EntraError(400, "invalid_request", 9001023, text);
  }
  const tenant = tenantAt(exchange, named);
  if (tenant) return tenant;
  if (isGuid(named) || named.includes(".")) throw tenantNotFound(named, "invalid_request");
  const text =
    `Specified tenant identifier '${named}' is neither a valid DNS name, nor a valid external domain.`;
  throw new EntraError(400, "invalid_request", 900023, text);
}

/** The resource that a scope names, as the request wrote it. */
function audienceOf(scope: string | undefined, dialect: Dialect | undefined): string {
  if (scope === undefined) {
    const text =
      "The required field 'scope' is missing from the credential. Ensure that you have all the necessary " +
      "parameters for the login request.";
    throw new EntraError(400, "invalid_request", 90014, text);
  }
  const scopes = scope.split(" ").filter((part) => part !== "");
  const [first = ""] = scopes;
  const common = dialect?.commonScopes.find((name) => first.endsWith(`/${name}`));
  if (scopes.length === 1 && common !== undefined) return first.slice(0, -common.length - 1);
  if (scopes.some((part) => !part.endsWith(DEFAULT_SUFFIX) || part === DEFAULT_SUFFIX) || first === "") {
    const text =
      `The provided value for scope ${scope} is not valid. Client credential flows must have a scope value ` +
      "with /.default suffixed to the resource identifier (application ID URI).";
    throw new EntraError(400, "invalid_scope", 1002012, text);
  }
  if (scopes.some((part) => part !== first)) {
    const text =
      "Provided value for the input parameter scope is not valid because it contains more than one " +
      `resource. Scope ${scope} is not valid.`;
    throw new EntraError(400, "invalid_scope", 28000, text);
  }
  return first.slice(0, -DEFAULT_SUFFIX.length);
}

function requireResource(exchange: Exchange, tenant: Tenant, audience: string): Resource {
  const resource = exchange.services.directory.resource(audience);
  if (resource) return resource;
  const text =
    `The resource principal named ${audience} was not found in the tenant named ${tenant.name}. This can ` +
    "happen if the application has not been installed by the administrator of the tenant or consented to by any user " +
    "in the tenant. You might have sent your authentication request to the wrong tenant.";
  throw new EntraError(400, "invalid_resource", 500011, text);
}

function extraClaimsOf(form: ReadonlyMap<string, string>): Record<string, unknown> {
  const capabilities = capabilitiesOf(readClaims(form.get("claims")));
  const fmiPath = form.get("fmi_path");
  return {
    ...(capabilities.length > 0 ? { xms_cc: capabilities } : {}),
    ...(fmiPath === undefined ? {} : { fmi_path: fmiPath }),
  };
}

/** Answers a client credentials request. */
export async function grantClientCredentials(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<Record<string, unknown>> {
  const { services, issuerOrigin } = exchange;
  const nowMs = services.clock.now();
  const proof = clientProofOf(exchange, form);
  const tenant = requireTenant(exchange);
  const app = requireApp(exchange, tenant, proof.clientId);
  await authenticateApp(exchange, app, proof);
  const { dialect } = exchange.route.shape ?? {};
  const audience = audienceOf(form.get("scope"), dialect);
  const resource = requireResource(exchange, tenant, audience);
  const extraClaims = dialect ? {} : { ...extraClaimsOf(form), ...boundClaims(exchange, resource) };
  const roles = services.directory.roles(app, resource);
  const lifetimeSeconds = services.tokenLifetimeSeconds;
  const input = { dialect, tenant, app, resource, audience, roles, issuerOrigin, nowMs };
  const access_token = await signAppToken(
    { ...input, lifetimeSeconds, extraClaims },
    await services.keys.current(),
  );
  const shaped = dialect?.appAnswer(audience, lifetimeSeconds, Math.floor(nowMs / 1000));
  return { token_type: exchange.binding.tokenType, ...lifetimesOf(services), access_token, ...shaped };
}
