/**
 * App tokens: from the memory at once, else from further away, shared by everybody who asks.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import { isFresh, isUsable, ownerKey, realmKey, type Slot } from "../cache/token_index.ts";
import type { CredentialSource } from "../credential/client_credential.ts";
import { lengthPrefixed } from "../crypto/digest.ts";
import type { AuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import type { ServerError } from "../errors/server_error.ts";
import { mergeClaims } from "../request/claims.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import { type AuthenticationResult, toResult } from "../result/authentication_result.ts";
import type { Clock } from "../runtime/clock.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { abortError, untilAborted, withDeadline } from "../runtime/wait.ts";
import { SingleFlight } from "../store/single_flight.ts";
import { buildClientCredentialsForm } from "../token/grant_client_credentials.ts";
import { type AppTokenQuery, extOf, realmOf, toAppTokenQuery } from "./app_token_query.ts";
import { type AppTokenErrand, type AppTokenFound, AppTokenSource } from "./app_token_source.ts";
import { requireWaitUntil } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { toAuthError } from "./failure.ts";

/** After a proactive refresh began, nobody else begins one for this long. */
const REFRESH_PAUSE_SECONDS = 30;
/** How long a caller with a good token waits for a better one. */
const REFRESH_PATIENCE_MS = 2_000;
/** A token with less than this left is no good one: its caller waits for as long as it takes. */
const WAITING_FLOOR_SECONDS = 60;

/** A token of the memory, as the source would give it. */
function fromMemory(token: Slot): AppTokenFound {
  return { token, cacheLevel: "memory", correlationId: "" };
}

/** Acquires and removes the app tokens of one application. */
export class AppTokenFlow {
  readonly #engine: Engine;
  readonly #source: AppTokenSource;
  readonly #flights: SingleFlight<AppTokenFound>;
  readonly #owner: string;

  /**
   * Joins an application's parts and its credential.
   *
   * @param engine The parts.
   * @param credential The credential.
   */
  constructor(engine: Engine, credential: CredentialSource) {
    const { authority, clientId, clock } = engine.configuration;
    this.#engine = engine;
    this.#source = new AppTokenSource(engine, credential);
    this.#flights = new SingleFlight(clock);
    this.#owner = ownerKey(authority.environment, clientId, "");
  }

