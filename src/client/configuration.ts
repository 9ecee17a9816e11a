/**
 * Checks the options; the only place where defaults live.
 *
 * @module
 */

import { type Authority, parseAuthority, parseOidcAuthority } from "../authority/authority.ts";
import { TokenCache } from "../cache/token_cache.ts";
import { ClientConfigurationError } from "../errors/errors.ts";
import { allowInsecureLoopback } from "../net/endpoint.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { createEmit, type Emit } from "../runtime/events.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { requireStore, type Store } from "../store/store.ts";
import type { ClientApplicationOptions, PerPurpose } from "./options.ts";

const DEFAULT_AUTHORITY = "https://login.microsoftonline.com/common";

/** Options, checked and complete. */
export interface Configuration {
  /** The client id, as it was given. */
  readonly clientId: string;
  /** Who issues the tokens. */
  readonly authority: Authority;
  /** The tokens. */
  readonly tokenCache: TokenCache;
  /** What is no token. */
  readonly httpCache: Store;
  /** Whether nobody else can write to `httpCache`. */
  readonly httpCacheIsOwn: boolean;
  /** The fetch, if one was given. */
  readonly fetch: FetchFunction | undefined;
  /** Deadlines in milliseconds. */
  readonly timeoutMs: Required<{ [P in keyof PerPurpose]: number }>;
  /** Body caps in bytes. */
  readonly maxResponseBytes: Required<{ [P in keyof PerPurpose]: number }>;
  /** Capabilities to declare. */
  readonly clientCapabilities: readonly string[];
  /** The application's name and version, for telemetry. */
  readonly app: { readonly appName: string | undefined; readonly appVersion: string | undefined };
  /** Whether telemetry is sent. */
  readonly telemetry: boolean;
  /** The time. */
  readonly clock: Clock;
  /** Everybody who listens. */
  readonly emit: Emit | undefined;
  /** Keeps background work alive. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
  /** Whether `http:` on loopback is allowed. */
  readonly insecureLoopback: boolean;
}

function fail(option: string, why: string): never {
  throw new ClientConfigurationError("invalid_option", option, `Cannot use ${option}: ${why}`);
}

function requireClientId(clientId: unknown): string {
  if (typeof clientId === "string" && /^[\x21-\x7e]{1,256}$/.test(clientId)) return clientId;
  throw new ClientConfigurationError(
    "invalid_client_id",
    "clientId",
    "Cannot use clientId: it must be the Application (client) ID of the app registration, without spaces",
  );
}

/** Deadlines and caps: whole numbers that a timer takes. */
function perPurpose<D extends { token: number; metadata: number }>(
  value: number | PerPurpose | undefined,
  defaults: D,
  option: string,
): { token: number; metadata: number } {
  const given: PerPurpose = typeof value === "object" ? value : { token: value, metadata: value };
  const merged = { token: given.token ?? defaults.token, metadata: given.metadata ?? defaults.metadata };
  for (const number of Object.values(merged)) {
    if (!Number.isInteger(number) || number < 1 || number > 0x7fffffff) {
      fail(option, "it must be a whole number from 1 to 2147483647, or { token, metadata } of such numbers");
    }
  }
  return merged;
}

