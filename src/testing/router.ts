/**
 * Which endpoint a path names.
 *
 * @module
 */

/** The endpoints that faults can be set on. */
export type EndpointKind =
  | "token"
  | "discovery"
  | "instance"
  | "jwks"
  | "api"
  | "authorize"
  | "par"
  | "devicecode"
  | "device"
  | "logout"
  | "userinfo";

/** All of them. */
export const ENDPOINT_KINDS: readonly EndpointKind[] = [
  "token",
  "discovery",
  "instance",
  "jwks",
  "api",
  "authorize",
  "par",
  "devicecode",
  "device",
  "logout",
  "userinfo",
];

/** What a request was for: an endpoint, no endpoint, or a host that is not Microsoft's. */
export type RequestKind = EndpointKind | "unknown" | "foreign";

/** The two surfaces that real Microsoft hosts split between them. */
export type Surface = "login" | "graph";

/** A path, read. */
export interface Route {
  readonly kind: Exclude<RequestKind, "foreign">;
  /** The tenant segment of a login path. */
  readonly tenant?: string;
  /** The endpoint's version; version 1 paths have none. */
  readonly version?: 1 | 2;
}

const LOGIN_ROUTES: ReadonlyMap<string, Omit<Route, "tenant">> = new Map<string, Omit<Route, "tenant">>([
  [".well-known/openid-configuration", { kind: "discovery", version: 1 }],
  ["v2.0/.well-known/openid-configuration", { kind: "discovery", version: 2 }],
  ["discovery/keys", { kind: "jwks", version: 1 }],
  ["discovery/v2.0/keys", { kind: "jwks", version: 2 }],
  ["oauth2/v2.0/token", { kind: "token", version: 2 }],
  ["oauth2/v2.0/authorize", { kind: "authorize", version: 2 }],
  ["oauth2/v2.0/par", { kind: "par", version: 2 }],
  ["oauth2/v2.0/devicecode", { kind: "devicecode", version: 2 }],
  ["oauth2/v2.0/logout", { kind: "logout", version: 2 }],
  ["oauth2/deviceauth", { kind: "device" }],
]);
const GRAPH_ROUTES: ReadonlyMap<string, Route> = new Map<string, Route>([
  ["v1.0/organization", { kind: "api" }],
  ["v1.0/me", { kind: "api" }],
  ["oidc/userinfo", { kind: "userinfo" }],
]);

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** Reads a path. Doubled and trailing slashes do not matter, as at Entra. */
export function routeOf(pathname: string, surfaces: readonly Surface[]): Route {
  const segments = pathname.split("/").filter((segment) => segment !== "");
  const path = segments.join("/");
  const graph = surfaces.includes("graph") ? GRAPH_ROUTES.get(path) : undefined;
  if (graph) return graph;
  if (!surfaces.includes("login")) return { kind: "unknown" };
  if (path === "common/discovery/instance") return { kind: "instance" };
  const [tenant, ...rest] = segments;
  const route = LOGIN_ROUTES.get(rest.join("/"));
  return route && tenant !== undefined ? { ...route, tenant: decoded(tenant) } : { kind: "unknown" };
}
