/**
 * What a `scope` parameter of a user flow asks for.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/scopes-oidc | Scopes and permissions}
 */
import { GRAPH_APP_ID } from "./clouds.ts";
import { contextsOf, policiesOf } from "./claims_request.ts";
import type { App, Resource } from "./declared.ts";
import type { Directory } from "./directory.ts";
import { EntraError } from "./entra_error.ts";
import type { Dialect } from "./shapes/shape.ts";
import type { Json } from "./token_parts.ts";

/** What is asked of one resource. */
export interface ResourceScopes {
  readonly resource: Resource;
  /** The resource as the request wrote it; the audience of a version 1 token. */
  readonly audience: string;
  /** What stands before the names in the request; empty if they stand alone. */
  readonly prefix: string;
  /** The names, without the resource. */
  readonly names: readonly string[];
}

/** Scopes, read. */
export interface RequestedScopes {
  /** Those of OpenID Connect. */
  readonly oidc: readonly string[];
  /** Those of resources, in the order in which they were named. */
  readonly resources: readonly ResourceScopes[];
}

const OIDC_SCOPES: readonly string[] = ["openid", "profile", "email", "offline_access"];
const DEFAULT_NAME = ".default";

/** Splits a scope parameter. */
export function splitScopes(scope: string): readonly string[] {
  return [...new Set(scope.split(" ").filter((part) => part !== ""))];
}

function requireResource(directory: Directory, identifier: string): Resource {
  const resource = directory.resource(identifier);
  if (resource) return resource;
  const text =
    `The resource principal named ${identifier} was not found in the tenant. This can happen if the ` +
    "application has not been installed by the administrator of the tenant or consented to by any user in the " +
    "tenant. You might have sent your authentication request to the wrong tenant.";
  throw new EntraError(400, "invalid_resource", 500011, text);
}

/** `https://graph.microsoft.com/User.Read` is a resource and a name; `User.Read` is a name of Microsoft Graph. */
function readScope(directory: Directory, app: App, scope: string, dialect?: Dialect): ResourceScopes {
  if (dialect?.ownResource && scope.toLowerCase() === app.clientId) {
    return { resource: dialect.ownResource(app), audience: app.clientId, prefix: "", names: [] };
  }
  const slash = scope.lastIndexOf("/");
  const name = scope.slice(slash + 1);
  const audience = slash < 0 ? GRAPH_APP_ID : scope.slice(0, slash);
  if (name === "" || (slash >= 0 && audience === "") || (slash < 0 && dialect)) {
    const text =
      `The provided value for the input parameter 'scope' is not valid. The scope ${scope} is not valid.`;
    throw new EntraError(400, "invalid_scope", 70011, text);
  }
  const resource = requireResource(directory, audience);
  return { resource, audience, prefix: scope.slice(0, slash + 1), names: [name] };
}

function requireNamesExist(app: App, { resource, names }: ResourceScopes, dialect?: Dialect): void {
  const known = [DEFAULT_NAME, ...resource.scopes, ...dialect?.commonScopes ?? []];
  const unknown = names.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  const text =
    `The application '${app.name}' asked for scope '${unknown}' that doesn't exist on the resource ` +
    `'${resource.appId}'. Contact the app vendor.`;
  throw new EntraError(400, "invalid_client", 650053, text);
}

function requireDefaultAlone(entries: readonly ResourceScopes[], scopes: readonly string[]): void {
  const names = entries.flatMap((entry) => entry.names);
  if (!names.includes(DEFAULT_NAME) || names.length === 1) return;
  const text = `The provided value for the input parameter 'scope' is not valid. The scope ${
    scopes.join(" ")
  } is not valid. .default scope can't be combined with resource-specific scopes.`;
  throw new EntraError(400, "invalid_scope", 70011, text);
}

/** Reads scopes. Throws AADSTS500011, 650053 or 70011. */
export function readScopes(
  directory: Directory,
  app: App,
  scopes: readonly string[],
  dialect?: Dialect,
): RequestedScopes {
  const plain = [...OIDC_SCOPES, ...dialect?.plainScopes ?? []];
  const single = scopes.filter((scope) => !plain.includes(scope)).map((scope) =>
    readScope(directory, app, scope, dialect)
  );
  const resources = [...new Set(single.map(({ resource }) => resource))].map((resource) => {
    const same = single.filter((entry) => entry.resource === resource);
    const [{ audience = "", prefix = "" } = {}] = same;
    return { resource, audience, prefix, names: same.flatMap(({ names }) => names) };
  });
  for (const entry of resources) requireNamesExist(app, entry, dialect);
  requireDefaultAlone(resources, scopes);
  return { oidc: scopes.filter((scope) => plain.includes(scope)), resources };
}

/** Whether claims or resources ask for multi-factor authentication. */
export function asksForMfa(
  directory: Directory,
  app: App,
  scopes: readonly string[],
  claims: Json,
  dialect?: Dialect,
): boolean {
  if (contextsOf(claims).length > 0 || policiesOf(claims).length > 0) return true;
  const { resources } = readScopes(directory, app, scopes, dialect);
  const named = resources.map(({ resource }) => resource);
  const meant = named.length > 0 || dialect ? named : [requireResource(directory, GRAPH_APP_ID)];
  return meant.some(({ requiresMfa }) => requiresMfa);
}

/** The one resource that a token is for: Microsoft Graph if none is named. Throws AADSTS28000 if there are more. */
export function onlyResource(
  directory: Directory,
  app: App,
  requested: RequestedScopes,
  dialect?: Dialect,
): ResourceScopes {
  const [first, second] = requested.resources;
  if (second) {
    const text =
      "Provided value for the input parameter scope is not valid because it contains more than one " +
      "resource.";
    throw new EntraError(400, "invalid_scope", 28000, text);
  }
  if (first) return first;
  const meant = dialect?.defaultResource ?? dialect?.ownResource?.(app);
  const resource = meant ?? requireResource(directory, GRAPH_APP_ID);
  return { resource, audience: resource.appId, prefix: "", names: [] };
}

/** The names that are meant: `.default` stands for all that the app has. */
export function namesMeant(directory: Directory, app: App, { resource, names }: ResourceScopes): string[] {
  return names.flatMap((name) => name === DEFAULT_NAME ? directory.delegated(app, resource) : [name]);
}
