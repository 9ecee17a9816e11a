/**
 * Names an API and its authority for callers that know nothing of either, RFC 9728.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { isLoopback } from "../net/endpoint.ts";
import type { ProtectedResource } from "./options.ts";

const WELL_KNOWN = "/.well-known/oauth-protected-resource";

/** What is published about an API. */
export interface ResourceDocument {
  /** The path that it is found at. */
  readonly path: string;
  /** The URL that challenges name, RFC 9728 section 5.1. */
  readonly url: string;
  /** The document, JSON text. */
  readonly body: string;
}

/** Refuses what is no https URL; http is for loopback. */
function requireUrl(option: string, value: unknown): URL {
  const text = typeof value === "string" ? value : (value as URL | null | undefined)?.href ?? "";
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSafe = url?.protocol === "https:" || (url?.protocol === "http:" && isLoopback(url));
  if (url !== undefined && isSafe && url.username + url.password === "" && !/[?#\s\\]/.test(text)) return url;
  return refuse("invalid_option", option, "it must be an https URL without a query, or http on localhost");
}

function texts(option: string, value: unknown, fits: (text: string) => unknown): string[] | undefined {
  if (value === undefined) return undefined;
  const isList = Array.isArray(value) && value.every((text) => typeof text === "string" && text !== "");
  if (!isList) refuse("invalid_option", option, "it must be a list of texts");
  value.forEach(fits);
  return [...value];
}

/** The identifier as it was given: callers compare it letter by letter, RFC 9728 section 3.3. */
function identifierOf({ resource }: ProtectedResource, url: URL): string {
  if (typeof resource !== "string") return url.pathname === "/" ? url.origin : url.href;
  // What the parser mends would be another text for the caller.
  return resource === url.href || resource === url.origin
    ? resource
    : refuse("invalid_option", "protectedResource.resource", `write it as ${url.href}`);
}

/**
 * Makes the document.
 *
 * @param given What the options say.
 * @param issuer The authority's issuer.
 * @returns The document, ready to be sent.
 * @throws {ClientConfigurationError} that names the member.
 */
export function resourceDocument(given: ProtectedResource, issuer: string): ResourceDocument {
  const named = (name: keyof ProtectedResource): string => `protectedResource.${name}`;
  const url = requireUrl(named("resource"), given?.resource);
  const { resourceName, resourceDocumentation: page } = given;
  if (resourceName !== undefined && typeof resourceName !== "string") {
    refuse("invalid_option", named("resourceName"), "it must be a text");
  }
  const isScope = (scope: string): unknown =>
    /^[\x21\x23-\x5b\x5d-\x7e]+$/.test(scope) ||
    refuse("invalid_option", named("scopesSupported"), "each must be one scope");
  const servers = named("authorizationServers");
  // Section 3.1: between the host and the path, whose slash goes where nothing follows it.
  const path = WELL_KNOWN + (url.pathname === "/" ? "" : url.pathname);
  const document = {
    resource: identifierOf(given, url),
    authorization_servers: texts(servers, given.authorizationServers, (text) => requireUrl(servers, text)) ??
      [issuer],
    scopes_supported: texts(named("scopesSupported"), given.scopesSupported, isScope),
    bearer_methods_supported: ["header"],
    resource_name: resourceName,
    resource_documentation: page === undefined
      ? undefined
      : requireUrl(named("resourceDocumentation"), page).href,
  };
  return { path, url: url.origin + path, body: JSON.stringify(document) };
}

/**
 * Answers a request to the document's path.
 *
 * @param document The document.
 * @param request The request.
 * @returns The answer; `undefined` for other paths.
 */
export function answerResource(document: ResourceDocument, request: Request): Response | undefined {
  // As it was sent: a server that decodes paths does so for its own routes.
  if (new URL(request.url).pathname !== document.path) return undefined;
  const { method } = request;
  const headers = {
    "access-control-allow-origin": "*",
    "access-control-allow-methods": "GET, HEAD",
    // Callers in browsers send their protocol version along.
    "access-control-allow-headers": "*",
  };
  if (method === "OPTIONS") return new Response(null, { status: 204, headers });
  if (method !== "GET" && method !== "HEAD") {
    return new Response(null, { status: 405, headers: { ...headers, allow: "GET, HEAD, OPTIONS" } });
  }
  return new Response(method === "HEAD" ? null : document.body, {
    headers: {
      ...headers,
      "content-type": "application/json",
      "cache-control": "public, max-age=300",
      "x-content-type-options": "nosniff",
    },
  });
}
