/**
 * Finds out which shape a request is for: by its host, or on loopback by its path.
 *
 * @module
 */
import { isMicrosoftHost } from "../clouds.ts";
import type { Tenant } from "../declared.ts";
import type { Directory } from "../directory.ts";
import { decodedSegment, loginRoute, type Route, segmentsOf } from "../router.ts";
import { ADFS_SEGMENT, adfsShape } from "./adfs.ts";
import { b2cShape } from "./b2c.ts";
import { externalShape } from "./external.ts";

const ADFS_ROUTES: ReadonlyMap<string, Route["kind"]> = new Map<string, Route["kind"]>([
  [".well-known/openid-configuration", "discovery"],
  ["discovery/keys", "jwks"],
  ["oauth2/token", "token"],
  ["oauth2/authorize", "authorize"],
  ["oauth2/devicecode", "devicecode"],
  ["oauth2/deviceauth", "device"],
  ["oauth2/logout", "logout"],
]);
const B2C_KINDS: readonly Route["kind"][] = ["discovery", "jwks", "token", "authorize", "logout"];

/** Where a request arrived. */
interface Place {
  readonly directory: Directory;
  readonly origin: string;
  readonly segments: readonly string[];
  /** The tenant whose host it is; absent on loopback, where the path tells. */
  readonly owner: Tenant | undefined;
  /** The origin that issuers are written with, if that is not that of the request. */
  readonly issuerOrigin: string | undefined;
}

function adfsRoute({ directory, origin, segments, owner, issuerOrigin }: Place): Route | undefined {
  const [first = "", ...rest] = segments;
  const tenant = owner ?? directory.firstOf("adfs");
  if (tenant?.kind !== "adfs" || first.toLowerCase() !== ADFS_SEGMENT) return undefined;
  const kind = ADFS_ROUTES.get(rest.join("/"));
  return kind && { kind, tenant: tenant.id, shape: adfsShape(tenant, origin, issuerOrigin) };
}

function b2cRoute({ directory, origin, segments, owner, issuerOrigin }: Place): Route | undefined {
  const tfp = segments[0]?.toLowerCase() === "tfp";
  const [named = "", policyNamed = "", ...rest] = segments.slice(tfp ? 1 : 0);
  const segment = decodedSegment(named);
  const tenant = directory.tenant(segment);
  if (tenant?.kind !== "b2c" || (owner && owner !== tenant)) return undefined;
  const policy = tenant.policies.find(({ id }) => id === decodedSegment(policyNamed).toLowerCase());
  const route = loginRoute(rest.join("/"));
  if (!policy || !route || route.version !== 2 || !B2C_KINDS.includes(route.kind)) return undefined;
  const shape = b2cShape(tenant, policy, { origin, segment, tfp }, issuerOrigin);
  return { ...route, tenant: segment, shape };
}

/** On its own host an external tenant need not be named. */
function externalRoute({ directory, origin, segments, owner }: Place): Route | undefined {
  const whole = owner && loginRoute(segments.join("/"));
  const [first = "", ...rest] = segments;
  const segment = whole ? owner.domains[0] ?? owner.id : decodedSegment(first);
  const tenant = owner ?? directory.tenant(segment);
  const route = whole ?? loginRoute(rest.join("/"));
  if (tenant?.kind !== "external" || !route) return undefined;
  return { ...route, tenant: segment, shape: externalShape(tenant, segment, origin, owner !== undefined) };
}

/** The route of a request that is for a shape; absent if it is for a workforce, or for nobody. */
export function shapedRoute(
  directory: Directory,
  url: URL,
  issuerOrigin: string | undefined,
): Route | undefined {
  const owner = directory.tenantAtHost(url.host);
  if (!owner && isMicrosoftHost(url.host)) return undefined;
  const place: Place = {
    directory,
    origin: url.origin,
    segments: segmentsOf(url.pathname),
    owner,
    issuerOrigin: owner ? undefined : issuerOrigin,
  };
  const found = adfsRoute(place) ?? b2cRoute(place) ?? externalRoute(place);
  return found ?? (owner ? { kind: "unknown" } : undefined);
}
