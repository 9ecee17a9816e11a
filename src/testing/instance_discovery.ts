/**
 * Instance discovery: which hosts are Microsoft's, and which of them are one cloud.
 *
 * @module
 */
import { cloudOfLoginHost, CLOUDS } from "./clouds.ts";
import { EntraError, malformedRequest } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { METADATA_HEADERS } from "./openid_configuration.ts";

const API_VERSIONS: readonly string[] = ["1.0", "1.1"];

function namedEndpoint(exchange: Exchange): URL {
  const named = exchange.incoming.url.searchParams.get("authorization_endpoint");
  if (!named || !URL.canParse(named)) throw malformedRequest();
  return new URL(named);
}

function requireKnown(exchange: Exchange, endpoint: URL): void {
  const own = endpoint.origin === exchange.origin;
  const known = endpoint.protocol === "https:" && cloudOfLoginHost(endpoint.host) !== undefined;
  if (!own && !known) throw new EntraError(400, "invalid_instance", 50049, "Unknown or invalid instance.");
}

function metadata(): unknown[] {
  return CLOUDS.map(({ hosts, preferredCache }) => ({
    preferred_network: hosts[0],
    preferred_cache: preferredCache,
    aliases: hosts,
  }));
}

/** Answers an instance discovery request; only api-version 1.1 lists the clouds. */
export function answerInstanceDiscovery(exchange: Exchange): Response {
  const version = exchange.incoming.url.searchParams.get("api-version") ?? "1.0";
  if (!API_VERSIONS.includes(version)) throw malformedRequest();
  const endpoint = namedEndpoint(exchange);
  requireKnown(exchange, endpoint);
  const [tenant = "common", ...rest] = endpoint.pathname.split("/").filter((segment) => segment !== "");
  const v2 = rest.includes("v2.0") ? "/v2.0" : "";
  const document = {
    tenant_discovery_endpoint: `${endpoint.origin}/${tenant}${v2}/.well-known/openid-configuration`,
    ...(version === "1.1" ? { "api-version": "1.1", metadata: metadata() } : {}),
  };
  return jsonResponse(exchange, document, 200, METADATA_HEADERS);
}
