/**
 * App tokens: from the memory at once, else from further away, shared by everybody who asks.
 *
 * @module
 */

import type { CachedToken } from "../cache/access_token.ts";
import { isSharedTenant } from "../authority/tenant.ts";
import { EXPIRY_MARGIN_SECONDS, ownerKey, type Slot } from "../cache/token_index.ts";
import type { CredentialSource } from "../credential/client_credential.ts";
import { lengthPrefixed } from "../crypto/digest.ts";
import type { AuthError } from "../errors/auth_error.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import { type AuthenticationResult, type ResultContext, toResult } from "../result/authentication_result.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { abortError, untilAborted, withDeadline } from "../runtime/wait.ts";
import { SingleFlight } from "../store/single_flight.ts";
import {
  type AppTokenQuery,
  extTextOf,
  realmOf,
  toAppTokenParameters,
  toAppTokenQuery,
} from "./app_token_query.ts";
import { type AppTokenErrand, type AppTokenFound, AppTokenSource } from "./app_token_source.ts";
import { requireWaitUntil } from "./configuration.ts";
import type { Engine } from "./engine.ts";
import { isOutage, toAuthError } from "./failure.ts";

/** After a proactive refresh began, nobody else begins one for this long. */
const REFRESH_PAUSE_MS = 30_000;
/** How long a caller with a good token waits for a better one. */
const REFRESH_PATIENCE_MS = 2_000;

