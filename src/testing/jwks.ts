/**
 * The key set that tokens are verified with.
 *
 * @module
 */
import { cloudOfLoginHost, issuersOf, PUBLIC_CLOUD } from "./clouds.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { METADATA_HEADERS, pathTenantOf } from "./openid_configuration.ts";

/** Answers a request for the keys; version 2 names the issuer that each key is for. */
export async function answerJwks(exchange: Exchange): Promise<Response> {
  const { issuerTenant } = pathTenantOf(exchange);
  const issuer = issuersOf(exchange.issuerOrigin, issuerTenant).v2;
  const cloud = cloudOfLoginHost(new URL(exchange.origin).host) ?? PUBLIC_CLOUD;
  const { dialect } = exchange.route.shape ?? {};
  const all = await exchange.services.keys.all();
  if (dialect) return jsonResponse(exchange, { keys: all.map(dialect.jwk) }, 200, METADATA_HEADERS);
  const keys = all.map(({ kid, n, e }) => ({
    kty: "RSA",
    use: "sig",
    kid,
    x5t: kid,
    n,
    e,
    ...(exchange.route.version === 2 ? { cloud_instance_name: cloud.instanceName, issuer } : {}),
  }));
  return jsonResponse(exchange, { keys }, 200, METADATA_HEADERS);
}
