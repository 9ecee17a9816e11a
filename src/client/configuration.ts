/**
 * Checks the options; the only place where defaults live.
 *
 * @module
 */

import { type Authority, parseAuthority, parseOidcAuthority } from "../authority/authority.ts";
import { type CacheCore, openerOf } from "../cache/cache_core.ts";
import { TokenIndex } from "../cache/token_index.ts";
import { type CacheError, refuse } from "../errors/errors.ts";
import { allowInsecureLoopback } from "../net/endpoint.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { createEmit, type Emit } from "../runtime/events.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { requireStore } from "../store/store.ts";
import { Telemetry } from "../token/telemetry.ts";
import type { ClientApplicationOptions, PerPurpose } from "./options.ts";

/** Options, checked and complete. */
export interface Configuration {
  /** The client id, as it was given. */
  readonly clientId: string;
  /** Who issues the tokens. */
  readonly authority: Authority;
  /** The tokens. */
  readonly cache: CacheCore;
  /** Where throttling is kept. */
  readonly httpStore: GuardedStore;
  /** The fetch, if one was given. */
  readonly fetch: FetchFunction | undefined;
  /** The deadline of a token request, in milliseconds. */
  readonly tokenTimeoutMs: number;
  /** The deadline of a discovery document, in milliseconds. */
  readonly metadataTimeoutMs: number;
  /** The most bytes of a token answer. */
  readonly tokenMaxBytes: number;
  /** The most bytes of a discovery document. */
  readonly metadataMaxBytes: number;
  /** Capabilities to declare. */
  readonly clientCapabilities: readonly string[];
  /** What Microsoft is told, if anything is. */
  readonly telemetry: Telemetry | undefined;
  /** The time. */
  readonly clock: Clock;
  /** Everybody who listens. */
  readonly emit: Emit | undefined;
  /** Keeps background work alive. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
  /** Whether `http:` on loopback is allowed. */
  readonly insecureLoopback: boolean;
}

/** Passes a value that is absent or fits, and refuses another. */
function check<T>(value: T, fits: (value: NonNullable<T>) => boolean, option: string, why: string): T {
  if (value !== undefined && (value === null || !fits(value as NonNullable<T>))) {
    refuse("invalid_option", option, why);
  }
  return value;
}

/** Deadlines and caps: whole numbers that a timer takes. */
function numberFor(
  option: "timeoutMs" | "maxResponseBytes",
  value: unknown,
  purpose: keyof PerPurpose,
  preset: number,
): number {
  const given = typeof value === "object"
    ? (value as PerPurpose | null)?.[purpose]
    : value as number | undefined;
  const fits = (number: number): boolean => Number.isInteger(number) && number > 0 && number <= 0x7fffffff;
  return check(
    given,
    fits,
    option,
    "it must be a whole number from 1 to 2147483647, or { token, metadata }",
  ) ?? preset;
}

function stringsOf(
  value: readonly string[] | undefined,
  option: string,
  pattern: RegExp,
  what: string,
): readonly string[] {
  const fits = (list: readonly string[]): boolean =>
    Array.isArray(list) && list.every((item) => typeof item === "string" && pattern.test(item));
  return check(value, fits, option, `it must be an array of ${what}`) ?? [];
}

/** Header values must not smuggle in another header. */
function headerText(value: string | undefined, option: string): string | undefined {
  return check(
    value,
    (text) => /^[\x20-\x7e]{1,128}$/.test(text),
    option,
    "it must be at most 128 printable characters",
  );
}

/**
 * Checks `waitUntil` and protects it.
 *
 * @param value The option or request member.
 * @returns The same, so that a failure names the mistake.
 */
export function requireWaitUntil(
  value: WaitUntil | "detached" | undefined,
): WaitUntil | "detached" | undefined {
  if (value === undefined || value === "detached") return value;
  const why =
    'it must be (promise) => ctx.waitUntil(promise), or "detached"; the bare method loses its context';
  check(value, (given) => typeof given === "function", "waitUntil", why);
  return (promise) => {
    try {
      value(promise);
    } catch {
      refuse("invalid_option", "waitUntil", why);
    }
  };
}