  /**
   * Gets an app token. Not an async function, so that a hit costs no more waiting than its own promise.
   *
   * @param request The request.
   * @returns The token.
   */
  acquire(request: ClientCredentialRequest): Promise<AuthenticationResult> {
    try {
      const { authority, cache, clock } = this.#engine.configuration;
      const query = toAppTokenQuery(authority, request);
      const { signal, correlationId, waitUntil } = request;
      requireWaitUntil(waitUntil);
      if (signal !== undefined && !(typeof signal?.addEventListener === "function" && "aborted" in signal)) {
        refuse("invalid_request", "signal", "it must be an AbortSignal");
      }
      if (signal?.aborted) throw abortError(signal, correlationId);
      const nowMs = clock.now();
      const slot = cache.index.find(this.#owner, query.bucket, query.key, nowMs);
      if (slot !== undefined && isFresh(slot, nowMs) && request.claims === undefined) {
        return Promise.resolve(this.#hand(fromMemory(slot), request));
      }
      return this.#acquireFurther(request, query, slot, nowMs);
    } catch (error) {
      return Promise.reject(this.#fail(error));
    }
  }

  /** The memory has no token, or one that should be replaced. */
  async #acquireFurther(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    slot: Slot | undefined,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    const { signal, correlationId } = request;
    const snapshot = { scopes: [...request.scopes], correlationId };
    const reason = reasonOf(request, slot, nowMs);
    try {
      const work = this.#refresh(
        this.#errand(request, query, reason),
        request.claims !== undefined,
        slot,
        nowMs,
      );
      const found = await untilAborted(work, signal, correlationId);
      return this.#hand(found, snapshot, reason, this.#engine.configuration.clock.now() - nowMs);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Everything of a request that is needed after the first wait: the caller may change it then. */
  #errand(request: ClientCredentialRequest, query: AppTokenQuery, reason: RefreshReason): AppTokenErrand {
    const { authority, clientCapabilities, clientId, waitUntil } = this.#engine.configuration;
    const claims = mergeClaims(request.claims, clientCapabilities, request.forwardedClientClaims);
    return {
      query,
      scopes: [...request.scopes],
      form: buildClientCredentialsForm(clientId, request, claims, authority.kind === "aad"),
      extraQuery: Object.entries(request.extraQueryParameters ?? {}),
      fmiPath: request.fmiPath,
      reason,
      correlationId: request.correlationId,
      waitUntil: request.waitUntil ?? waitUntil,
    };
  }

  /** Joins the work for this very token, or begins it; a token that is still good does not wait for it. */
  #refresh(
    errand: AppTokenErrand,
    isChallenge: boolean,
    slot: Slot | undefined,
    nowMs: number,
  ): Promise<AppTokenFound> {
    const { clock } = this.#engine.configuration;
    const { query, form, waitUntil } = errand;
    const key = lengthPrefixed([query.bucket, query.key, (isChallenge && form.get("claims")) || ""]);
    const options = { waitUntil, deadlineMs: this.#engine.flightDeadlineMs };
    const work = this.#flights.run(key, options, () => this.#source.get(errand))
      .catch((error) => this.#outlive(error, query, isChallenge));
    if (slot === undefined || isChallenge || !isAlive(slot, clock, WAITING_FLOOR_SECONDS)) return work;
    if (isUsable(slot, nowMs)) slot.refreshAt = Math.ceil(nowMs / 1000) + REFRESH_PAUSE_SECONDS;
    if (waitUntil === undefined || !isUsable(slot, nowMs)) {
      return withDeadline(
        clock,
        work,
        REFRESH_PATIENCE_MS,
        () => isAlive(slot, clock) ? fromMemory(slot) : work,
      );
    }
    // In the background: nobody waits for it.
    work.catch(() => {});
    return Promise.resolve(fromMemory(slot));
  }

  /** A token that is still good wins over a failed refresh, unless a challenge was refused for good. */
  #outlive(error: unknown, { bucket, key }: AppTokenQuery, isChallenge: boolean): AppTokenFound {
    const failure = toAuthError(error);
    const { cache, clock, emit } = this.#engine.configuration;
    // Looked up again: the store may have brought one.
    const slot = cache.index.find(this.#owner, bucket, key, clock.now());
    // An outage says nothing of the caller's right to a token; anything else does.
    const isOutage = failure.name === "NetworkError" || (failure as Partial<ServerError>).retryable;
    if (slot === undefined || !isAlive(slot, clock) || (isChallenge && !isOutage)) {
      throw failure;
    }
    emit?.({ type: "refresh_failed", error: failure });
    return fromMemory(slot);
  }

  #fail(error: unknown): AuthError {
    const failure = toAuthError(error);
    this.#engine.configuration.emit?.({ type: "token_failed", error: failure });
    return failure;
  }

  #hand(
    { token, cacheLevel, correlationId: sent }: AppTokenFound,
    { scopes, correlationId: own = "" }: Pick<ClientCredentialRequest, "scopes" | "correlationId">,
    reason: RefreshReason = "not_applicable",
    durationMs = 0,
  ): AuthenticationResult {
    const { emit, telemetry } = this.#engine.configuration;
    if (cacheLevel !== "none") telemetry?.hit();
    const result = toResult(
      token,
      cacheLevel,
      cacheLevel === "store" ? "not_applicable" : reason,
      durationMs,
      sent || own,
    );
    const { tokenSource, tenantId, correlationId, metadata: { refreshReason } } = result;
    // The scopes asked for: what an authority says it granted is its own text.
    emit?.({ type: "token_acquired", tokenSource, refreshReason, tenantId, scopes, correlationId });
    return result;
  }

  /**
   * Removes app tokens from the memory and from the store, and keeps those out that are on their way.
   *
   * @param request Which ones.
   */
  async remove({ tenantId, fmiPath }: RemoveTokensRequest): Promise<void> {
    const { authority, cache } = this.#engine.configuration;
    const realm = tenantId === undefined ? undefined : realmOf(authority, tenantId);
    const ext = extOf({ fmiPath });
    const named = await this.#source.partitionOf({ realm: realm ?? authority.tenant, bucket: "", ext });
    const matches = (token: CachedToken): boolean =>
      (realm === undefined || realmKey(token) === realm) &&
      (fmiPath === undefined || token.ext.includes(ext.slice(1)) || token.extHash === named.extHash ||
        token.origin?.entry.fmi_path === fmiPath);
    const removed = cache.index.removeOwned(this.#owner, matches);
    const gone = removed.map((token) => ({ ...named, ...token, realm: realmKey(token), bucket: "" }));
    await cache.forget([named, ...gone], removed.length > 0);
  }
}

function isAlive(token: CachedToken, clock: Clock, forSeconds = 0): boolean {
  return (token.expiresOn - forSeconds) * 1000 > clock.now();
}

function reasonOf(request: ClientCredentialRequest, slot: Slot | undefined, nowMs: number): RefreshReason {
  if (request.claims !== undefined) return "force_refresh_or_claims";
  if (slot === undefined) return "no_cached_token";
  return isUsable(slot, nowMs) ? "proactive_refresh" : "expired";
}
