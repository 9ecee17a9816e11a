/**
 * Where Microsoft Graph is, in each cloud.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/graph/deployments | National cloud deployments}
 */

import { cloudOf } from "../authority/known_clouds.ts";
import { refuse } from "../errors/errors.ts";

/** What a cloud's tokens are good for, where that is not graph.microsoft.com. */
const HOSTS: Readonly<Record<string, string>> = {
  "login.microsoftonline.us": "graph.microsoft.us dod-graph.microsoft.us",
  "login.partner.microsoftonline.cn": "microsoftgraph.chinacloudapi.cn",
  "login.microsoftonline.de": "graph.microsoft.de",
  "login.sovcloud-identity.fr": "graph.svc.sovcloud.fr",
  "login.sovcloud-identity.de": "graph.svc.sovcloud.de",
  "login.sovcloud-identity.sg": "graph.svc.sovcloud.sg",
};

/**
 * The hosts of Microsoft Graph in a cloud.
 *
 * @param environment The authority's host; the public cloud's where absent.
 * @returns The hosts, the common one first.
 * @throws {ClientConfigurationError} `invalid_option` for an authority that is not Microsoft's.
 */
export function graphHostsOf(environment = "login.microsoftonline.com"): readonly string[] {
  const [host] = cloudOf(environment) ?? [];
  if (host === undefined) {
    refuse("invalid_option", "hosts", "the authority is no Microsoft cloud: say where its Graph is");
  }
  return (HOSTS[host] ?? "graph.microsoft.com").split(" ");
}

/**
 * Checks the `hosts` option.
 *
 * @param hosts Host names.
 * @returns The same in lower case.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireHosts(hosts: readonly string[]): readonly string[] {
  const isHost = (host: unknown): boolean =>
    typeof host === "string" && /^[a-z0-9-]+(?:\.[a-z0-9-]+)+$/i.test(host);
  if (Array.isArray(hosts) && hosts.length > 0 && hosts.every(isHost)) {
    return hosts.map((host: string) => host.toLowerCase());
  }
  refuse("invalid_option", "hosts", 'it must be a list of host names, such as ["graph.microsoft.com"]');
}

/**
 * The host of a URL, if a token may go there.
 *
 * @param url The URL.
 * @param hosts Where tokens may go.
 * @returns The host; `undefined` for any other, for a port of its own, and for a URL with a user name.
 * @throws {ClientConfigurationError} `invalid_request` for one of the hosts without TLS.
 */
export function tokenHostOf(url: string, hosts: readonly string[]): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { protocol, host, username, password } = new URL(url);
  if (!hosts.includes(host) || username + password !== "") return undefined;
  if (protocol !== "https:") refuse("invalid_request", "url", "a token goes over https alone");
  return host;
}
