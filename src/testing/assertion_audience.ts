/**
 * Whom a client assertion is for: the tenant that is asked, by any name of it.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials#claims-payload | Claims}
 */
import { cloudOfLoginHost } from "./clouds.ts";
import type { Exchange } from "./exchange.ts";

/** A token endpoint, or an issuer, of version 1 or 2. */
const PATH = /^\/([^/]+)(?:\/oauth2(?:\/v2\.0)?\/token|\/v2\.0|\/)?$/;

function urlOf(audience: unknown): URL | undefined {
  if (typeof audience !== "string" || !URL.canParse(audience)) return undefined;
  const url = new URL(audience);
  // What a parser would have to put right first is another text than any that is taken.
  const same = url.href === audience || url.href === `${audience}/`;
  return same && !/[?#@]/.test(audience) ? url : undefined;
}

/** Any host of the cloud that is asked, a regional one included; elsewhere the same origin. */
function isOwnOrigin({ origin, issuerOrigin }: Exchange, { protocol, host, origin: named }: URL): boolean {
  const cloud = cloudOfLoginHost(new URL(origin).host);
  if (cloud) {
    const issuesV1 = `${protocol}//${host}` === cloud.stsOrigin;
    return protocol === "https:" && (cloudOfLoginHost(host) === cloud || issuesV1);
  }
  return named === origin || named === issuerOrigin;
}

function isOwnTenant({ route, services }: Exchange, segment: string): boolean {
  const asked = (route.tenant ?? "").toLowerCase();
  const named = segment.toLowerCase();
  if (named === asked) return true;
  const tenant = services.directory.tenant(asked);
  return tenant !== undefined && services.directory.tenant(named) === tenant;
}

/** Whether an assertion for this audience is for the endpoint that is asked. */
export function isOwnAudience(exchange: Exchange, audience: unknown): boolean {
  const { shape } = exchange.route;
  if (shape?.dialect) {
    const named = String(audience).toLowerCase();
    return shape.dialect.audiences.some((own) => own.toLowerCase() === named);
  }
  const url = urlOf(audience);
  const segment = url && PATH.exec(url.pathname)?.[1];
  return url !== undefined && segment !== undefined && isOwnOrigin(exchange, url) &&
    isOwnTenant(exchange, segment);
}
