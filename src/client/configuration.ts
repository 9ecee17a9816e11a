/**
 * Checks the options of an application, and completes them.
 *
 * @module
 */

import { knownHosts, parseAnyAuthority } from "../authority/any_authority.ts";
import { type Authority, isEntra, namesTenants } from "../authority/authority.ts";
import { instanceTrust } from "../authority/instances.ts";
import { GUID } from "../authority/tenant.ts";
import { type CacheCore, openerOf } from "../cache/cache_core.ts";
import { MemoryUsers } from "../cache/memory_users.ts";
import { TokenIndex } from "../cache/token_index.ts";
import { UserIndex } from "../cache/user_index.ts";
import { type CacheError, refuse } from "../errors/errors.ts";
import { allowInsecureLoopback } from "../net/endpoint.ts";
import type { PerPurpose } from "../net/http_client.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import { createEmit, type Emit } from "../runtime/events.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { WAIT_UNTIL_HELP } from "../store/single_flight.ts";
import { requireStore } from "../store/store.ts";
import { Telemetry } from "../token/telemetry.ts";
import { type KnownMetadata, readInjected } from "./injected_metadata.ts";
import type { ClientApplicationOptions } from "./options.ts";

/** Options, checked and complete. */
export interface Configuration {
  /** The client id, as it was given. */
  readonly clientId: string;
  /** Who issues the tokens. */
  readonly authority: Authority;
  /** Who has to be asked before anything is sent to the authority's host. */
  readonly instanceDiscovery: string | undefined;
  /** What nobody has to be asked for. */
  readonly known: KnownMetadata;
  /** The tokens. */
  readonly cache: CacheCore;
  /** Where throttling, discovery documents and signing keys are kept. */
  readonly httpStore: GuardedStore;
  /** The fetch, if one was given. */
  readonly fetch: FetchFunction | undefined;
  /** The deadlines of requests, in milliseconds. */
  readonly timeoutMs: PerPurpose;
  /** The most bytes of answers. */
  readonly maxBytes: PerPurpose;
  /** Capabilities to declare. */
  readonly clientCapabilities: readonly string[];
  /** The only tenants whose users may sign in, as they were given. */
  readonly allowedTenants: readonly string[] | "any";
  /** Whether anybody said so, if only `"any"`. */
  readonly saysAllowedTenants: boolean;
  /** By how many seconds clocks may differ. */
  readonly clockToleranceSeconds: number | undefined;
  /** Which scopes a sign-in leaves out. */
  readonly excludeScopes: readonly string[];
  /** Whether each sign-in is announced. */
  readonly pushedAuthorizationRequests: boolean | undefined;
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

/**
 * Passes a value that is absent or fits, and refuses another.
 *
 * @param option The option's name.
 * @param value What was given.
 * @param fits Whether it may be used.
 * @param why What it must be.
 * @returns The value.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function check<T>(
  option: string,
  value: T | undefined,
  fits: (value: T) => boolean,
  why: string,
): T | undefined {
  return value === undefined || (value !== null && fits(value))
    ? value
    : refuse("invalid_option", option, why);
}

/** What a function must be. */
export const BARE = "it must be a function";

/** Whether a value can be called. */
export function isFunction(value: unknown): boolean {
  return typeof value === "function";
}

/** Deadlines and caps, for tokens and for metadata: whole numbers that a timer takes. */
export function perPurpose(option: string, value: unknown, token: number, metadata: number): PerPurpose {
  const given = (Object(value) === value ? value : { token: value, metadata: value }) as Partial<PerPurpose>;
  const fits = (number: number): boolean => Number.isInteger(number) && number > 0 && number < 2 ** 31;
  const number = (name: keyof PerPurpose, preset: number): number =>
    check(option, given[name], fits, "it must be a whole number from 1, or { token, metadata }") ?? preset;
  return { token: number("token", token), metadata: number("metadata", metadata) };
}

/** A copy of a list of texts, each of which has the right form; an empty one where none was given. */
export function texts(
  option: string,
  value: readonly string[] | undefined,
  pattern: RegExp,
  what: string,
): readonly string[] {
  const fits = (list: readonly string[]): boolean =>
    Array.isArray(list) && list.every((item) => typeof item === "string" && pattern.test(item));
  return [...check(option, value, fits, `it must be an array of ${what}`) ?? []];
}

/**
 * Checks `waitUntil`.
 *
 * @param value The option or request member.
 * @returns The same.
 */
export function requireWaitUntil(
  value: WaitUntil | "detached" | undefined,
): WaitUntil | "detached" | undefined {
  return check("waitUntil", value, (own) => own === "detached" || isFunction(own), WAIT_UNTIL_HELP);
}

function authorityOf(
  options: ClientApplicationOptions,
  insecureLoopback: boolean,
): Pick<Configuration, "authority" | "instanceDiscovery"> {
  const known = knownHosts(options.knownAuthorities);
  const { instanceDiscovery, hosts, authority } = instanceTrust(options, known, insecureLoopback);
  if (authority !== undefined && options.oidcAuthority === undefined) return { authority, instanceDiscovery };
  const all = { ...options, knownAuthorities: [...known, ...hosts] };
  return { authority: parseAnyAuthority(all, insecureLoopback), instanceDiscovery: undefined };
}

/** The clock: the system's where none was given. */
export function clockOf(given: Pick<ClientApplicationOptions, "clock">): Clock {
  const clock = given.clock ?? systemClock;
  const isClock = ({ now, setTimeout, clearTimeout }: Clock): boolean =>
    [now, setTimeout, clearTimeout].every(isFunction);
  check("clock", clock, isClock, "it must be a Clock");
  return clock;
}

function cacheOf(
  { tokenCache }: ClientApplicationOptions,
  clock: Clock,
  onFailure: (error: CacheError) => void,
  listUsers: boolean,
): CacheCore {
  const nothing = (): Promise<void> => Promise.resolve();
  if (tokenCache === undefined) {
    const index = new TokenIndex();
    const users = new MemoryUsers(index, new UserIndex());
    return { index, users, stored: false, load: nothing, save: nothing, forget: nothing };
  }
  return openerOf(tokenCache)?.(clock, onFailure, listUsers) ??
    refuse(
      "invalid_option",
      "tokenCache",
      "it must be a TokenCache, such as new TokenCache({ store })",
    );
}

/** What counts where users sign in. */
function userOptions(
  { allowedTenants: given, clockToleranceSeconds, excludeScopes }: ClientApplicationOptions,
  authority: Authority,
): Pick<Configuration, "allowedTenants" | "saysAllowedTenants" | "clockToleranceSeconds" | "excludeScopes"> {
  const allowedTenants = given ?? "any";
  if (!namesTenants(authority) && allowedTenants !== "any") {
    refuse("invalid_option", "allowedTenants", "tokens of this authority name no tenant");
  }
  return {
    allowedTenants: allowedTenants === "any"
      ? "any"
      : texts("allowedTenants", allowedTenants, new RegExp(`^${GUID}$`, "i"), 'tenants\' GUIDs, or "any"'),
    saysAllowedTenants: given !== undefined,
    clockToleranceSeconds: check(
      "clockToleranceSeconds",
      clockToleranceSeconds,
      (own) => typeof own === "number" && own >= 0 && own <= 300,
      "it must be a number from 0 to 300",
    ),
    excludeScopes: texts(
      "excludeScopes",
      excludeScopes,
      /^(?:profile|offline_access)$/,
      '"profile" or "offline_access"',
    ),
  };
}

/**
 * Checks the options of an application. Nothing is sent and nothing is read.
 *
 * @param options The options.
 * @param isPublic Whether the client is public: its store then keeps a list of its users.
 * @returns The configuration.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function resolveConfiguration(options: ClientApplicationOptions, isPublic: boolean): Configuration {
  const { clientId, httpCache, onEvent, fetch, ...given } = options ?? {};
  if (typeof clientId !== "string" || !/^[\x21-\x7e]{1,256}$/.test(clientId)) {
    refuse("invalid_client_id", "clientId", "it must be the Application (client) ID");
  }
  const flag = (name: "telemetry" | "pushedAuthorizationRequests"): boolean | undefined =>
    check(name, given[name], (own) => typeof own === "boolean", "it must be true or false");
  const telemetry = flag("telemetry");
  check("logger", given.logger, (own) => Object(own) === own, "it must be an object such as console");
  const insecureLoopback = options[allowInsecureLoopback] === true;
  const clock = clockOf(given);
  const emit = createEmit(check("onEvent", onEvent, isFunction, BARE), given.logger);
  const onFailure = (error: CacheError): void => emit?.({ type: "cache_failed", error });
  const { authority, instanceDiscovery } = authorityOf(options, insecureLoopback);
  // Header values must not smuggle in another header.
  const header = (name: "appName" | "appVersion"): string | undefined =>
    check(
      name,
      given[name],
      (text) => typeof text === "string" && /^[\x20-\x7e]{1,128}$/.test(text),
      "it must be at most 128 printable characters",
    );
  const store = httpCache === undefined ? new MemoryStore({ clock }) : requireStore(httpCache, "httpCache");
  return {
    clientId,
    authority,
    instanceDiscovery,
    known: readInjected(given.metadata, authority, insecureLoopback),
    cache: cacheOf(options, clock, onFailure, isPublic),
    httpStore: new GuardedStore(store, "httpCache", clock, onFailure),
    fetch: check("fetch", fetch, isFunction, BARE),
    timeoutMs: perPurpose("timeoutMs", given.timeoutMs, 10_000, 5_000),
    maxBytes: perPurpose("maxResponseBytes", given.maxResponseBytes, 2 ** 20, 2 ** 18),
    clientCapabilities: texts("clientCapabilities", given.clientCapabilities, /./, 'texts, such as ["cp1"]'),
    ...userOptions(options, authority),
    pushedAuthorizationRequests: flag("pushedAuthorizationRequests"),
    // Others than Microsoft's services get no telemetry: nobody there reads it.
    telemetry: telemetry === false || !isEntra(authority)
      ? undefined
      : new Telemetry(header("appName"), header("appVersion")),
    clock,
    emit,
    waitUntil: requireWaitUntil(given.waitUntil),
    insecureLoopback,
  };
}
