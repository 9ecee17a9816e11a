/**
 * Checks what both validators take, and puts their parts together.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { MetadataSource } from "../authority/metadata.ts";
import { GUID, isSharedTenant } from "../authority/tenant.ts";
import {
  BARE,
  check,
  clockOf,
  type Configuration,
  isFunction,
  perPurpose,
  requireWaitUntil,
  texts,
} from "../client/configuration.ts";
import { refuse } from "../errors/errors.ts";
import { JwksSource } from "../jwt/jwks_source.ts";
import { DocumentCache } from "../net/document_cache.ts";
import { allowInsecureLoopback } from "../net/endpoint.ts";
import { HttpClient } from "../net/http_client.ts";
import type { Clock } from "../runtime/clock.ts";
import { createEmit, type Emit } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { requireStore, type Store } from "../store/store.ts";
import { authorityOption } from "./authority_option.ts";
import type { TokenValidatorOptions } from "./options.ts";

/** Carries an application's parts in the options of a validator; no option of the public API. */
export const SHARED: unique symbol = Symbol("shared");

/** The parts of an application that a validator may use. */
export interface SharedParts {
  /** Its options, checked. */
  readonly configuration: Configuration;
  /** Where its authority's issuer comes from. */
  readonly metadata: MetadataSource;
  /** Where keys come from. */
  readonly jwks: JwksSource;
}

/** Options, and perhaps an application's parts. */
export interface SharingOptions extends TokenValidatorOptions {
  /** The parts. */
  readonly [SHARED]?: SharedParts | undefined;
}

