/**
 * A token that was found or issued, and how it is handed to the caller.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import type { UserProfile } from "../cache/cached_user.ts";
import type { AuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import { requireAuthScheme } from "../request/auth_scheme.ts";
import type { TokenRequest } from "../request/requests.ts";
import { type AuthenticationResult, toResult } from "../result/authentication_result.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { abortError } from "../runtime/wait.ts";
import { requireWaitUntil } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { toAuthError } from "./failure.ts";

/** A token and where it was found. */
export interface TokenFound {
  /** The token. */
  readonly token: CachedToken;
  /** Whose it is, for a user's. */
  readonly profile?: UserProfile | undefined;
  /** In which cache it was; `none` for a new one. */
  readonly cacheLevel: "none" | "memory" | "store";
  /** The id that was sent; empty where nothing was. */
  readonly correlationId: string;
}

/** A token of the memory. */
export function fromMemory<T extends CachedToken>(
  token: T,
  profile?: UserProfile,
): TokenFound & { readonly token: T } {
  return { token, profile, cacheLevel: "memory", correlationId: "" };
}

/**
 * Checks what every request may carry.
 *
 * @param request The request.
 * @throws {ClientConfigurationError} `invalid_request` or `invalid_option`.
 * @throws {ClientAuthError} `request_aborted` where the signal was aborted before.
 */
export function requireTokenRequest({ authScheme, signal, correlationId, waitUntil }: TokenRequest): void {
  requireWaitUntil(waitUntil);
  requireAuthScheme(authScheme);
  if (
    correlationId !== undefined && (typeof correlationId !== "string" || !/^[\w-]{1,64}$/.test(correlationId))
  ) {
    refuse("invalid_request", "correlationId", "it must be a GUID");
  }
  if (signal === undefined) return;
  if (!(typeof signal?.addEventListener === "function" && "aborted" in signal)) {
    refuse("invalid_request", "signal", "it must be an AbortSignal");
  }
  if (signal.aborted) throw abortError(signal, correlationId);
}

/**
 * Hands a token out, and tells of it.
 *
 * @param engine The application's parts.
 * @param found The token.
 * @param request The scopes asked for and the id that the caller chose.
 * @param reason Why the authority was asked.
 * @param durationMs How long the call took.
 * @returns The result.
 */
export function handOut(
  engine: Engine,
  { token, profile, cacheLevel, correlationId: sent }: TokenFound,
  { scopes, correlationId: own = "" }: {
    readonly scopes: readonly string[];
    readonly correlationId?: string | undefined;
  },
  reason: RefreshReason = "not_applicable",
  durationMs = 0,
): AuthenticationResult {
  const { emit, telemetry } = engine.configuration;
  if (cacheLevel !== "none") telemetry?.hit();
  const result = toResult(
    token,
    cacheLevel,
    cacheLevel === "store" ? "not_applicable" : reason,
    durationMs,
    sent || own,
    profile,
  );
  const { tokenSource, tenantId, correlationId, metadata: { refreshReason } } = result;
  // The scopes asked for: what an authority says it granted is its own text.
  emit?.({ type: "token_acquired", tokenSource, refreshReason, tenantId, scopes, correlationId });
  return result;
}

/**
 * Tells of a failed call.
 *
 * @param engine The application's parts.
 * @param error What was thrown.
 * @returns The error to throw.
 */
export function failed(engine: Engine, error: unknown): AuthError {
  const failure = toAuthError(error);
  engine.configuration.emit?.({ type: "token_failed", error: failure });
  return failure;
}

/**
 * Runs a call, so that only errors of the library leave it, and tells of a failed one.
 *
 * @param engine The application's parts.
 * @param call The call.
 * @returns What it gives.
 */
export async function guarded<T>(engine: Engine, call: () => T | Promise<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    throw failed(engine, error);
  }
}
