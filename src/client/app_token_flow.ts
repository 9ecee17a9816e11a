/**
 * App tokens: from the memory at once, else from further away, shared by everybody who asks.
 *
 * @module
 */

import { isSharedTenant } from "../authority/tenant.ts";
import type { CachedToken } from "../cache/cached_token.ts";
import { isFresh, isUsable, ownerKey, type Slot } from "../cache/token_index.ts";
import type { CredentialSource } from "../credential/client_credential.ts";
import { lengthPrefixed } from "../crypto/digest.ts";
import type { AuthError } from "../errors/auth_error.ts";
import type { ServerError } from "../errors/server_error.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import { type AuthenticationResult, toResult } from "../result/authentication_result.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { abortError, untilAborted, withDeadline } from "../runtime/wait.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { SingleFlight } from "../store/single_flight.ts";
import { type AppTokenQuery, extOf, realmOf, toAppTokenQuery } from "./app_token_query.ts";
import { type AppTokenFound, AppTokenSource } from "./app_token_source.ts";
import { requireWaitUntil } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { toAuthError } from "./failure.ts";

/** After a proactive refresh began, nobody else begins one for this long. */
const REFRESH_PAUSE_MS = 30_000;
/** How long a caller with a good token waits for a better one. */
const REFRESH_PATIENCE_MS = 2_000;

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
      const { configuration } = this.#engine;
      const { authority, cache, clientCapabilities } = configuration;
      const nowMs = configuration.clock.now();
      const plain = this.#peek(request, nowMs);
      if (plain !== undefined) return Promise.resolve(this.#hand(fromMemory(plain)));
      const query = toAppTokenQuery(authority, clientCapabilities, request);
      const { signal, correlationId } = request;
      const waitUntil = requireWaitUntil(request.waitUntil) ?? configuration.waitUntil;
      if (signal?.aborted) throw abortError(signal, correlationId);
      const slot = cache.index.find(this.#owner, query.bucket, query.key, nowMs);
      if (slot !== undefined && isFresh(slot, nowMs) && request.claims === undefined) {
        return Promise.resolve(this.#hand(fromMemory(slot), correlationId));
      }
      return this.#acquireFurther(request, query, slot, nowMs, waitUntil);
    } catch (error) {
      return Promise.reject(this.#fail(error));
    }
  }

  /** The common hit: a token is there under the request's very texts, and those were checked when it came. */
  #peek(request: ClientCredentialRequest, nowMs: number): Slot | undefined {
    if (!isPlain(request)) return undefined;
    const { authority, cache } = this.#engine.configuration;
    const realm = request.tenantId ?? authority.tenant;
    if (isSharedTenant(realm)) return undefined;
    const slot = cache.index.findExact(this.#owner, realm, request.scopes[0] as string);
    return slot !== undefined && isFresh(slot, nowMs) ? slot : undefined;
  }

  /** The memory has no token, or one that should be replaced. */
  async #acquireFurther(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    slot: Slot | undefined,
    nowMs: number,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<AuthenticationResult> {
    const { signal, correlationId } = request;
    const refreshReason = reasonOf(request, slot, nowMs);
    try {
      const flight = this.#fly(request, query, refreshReason, waitUntil);
      const work = slot !== undefined && refreshReason === "proactive_refresh"
        ? this.#refreshAhead(flight, slot, waitUntil)
        : flight.catch((error) => this.#outlive(error, slot, refreshReason));
      const found = await untilAborted(work, signal, correlationId);
      return this.#hand(found, correlationId, refreshReason, this.#engine.configuration.clock.now() - nowMs);
    } catch (error) {
      throw this.#fail(error);
    }
  }

  /** Joins the work for this very token, or begins it. */
  #fly(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    reason: RefreshReason,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<AppTokenFound> {
    const key = lengthPrefixed([
      query.bucket,
      query.key,
      request.claims === undefined ? "" : query.claims ?? "",
    ]);
    return this.#flights.run(key, { waitUntil, deadlineMs: this.#engine.flightDeadlineMs }, () => {
      const correlationId = request.correlationId ?? crypto.randomUUID();
      return this.#source.get({ request, query, reason, correlationId, waitUntil });
    });
  }

  /** A refresh that is due, though the token is good: in the background if anything keeps it alive there. */
  #refreshAhead(
    flight: Promise<AppTokenFound>,
    slot: Slot,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<AppTokenFound> {
    const { clock } = this.#engine.configuration;
    slot.refreshAtMs = clock.now() + REFRESH_PAUSE_MS;
    const settled = flight.catch((error) => this.#outlive(error, slot, "proactive_refresh"));
    if (waitUntil === undefined) {
      return withDeadline(clock, settled, REFRESH_PATIENCE_MS, () => fromMemory(slot));
    }
    // Nobody waits for it: what it throws was told as an event.
    settled.catch(() => {});
    return Promise.resolve(fromMemory(slot));
  }

  /** A token that is still good wins over a failed refresh, unless a challenge was refused for good. */
  #outlive(error: unknown, slot: Slot | undefined, reason: RefreshReason): AppTokenFound {
    const failure = toAuthError(error);
    const { clock, emit } = this.#engine.configuration;
    // An outage says nothing of the caller's right to a token; an answer that will not change does.
    const { retryable = failure.name !== "ClientConfigurationError" } = failure as Partial<ServerError>;
    const spared = reason !== "force_refresh_or_claims" || retryable;
    if (slot === undefined || slot.expiresOn * 1000 <= clock.now() || !spared) throw failure;
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
    own = "",
    refreshReason: RefreshReason = "not_applicable",
    durationMs = 0,
  ): AuthenticationResult {
    const { emit, telemetry } = this.#engine.configuration;
    if (cacheLevel !== "none") telemetry?.hit();
    const result = toResult(token, cacheLevel, refreshReason, durationMs, sent || own);
    const { tokenSource, tenantId, scopes, correlationId } = result;
    emit?.({ type: "token_acquired", tokenSource, refreshReason, tenantId, scopes, correlationId });
    return result;
  }

  /**
   * Removes app tokens from the memory and from the store, and keeps those out that are on their way.
   *
   * @param request Which ones.
   */
  async remove({ tenantId, fmiPath }: RemoveTokensRequest): Promise<void> {
    const { authority, cache, clock } = this.#engine.configuration;
    const realm = tenantId === undefined ? undefined : realmOf(authority, tenantId);
    const ext = extOf({ fmiPath });
    const named = await this.#source.partitionOf({ realm: realm ?? authority.tenant, bucket: "", ext });
    const matches = (token: CachedToken): boolean =>
      (realm === undefined || token.realm.toLowerCase() === realm) &&
      (fmiPath === undefined || token.ext === ext || token.extHash === named.extHash);
    const removed = cache.index.removeOwned(this.#owner, matches, clock.now());
    await cache.forget([named, ...removed.map((token) => ({ ...named, ...token, bucket: "" }))]);
  }
}

/** Whether nothing sets a request apart but its tenant and its one scope. */
function isPlain(request: ClientCredentialRequest): boolean {
  for (const name in request) {
    if (name !== "scopes" && name !== "tenantId" && name !== "waitUntil") return false;
  }
  return request?.scopes?.length === 1;
}

function reasonOf(request: ClientCredentialRequest, slot: Slot | undefined, nowMs: number): RefreshReason {
  if (request.claims !== undefined) return "force_refresh_or_claims";
  if (slot === undefined) return "no_cached_token";
  return isUsable(slot, nowMs) ? "proactive_refresh" : "expired";
}