function requireHost(host: unknown): string {
  const url = typeof host === "string" && !/[/@\\?#\s]/.test(host) && URL.canParse(`https://${host}`)
    ? new URL(`https://${host}`)
    : undefined;
  return url?.host ||
    fail("knownAuthorities", "each must be a host without scheme or path, such as login.example.com");
}

function requireStrings(value: unknown, option: string, example: string): readonly string[] {
  if (value === undefined) return [];
  const isList = Array.isArray(value) && value.every((item) => typeof item === "string" && item !== "");
  return isList ? value : fail(option, `it must be an array of strings, such as ${example}`);
}

/** Header values must not smuggle in another header. */
function requireHeaderText(value: string | undefined, option: string): string | undefined {
  const fits = value === undefined || (typeof value === "string" && /^[\x20-\x7e]{1,128}$/.test(value));
  return fits ? value : fail(option, "it must be a printable ASCII text of at most 128 characters");
}

function requireFunction<T>(value: T | undefined, option: string): T | undefined {
  return value === undefined || typeof value === "function" ? value : fail(option, "it must be a function");
}

/**
 * Checks `waitUntil` and protects it.
 *
 * @param value The option or request member.
 * @returns The same, so that a failure names the mistake.
 */
export function requireWaitUntil(value: unknown): WaitUntil | "detached" | undefined {
  if (value === undefined || value === "detached") return value;
  if (typeof value !== "function") {
    fail("waitUntil", 'it must be (promise) => ctx.waitUntil(promise), or "detached"');
  }
  return (promise) => {
    try {
      value(promise);
    } catch {
      fail(
        "waitUntil",
        "it threw. Pass (promise) => ctx.waitUntil(promise): the bare method loses its context",
      );
    }
  };
}

function authorityOf(options: ClientApplicationOptions, insecureLoopback: boolean): Authority {
  const { authority, oidcAuthority } = options;
  if (oidcAuthority === undefined) {
    const hosts = requireStrings(options.knownAuthorities, "knownAuthorities", '["login.example.com"]');
    const trust = { knownAuthorities: hosts.map(requireHost), insecureLoopback };
    return parseAuthority(authority ?? DEFAULT_AUTHORITY, trust);
  }
  if (authority === undefined) return parseOidcAuthority(oidcAuthority, insecureLoopback);
  throw new ClientConfigurationError(
    "conflicting_authority",
    "oidcAuthority",
    "Cannot use authority and oidcAuthority together: keep authority for Entra, oidcAuthority for any other issuer",
  );
}

function tokenCacheOf(value: TokenCache | Store | undefined): TokenCache {
  if (value === undefined) return new TokenCache();
  return value instanceof TokenCache ? value : new TokenCache({ store: requireStore(value, "tokenCache") });
}

function requireClock(clock: Clock | undefined): Clock {
  if (clock === undefined) return systemClock;
  const isClock = (["now", "setTimeout", "clearTimeout"] as const).every((name) =>
    typeof clock[name] === "function"
  );
  return isClock ? clock : fail("clock", "it must have the methods now, setTimeout and clearTimeout");
}

/**
 * Checks the options of an application. Nothing is sent and nothing is read.
 *
 * @param options The options.
 * @returns The configuration.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function resolveConfiguration(options: ClientApplicationOptions): Configuration {
  if (typeof options !== "object" || options === null) {
    fail("options", "pass an object such as { clientId, authority }");
  }
  const insecureLoopback = options[allowInsecureLoopback] === true;
  const clock = requireClock(options.clock);
  const app = {
    appName: requireHeaderText(options.appName, "appName"),
    appVersion: requireHeaderText(options.appVersion, "appVersion"),
  };
  return {
    clientId: requireClientId(options.clientId),
    authority: authorityOf(options, insecureLoopback),
    tokenCache: tokenCacheOf(options.tokenCache),
    httpCache: options.httpCache === undefined
      ? new MemoryStore({ clock })
      : requireStore(options.httpCache, "httpCache"),
    httpCacheIsOwn: options.httpCache === undefined,
    fetch: requireFunction(options.fetch, "fetch"),
    timeoutMs: perPurpose(options.timeoutMs, { token: 10_000, metadata: 5_000 }, "timeoutMs"),
    maxResponseBytes: perPurpose(
      options.maxResponseBytes,
      { token: 1_048_576, metadata: 262_144 },
      "maxResponseBytes",
    ),
    clientCapabilities: requireStrings(options.clientCapabilities, "clientCapabilities", '["cp1"]'),
    app,
    telemetry: options.telemetry !== false,
    clock,
    emit: createEmit(requireFunction(options.onEvent, "onEvent"), options.logger),
    waitUntil: requireWaitUntil(options.waitUntil),
    insecureLoopback,
  };
}
