/**
 * Hosts that instance discovery speaks for: those of an injected answer, and those that it will be asked about.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { isAddress, isLoopback } from "../net/endpoint.ts";
import { workforceAuthority } from "./any_authority.ts";
import { type Authority, type AuthorityOption, joinParts, requireUrl } from "./authority.ts";
import { isB2cHost } from "./b2c.ts";
import { isDstsHost } from "./dsts.ts";
import { isExternalIdHost } from "./external_id.ts";
import { cloudOf } from "./known_clouds.ts";

const MICROSOFT = "https://login.microsoftonline.com/common/discovery/instance";
const INJECTED = "metadata.instanceDiscovery";
const HOST = /^[a-z\d][a-z\d.-]{0,252}(?::\d{1,5})?$/i;

/** The options that say which hosts are trusted. */
export interface InstanceOptions {
  /** The authority. */
  readonly authority?: AuthorityOption | undefined;
  /** Whether another host than those that are known is refused. */
  readonly validateAuthority?: boolean | undefined;
  /** Who is asked about such a host. */
  readonly instanceDiscovery?: boolean | string | URL | undefined;
  /** Documents that are known beforehand. */
  readonly metadata?: { readonly instanceDiscovery?: unknown } | undefined;
}

/** What the options say of the authority's host. */
export interface InstanceTrust {
  /** Hosts that count as if they were listed in `knownAuthorities`. */
  readonly hosts: readonly string[];
  /** The authority, where instance discovery speaks for its host. */
  readonly authority?: Authority | undefined;
  /** Who has to be asked before anything is sent to that host. */
  readonly instanceDiscovery?: string | undefined;
}

/** One cloud of an injected answer. */
interface Instance {
  readonly network: string;
  readonly cache: string;
  readonly aliases: readonly string[];
}

/**
 * Passes an injected document.
 *
 * @param value What was given.
 * @param option Its name, for the error.
 * @returns The same.
 * @throws {ClientConfigurationError} `invalid_option` for anything but an object.
 */
export function requireDocument(value: unknown, option: string): Readonly<Record<string, unknown>> {
  if (typeof value === "string") refuse("invalid_option", option, "it is text: pass JSON.parse(text)");
  return Object(value) === value && !Array.isArray(value)
    ? value as Record<string, unknown>
    : refuse("invalid_option", option, "it must be the document, as an object");
}

function readInstances(document: unknown): readonly Instance[] {
  const { metadata } = requireDocument(document, INJECTED);
  const fail = (): never =>
    refuse(
      "invalid_option",
      INJECTED,
      "it must be { metadata: [{ preferred_network, preferred_cache, aliases }] }, with hosts",
    );
  const host = (value: unknown): string => {
    const href = typeof value === "string" && HOST.test(value) ? `https://${value}` : "";
    return URL.canParse(href) ? new URL(href).host : fail();
  };
  const list = (value: unknown): unknown[] => Array.isArray(value) ? value : fail();
  return list(metadata).map((entry) => {
    const { preferred_network, preferred_cache, aliases } = Object(entry);
    const network = host(preferred_network);
    const cache = host(preferred_cache);
    // Tokens of Microsoft's are kept under its names, and go to nobody else.
    if (isMicrosoft(cache) && !cloudOf(cache)?.includes(network)) fail();
    return { network, cache, aliases: list(aliases).map(host) };
  });
}

function endpointOf(value: unknown, insecureLoopback: boolean): string | undefined {
  if (value === undefined || value === false) return undefined;
  return value === true ? MICROSOFT : requireUrl(value, "instanceDiscovery", insecureLoopback).href;
}

function isMicrosoft(host: string): boolean {
  return cloudOf(host) !== undefined || isB2cHost(host) || isExternalIdHost(host) || isDstsHost(host);
}

/**
 * Finds out what the options say of the authority's host.
 *
 * Microsoft's hosts are built in: nothing is asked about them, and no document changes what is known of them.
 *
 * @param options The options.
 * @param knownAuthorities The hosts that are known, in lower case.
 * @param insecureLoopback Whether `http:` is allowed on loopback; it makes loopback hosts known, too.
 * @returns What they say; no authority where nothing else than usual counts.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function instanceTrust(
  { authority, validateAuthority, instanceDiscovery, metadata }: InstanceOptions,
  knownAuthorities: readonly string[],
  insecureLoopback: boolean,
): InstanceTrust {
  if (validateAuthority !== undefined && typeof validateAuthority !== "boolean") {
    refuse("invalid_option", "validateAuthority", "it must be true or false");
  }
  const injected = metadata?.instanceDiscovery;
  const instances = injected === undefined ? [] : readInstances(injected);
  const endpoint = endpointOf(instanceDiscovery, insecureLoopback);
  if (authority === undefined) return { hosts: [] };
  const url = requireUrl(joinParts(authority), "authority", insecureLoopback);
  const { host } = url;
  if (isMicrosoft(host)) return { hosts: [] };
  const instance = instances.find(({ aliases }) => aliases.includes(host));
  if (instance !== undefined) {
    const href = `${url.protocol}//${instance.network}${url.pathname}`;
    const network = requireUrl(href, INJECTED, insecureLoopback);
    if (isAddress(network) && !isAddress(url)) {
      refuse("invalid_option", INJECTED, `${host} is a name, and ${network.host} an address`);
    }
    const found = workforceAuthority(network);
    // One name for all aliases: so they share their tokens.
    return { hosts: [], authority: found && { ...found, environment: instance.cache } };
  }
  if (knownAuthorities.includes(host) || (insecureLoopback && isLoopback(url))) return { hosts: [] };
  if (validateAuthority === false) return { hosts: [host], authority: workforceAuthority(url) };
  if (endpoint === undefined) return { hosts: [] };
  return { hosts: [], authority: workforceAuthority(url), instanceDiscovery: endpoint };
}