const HIT: ResultContext = {
  tokenSource: "cache",
  cacheLevel: "memory",
  refreshReason: "not_applicable",
  durationMs: 0,
};

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
      const { authority, clock } = this.#engine.configuration;
      const nowMs = clock.now();
      const plain = this.#peek(request, nowMs);
      if (plain !== undefined) return Promise.resolve(this.#handHit(plain, request));
      const query = toAppTokenQuery(authority, request);
      if (request.signal?.aborted) throw abortError(request.signal, request.correlationId);
      const slot = this.#engine.cache.index.find(this.#owner, query.bucket, query.key, nowMs);
      const serves = slot !== undefined && isFresh(slot, nowMs) && request.claims === undefined;
      if (!serves) return this.#acquireFurther(request, query, slot, nowMs);
      return Promise.resolve(this.#handHit(slot, request));
    } catch (error) {
      return Promise.reject(toAuthError(error));
    }
  }

  /** The common hit: a token is there under the request's very texts, and those were checked when it came. */
  #peek(request: ClientCredentialRequest, nowMs: number): Slot | undefined {
    if (!isPlain(request)) return undefined;
    const realm = request.tenantId ?? this.#engine.configuration.authority.tenant;
    if (isSharedTenant(realm)) return undefined;
    const slot = this.#engine.cache.index.findExact(this.#owner, realm, request.scopes[0] as string);
    return slot !== undefined && isFresh(slot, nowMs) ? slot : undefined;
  }

  /** The memory has no token, or one that should be replaced. */
  async #acquireFurther(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    slot: Slot | undefined,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    try {
      const reason = reasonOf(request, slot, nowMs);
      const work = this.#fly(request, query, reason);
      const waiting = slot !== undefined && reason === "proactive_refresh"
        ? this.#refreshAhead(work, slot, request)
        : work;
      const found = await untilAborted(waiting, request.signal, request.correlationId)
        .catch((error) => this.#outlive(toAuthError(error), slot, reason));
      const durationMs = this.#engine.configuration.clock.now() - nowMs;
      return this.#handFound(found, request, reason, durationMs);
    } catch (error) {
      const failure = toAuthError(error);
      const correlationId = failure.correlationId ?? request.correlationId;
      this.#engine.configuration.emit?.({ type: "token_failed", error: failure, correlationId });
      throw failure;
    }
  }

  /** Joins the work for this very token, or begins it. */
  #fly(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    reason: RefreshReason,
  ): Promise<AppTokenFound> {
    const { clientCapabilities, waitUntil: appWaitUntil } = this.#engine.configuration;
    const parameters = toAppTokenParameters(request, clientCapabilities);
    const waitUntil = requireWaitUntil(request.waitUntil) ?? appWaitUntil;
    const key = lengthPrefixed([
      query.bucket,
      query.key,
      request.claims === undefined ? "" : parameters.claims ?? "",
    ]);
    return this.#flights.run(key, { waitUntil, deadlineMs: this.#engine.flightDeadlineMs }, () => {
      const correlationId = request.correlationId ?? crypto.randomUUID();
      const errand: AppTokenErrand = { request, query, parameters, reason, correlationId, waitUntil };
      return this.#source.get(errand);
    });
  }

  /** A refresh that is due, though the token is good: in the background if anything keeps it alive there. */
  #refreshAhead(
    work: Promise<AppTokenFound>,
    slot: Slot,
    request: ClientCredentialRequest,
  ): Promise<AppTokenFound | Slot> {
    const { clock, emit, waitUntil } = this.#engine.configuration;
    slot.refreshAtMs = clock.now() + REFRESH_PAUSE_MS;
    const settled = work.catch((error: unknown): Slot => {
      const failure = toAuthError(error);
      emit?.({ type: "refresh_failed", error: failure, correlationId: failure.correlationId });
      return slot;
    });
    if ((request.waitUntil ?? waitUntil) !== undefined) return Promise.resolve(slot);
    return withDeadline(clock, settled, REFRESH_PATIENCE_MS, () => slot);
  }

  /** A token that is still good wins over a failed refresh, unless a challenge was refused for good. */
  #outlive(failure: AuthError, slot: Slot | undefined, reason: RefreshReason): Slot {
    const { clock, emit } = this.#engine.configuration;
    const good = slot !== undefined && slot.expiresOnMs > clock.now();
    const spared = reason !== "force_refresh_or_claims" || isOutage(failure);
    if (
      !good || !spared || failure.code === "request_aborted" || failure.name === "ClientConfigurationError"
    ) {
      throw failure;
    }
    emit?.({ type: "refresh_failed", error: failure, correlationId: failure.correlationId });
    return slot;
  }

  #handHit(slot: Slot, request: ClientCredentialRequest): AuthenticationResult {
    this.#engine.telemetry?.hit();
    return this.#hand(slot, HIT, request.correlationId ?? "");
  }

  #handFound(
    found: AppTokenFound | Slot,
    request: ClientCredentialRequest,
    refreshReason: RefreshReason,
    durationMs: number,
  ): AuthenticationResult {
    const { cacheLevel, correlationId } = "cacheLevel" in found
      ? found
      : { cacheLevel: "memory" as const, correlationId: request.correlationId ?? "" };
    const tokenSource = cacheLevel === "none" ? "identity_provider" : "cache";
    return this.#hand("token" in found ? found.token : found, {
      tokenSource,
      cacheLevel,
      refreshReason,
      durationMs,
    }, correlationId);
  }

  #hand(
    token: CachedToken,
    context: ResultContext,
    correlationId: string,
  ): AuthenticationResult {
    this.#engine.configuration.emit?.({
      type: "token_acquired",
      tokenSource: context.tokenSource,
      refreshReason: context.refreshReason,
      tenantId: token.realm,
      scopes: token.scopes,
      correlationId,
    });
    return toResult(token, context, correlationId);
  }

  /**
   * Removes app tokens from the memory and from the store, and keeps those out that are on their way.
   *
   * @param request Which ones.
   */
  async remove(request: RemoveTokensRequest = {}): Promise<void> {
    const { authority, clock } = this.#engine.configuration;
    const { tenantId, fmiPath } = request;
    const realm = tenantId === undefined ? undefined : realmOf(authority, tenantId);
    const ext = fmiPath === undefined ? undefined : `=${extTextOf({ scopes: [], fmiPath })}`;
    const { extHash } = await this.#source.partitionOf("", "", ext?.slice(1) ?? "");
    const removed = this.#engine.cache.index.removeOwned(
      this.#owner,
      (token) =>
        (realm === undefined || token.realm.toLowerCase() === realm) &&
        (ext === undefined || token.ext === ext || token.extHash === extHash),
      clock.now(),
    );
    if (removed.length > 0) this.#engine.cache.changed();
    await this.#removeStored(removed.map((token) => [token.realm.toLowerCase(), token.ext]), realm, ext);
  }

  /** Deletes the partitions of what was in memory, and the one that the request itself names. */
  async #removeStored(known: string[][], realm: string | undefined, ext: string | undefined): Promise<void> {
    const { partitions } = this.#engine;
    if (partitions === undefined) return;
    const { authority } = this.#engine.configuration;
    const named = [realm ?? authority.tenant, ext ?? ""];
    const distinct = new Map([...known, named].map((pair) => [lengthPrefixed(pair), pair]));
    await Promise.all([...distinct.values()].map(async ([name = "", text = ""]) => {
      await partitions.delete(await this.#source.partitionOf(name, "", text.slice(1)));
    }));
  }
}

/** Whether nothing sets a request apart but its tenant and its one scope. */
function isPlain(request: ClientCredentialRequest): boolean {
  return request?.scopes?.length === 1 && request.claims === undefined && request.signal === undefined &&
    request.correlationId === undefined && request.fmiPath === undefined &&
    request.forwardedClientClaims === undefined && request.extraQueryParameters === undefined &&
    request.extraBodyParameters === undefined;
}

function isFresh(slot: Slot, nowMs: number): boolean {
  return slot.expiresOnMs - nowMs >= EXPIRY_MARGIN_SECONDS * 1000 && nowMs < slot.refreshAtMs;
}

function reasonOf(request: ClientCredentialRequest, slot: Slot | undefined, nowMs: number): RefreshReason {
  if (request.claims !== undefined) return "force_refresh_or_claims";
  if (slot === undefined) return "no_cached_token";
  return slot.expiresOnMs - nowMs < EXPIRY_MARGIN_SECONDS * 1000 ? "expired" : "proactive_refresh";
}
