/**
 * Which endpoint a path names.
 *
 * @module
 */

import type { Shape } from "./shapes/shape.ts";

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
  /** What is played there; absent for tenants of a workforce. */
  readonly shape?: Shape;
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

/** A segment without its escapes; as it is if they are wrong. */
export function decodedSegment(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}

/** The segments of a path; doubled and trailing slashes do not matter. */
export function segmentsOf(pathname: string): readonly string[] {
  return pathname.split("/").filter((segment) => segment !== "");
}

/** What stands behind a tenant. */
export function loginRoute(path: string): Omit<Route, "tenant"> | undefined {
  return LOGIN_ROUTES.get(path);
}

/** Reads a path. Doubled and trailing slashes do not matter, as at Entra. */
export function routeOf(pathname: string, surfaces: readonly Surface[]): Route {
  const segments = segmentsOf(pathname);
  const path = segments.join("/");
  const graph = surfaces.includes("graph") ? GRAPH_ROUTES.get(path) : undefined;
  if (graph) return graph;
  if (!surfaces.includes("login")) return { kind: "unknown" };
  if (path === "common/discovery/instance") return { kind: "instance" };
  const [tenant, ...rest] = segments;
  const route = loginRoute(rest.join("/"));
  return route && tenant !== undefined ? { ...route, tenant: decodedSegment(tenant) } : { kind: "unknown" };
}