function authorityOf(options: ClientApplicationOptions, insecureLoopback: boolean): Authority {
  const { authority, oidcAuthority, knownAuthorities } = options;
  const hosts = stringsOf(
    knownAuthorities,
    "knownAuthorities",
    /^[\w.-]+(?::\d+)?$/,
    "hosts, such as login.example.com",
  );
  if (oidcAuthority === undefined) {
    const common = "https://login.microsoftonline.com/common";
    return parseAuthority(authority ?? common, hosts.map((host) => host.toLowerCase()), insecureLoopback);
  }
  if (authority === undefined) return parseOidcAuthority(oidcAuthority, insecureLoopback);
  refuse("conflicting_authority", "oidcAuthority", "authority is given, too. Keep authority for Entra alone");
}

function cacheOf(
  { tokenCache }: ClientApplicationOptions,
  clock: Clock,
  onFailure: (error: CacheError) => void,
): CacheCore {
  if (tokenCache !== undefined) {
    const open = openerOf(Object(tokenCache));
    return open?.(clock, onFailure) ??
      refuse(
        "invalid_option",
        "tokenCache",
        "it must be a TokenCache; a store goes into new TokenCache({ store })",
      );
  }
  const nothing = (): Promise<void> => Promise.resolve();
  return { index: new TokenIndex(), stored: false, load: nothing, save: nothing, forget: nothing };
}

/**
 * Checks the options of an application. Nothing is sent and nothing is read.
 *
 * @param options The options.
 * @returns The configuration.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function resolveConfiguration(options: ClientApplicationOptions): Configuration {
  const { clientId, httpCache, timeoutMs, maxResponseBytes } = check(
    options ?? null,
    (given) => typeof given === "object",
    "options",
    "pass an object such as { clientId, authority }",
  );
  const isClientId = typeof clientId === "string" && /^[\x21-\x7e]{1,256}$/.test(clientId);
  if (!isClientId) {
    refuse("invalid_client_id", "clientId", "it must be the app registration's Application (client) ID");
  }
  const insecureLoopback = options[allowInsecureLoopback] === true;
  const isFunction = (given: unknown): boolean => typeof given === "function";
  const isClock = (given: Clock): boolean =>
    [given.now, given.setTimeout, given.clearTimeout].every(isFunction);
  const clock = check(options.clock, isClock, "clock", "it must have now, setTimeout and clearTimeout") ??
    systemClock;
  const emit = createEmit(
    check(options.onEvent, isFunction, "onEvent", "it must be a function"),
    options.logger,
  );
  const onFailure = (error: CacheError): void =>
    emit?.({ type: "cache_failed", error, correlationId: undefined });
  const authority = authorityOf(options, insecureLoopback);
  const appName = headerText(options.appName, "appName");
  const appVersion = headerText(options.appVersion, "appVersion");
  const store = httpCache === undefined ? new MemoryStore({ clock }) : requireStore(httpCache, "httpCache");
  return {
    clientId,
    authority,
    cache: cacheOf(options, clock, onFailure),
    httpStore: new GuardedStore(store, "httpCache", clock, onFailure),
    fetch: check(options.fetch, isFunction, "fetch", "it must be a function"),
    tokenTimeoutMs: numberFor("timeoutMs", timeoutMs, "token", 10_000),
    metadataTimeoutMs: numberFor("timeoutMs", timeoutMs, "metadata", 5_000),
    tokenMaxBytes: numberFor("maxResponseBytes", maxResponseBytes, "token", 1_048_576),
    metadataMaxBytes: numberFor("maxResponseBytes", maxResponseBytes, "metadata", 262_144),
    clientCapabilities: stringsOf(
      options.clientCapabilities,
      "clientCapabilities",
      /./,
      'texts, such as ["cp1"]',
    ),
    // Generic issuers get no telemetry: nobody there reads it.
    telemetry: options.telemetry === false || authority.kind === "oidc"
      ? undefined
      : new Telemetry(appName, appVersion),
    clock,
    emit,
    waitUntil: requireWaitUntil(options.waitUntil),
    insecureLoopback,
  };
}