/** What a validator is made of. */
export interface ValidatorParts {
  /** Whose tokens count. */
  readonly authority: Authority;
  /** Whether tokens speak Microsoft's dialect, and not that of any OpenID Connect issuer. */
  readonly isMicrosoft: boolean;
  /** The tenants whose tokens count, in lower case. */
  readonly allowedTenants: readonly string[] | "any";
  /** Where the authority's issuer comes from. */
  readonly metadata: MetadataSource;
  /** Where keys come from. */
  readonly jwks: JwksSource;
  /** Where the time is read. */
  readonly clock: Clock;
  /** By how many seconds clocks may differ. */
  readonly toleranceSeconds: number;
  /** Keeps background work alive. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** Options that say how something is sent or kept: with one of them, an application's own sources do not do. */
const OWN = [
  "authority",
  "oidcAuthority",
  "knownAuthorities",
  "httpCache",
  "httpCacheSecret",
  "fetch",
  "timeoutMs",
  "maxResponseBytes",
  "clock",
  "logger",
  "onEvent",
  allowInsecureLoopback,
] as const;

function requireTenants(
  given: readonly string[] | "any" | undefined,
  { kind, tenant }: Authority,
  isMicrosoft: boolean,
  shared: SharedParts | undefined,
): readonly string[] | "any" {
  if (!isMicrosoft && given !== undefined && given !== "any") {
    refuse("invalid_option", "allowedTenants", "an oidcAuthority has no tenants");
  }
  const listed = given === "any" || given === undefined ? [] : given;
  const guids = texts("allowedTenants", listed, new RegExp(`^${GUID}$`, "i"), 'tenants\' GUIDs, or "any"');
  if (given !== undefined && given !== "any") {
    return guids.length > 0
      ? guids.map((guid) => guid.toLowerCase())
      : refuse("invalid_option", "allowedTenants", "it is empty: name a tenant");
  }
  const inherited = shared?.configuration.allowedTenants ?? "any";
  if (given === undefined && inherited !== "any") return inherited.map((guid) => guid.toLowerCase());
  if (given === undefined && kind === "aad" && isSharedTenant(tenant)) {
    const why = `${tenant} stands for many tenants: list those whose tokens count, or say "any"`;
    refuse("invalid_option", "allowedTenants", why);
  }
  return "any";
}

/** Everybody who listens. */
function emitOf({ logger, onEvent, [SHARED]: shared }: SharingOptions): Emit | undefined {
  check("logger", logger, (given) => Object(given) === given, "it must be an object such as console");
  check("onEvent", onEvent, isFunction, BARE);
  return createEmit(onEvent, logger) ?? shared?.configuration.emit;
}

/** Where documents are kept. */
function documentsOf(
  { httpCache, httpCacheSecret, [SHARED]: shared }: SharingOptions,
  { base }: Authority,
  clock: Clock,
  emit: Emit | undefined,
): DocumentCache {
  const isSecret = (text: string): boolean => typeof text === "string" && text.length >= 32;
  const why = "it must be 32 random bytes as text: openssl rand -base64 32";
  const secret = check("httpCacheSecret", httpCacheSecret, isSecret, why);
  const guard = (store: Store): GuardedStore =>
    new GuardedStore(store, "httpCache", clock, (error) => emit?.({ type: "cache_failed", error }));
  const store = httpCache === undefined
    ? shared?.configuration.httpStore ?? guard(new MemoryStore({ clock }))
    : guard(requireStore(httpCache, "httpCache"));
  return new DocumentCache(store, clock, secret, base);
}

/** Sources of a validator's own. */
function sourcesOf(
  options: SharingOptions,
  authority: Authority,
  clock: Clock,
  insecureLoopback: boolean,
): Pick<ValidatorParts, "metadata" | "jwks"> {
  const { timeoutMs: deadlines, maxResponseBytes: caps, fetch: given } = options;
  const own = options[SHARED]?.configuration;
  const emit = emitOf(options);
  const documents = documentsOf(options, authority, clock, emit);
  const timeoutMs = perPurpose("timeoutMs", deadlines ?? own?.timeoutMs, 5_000, 5_000);
  const maxBytes = perPurpose("maxResponseBytes", caps ?? own?.maxBytes, 2 ** 18, 2 ** 18);
  const fetch = check("fetch", given, isFunction, BARE) ?? own?.fetch;
  const http = new HttpClient({ fetch, clock, emit, timeoutMs, maxBytes });
  const needs = { clock, emit, timeoutMs, insecureLoopback };
  return {
    metadata: new MetadataSource(authority, http, documents, needs),
    jwks: new JwksSource(http, documents, needs),
  };
}

/**
 * Checks what both validators take. Nothing is sent or read.
 *
 * @param options The options, an application's parts perhaps among them.
 * @returns The parts.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function validatorParts(options: SharingOptions): ValidatorParts {
  const shared = options[SHARED];
  const own = shared?.configuration;
  const insecureLoopback = options[allowInsecureLoopback] === true || own?.insecureLoopback === true;
  const named = authorityOption(options, insecureLoopback);
  const authority = named ?? own?.authority ??
    refuse("invalid_authority", "authority", "it is missing: give the issuer's, or oidcAuthority");
  const isMicrosoft = authority.type !== "oidc";
  const clock = clockOf({ clock: options.clock ?? own?.clock });
  const { instanceDiscovery, known } = own ?? {};
  // Only the application's sources know whom to ask before its host, and what not to ask for.
  const isGuarded = !named && (instanceDiscovery ?? known?.provider ?? known?.keys) !== undefined;
  const sources = shared && (isGuarded || OWN.every((name) => options[name] === undefined))
    ? shared
    : sourcesOf(options, authority, clock, insecureLoopback);
  const toleranceSeconds = check(
    "clockToleranceSeconds",
    options.clockToleranceSeconds,
    (given) => typeof given === "number" && given >= 0 && given <= 300,
    "it must be a number from 0 to 300",
  );
  return {
    authority,
    isMicrosoft,
    allowedTenants: requireTenants(
      options.allowedTenants,
      authority,
      isMicrosoft,
      named ? undefined : shared,
    ),
    clock,
    toleranceSeconds: toleranceSeconds ?? own?.clockToleranceSeconds ?? 120,
    waitUntil: requireWaitUntil(options.waitUntil) ?? own?.waitUntil,
    metadata: sources.metadata,
    jwks: sources.jwks,
  };
}
