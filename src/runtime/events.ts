/**
 * What an application can observe: events, and log lines made from them.
 *
 * @module
 */

import type { AuthError } from "../errors/auth_error.ts";

/** Why a token was asked for although the cache was looked at, as in MSAL's telemetry. */
export type RefreshReason =
  | "not_applicable"
  | "force_refresh_or_claims"
  | "no_cached_token"
  | "expired"
  | "proactive_refresh";

/** A request was answered; nothing of its content is told. */
export interface RequestCompletedEvent {
  /** The kind of event. */
  readonly type: "request_completed";
  /** What the request was for. */
  readonly purpose: "token" | "metadata";
  /** The host, with its port unless that is the default. */
  readonly host: string;
  /** The HTTP status. */
  readonly status: number;
  /** How long it took, in milliseconds. */
  readonly durationMs: number;
  /** Which attempt it was, from 1. */
  readonly attempt: number;
  /** The call's correlation id. */
  readonly correlationId: string;
}

/** A token was handed out. */
export interface TokenAcquiredEvent {
  /** The kind of event. */
  readonly type: "token_acquired";
  /** Where it came from. */
  readonly tokenSource: "identity_provider" | "cache";
  /** Why the authority was asked, if it was. */
  readonly refreshReason: RefreshReason;
  /** The tenant, or the issuer's path for a generic OpenID Connect authority. */
  readonly tenantId: string;
  /** The scopes asked for. */
  readonly scopes: readonly string[];
  /** The call's correlation id; empty where nothing was sent. */
  readonly correlationId: string;
}

/** The authority granted fewer scopes than were asked for; the token is used and kept under what was granted. */
export interface ScopesMissingEvent {
  /** The kind of event. */
  readonly type: "scopes_missing";
  /** The scopes that were not granted. */
  readonly scopes: readonly string[];
  /** The call's correlation id. */
  readonly correlationId: string;
}

/** Something went wrong; `type` tells what became of the call. */
export interface FailureEvent {
  /**
   * - `token_failed`: the call failed with this error.
   * - `refresh_failed`: a refresh failed and the cached token, still valid, was handed out.
   * - `request_retried`: an attempt failed and is made once more.
   * - `throttled`: the call was answered from the HTTP cache, because the authority asked to be left alone or refused
   *   the same request a minute ago, or two.
   * - `credential_failed`: a credential of a list could not be used, and the next one is.
   * - `cache_failed`: a store failed; the call goes on without it.
   * - `metadata_stale`: discovery failed and the last known document is used.
   * - `request_failed`: a web application or an API answered with an error because of this, or went on without something.
   * - `store_without_lock`: the authority replaces refresh tokens at each use, and the store has no lock: two isolates that
   *   redeem one at the same time may sign the user out. Told once for each application.
   */
  readonly type:
    | "token_failed"
    | "refresh_failed"
    | "request_retried"
    | "throttled"
    | "credential_failed"
    | "cache_failed"
    | "metadata_stale"
    | "request_failed"
    | "store_without_lock";
  /** What went wrong; free of secrets. */
  readonly error: AuthError;
  /** The call's correlation id, where there is a call; that of the error. */
  readonly correlationId?: string | undefined;
}

/** What the `onEvent` option receives. No event holds a secret, a token or a user's name. */
export type MsalEvent = FailureEvent | RequestCompletedEvent | ScopesMissingEvent | TokenAcquiredEvent;

/** Receives log lines; `console` is one. */
export interface Logger {
  /** Receives what happens on every call. */
  debug?(message: string): void;
  /** Receives retries and throttled calls. */
  info?(message: string): void;
  /** Receives what went wrong and was got over. */
  warn?(message: string): void;
  /** Receives what failed. */
  error?(message: string): void;
}

/** Takes an event to everybody who listens; absent where nobody does. */
export type Emit = (event: MsalEvent) => void;

/** An observer's fault must not become the caller's. */
function quietly(observe: () => unknown): void {
  try {
    Promise.resolve(observe()).catch(() => {});
  } catch {
    // Likewise.
  }
}

function levelOf({ type }: MsalEvent): keyof Logger {
  if (type === "token_failed" || type === "request_failed") return "error";
  if (type === "request_retried" || type === "throttled") return "info";
  return type === "request_completed" || type === "token_acquired" ? "debug" : "warn";
}

function describe(event: MsalEvent): string {
  const details = "error" in event ? `${event.error.code}: ${event.error.message}` : JSON.stringify(event);
  return `msal-edge ${event.type} [${event.correlationId ?? "-"}] ${details}`;
}

/**
 * Joins the `onEvent` and `logger` options.
 *
 * @param onEvent Receives events.
 * @param logger Receives lines.
 * @returns The function to call, or `undefined` where nobody listens. It never throws.
 */
export function createEmit(onEvent?: (event: MsalEvent) => void, logger?: Logger): Emit | undefined {
  if (onEvent === undefined && logger === undefined) return undefined;
  return (told) => {
    const event = "error" in told ? { ...told, correlationId: told.error.correlationId } : told;
    quietly(() => onEvent?.(event));
    quietly(() => logger?.[levelOf(event)]?.(describe(event)));
  };
}
