/**
 * App tokens: from the memory at once, else from further away, shared by everybody who asks.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import { isFresh, isStale, ownerKey, realmKey, type Slot } from "../cache/token_index.ts";
import { mergeClaims } from "../request/claims.ts";
import type { ClientCredentialRequest, RemoveTokensRequest } from "../request/requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { RefreshReason } from "../runtime/events.ts";
import { untilAborted } from "../runtime/wait.ts";
import { buildClientCredentialsForm } from "../token/grant_client_credentials.ts";
import { type AppTokenQuery, extOf, realmOf, toAppTokenQuery } from "./app_token_query.ts";
import { type AppTokenErrand, AppTokenSource } from "./app_token_source.ts";
import type { Engine } from "./engine.ts";
import { type KnownToken, reasonOf, Renewals } from "./renewals.ts";
import { failed, fromMemory, handOut, requireTokenRequest } from "./token_found.ts";

/** Acquires and removes the app tokens of one application. */
export class AppTokenFlow {
  readonly #engine: Engine;
  readonly #source: AppTokenSource;
  readonly #renewals: Renewals;
  readonly #owner: string;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   */
  constructor(engine: Engine) {
    const { authority, clientId } = engine.configuration;
    this.#engine = engine;
    this.#source = new AppTokenSource(engine);
    this.#renewals = new Renewals(engine);
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
      requireTokenRequest(request ?? {});
      const query = toAppTokenQuery(authority, request);
      const nowMs = clock.now();
      let slot = cache.index.find(this.#owner, query.bucket, query.key, nowMs);
      if (slot !== undefined && isFresh(slot, nowMs) && request.claims === undefined) {
        if (!isStale(slot, nowMs)) return Promise.resolve(handOut(this.#engine, fromMemory(slot), request));
        // Another isolate may have removed it: if not, it is found once more.
        slot = undefined;
      }
      return this.#acquireFurther(request, query, slot, nowMs);
    } catch (error) {
      return Promise.reject(failed(this.#engine, error));
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
    const reason = reasonOf(request.claims !== undefined, slot, nowMs);
    try {
      const errand = this.#errand(request, query, reason, slot);
      const { index } = this.#engine.configuration.cache;
      const renewal = {
        name: [this.#owner, query.bucket, query.key],
        find: (atMs: number): KnownToken | undefined => {
          const known = index.find(this.#owner, query.bucket, query.key, atMs);
          return known && fromMemory(known);
        },
        reason,
        challenge: errand.form.get("claims") ?? "",
        waitUntil: errand.waitUntil,
      };
      const known = slot && fromMemory(slot);
      const work = this.#renewals.run(renewal, known, nowMs, () => this.#source.get(errand));
      const found = await untilAborted(work, signal, correlationId);
      return handOut(this.#engine, found, snapshot, reason, this.#engine.configuration.clock.now() - nowMs);
    } catch (error) {
      throw failed(this.#engine, error);
    }
  }

  /** Everything of a request that is needed after the first wait: the caller may change it then. */
  #errand(
    request: ClientCredentialRequest,
    query: AppTokenQuery,
    reason: RefreshReason,
    stale: CachedToken | undefined,
  ): AppTokenErrand {
    const { authority, clientCapabilities, clientId, waitUntil } = this.#engine.configuration;
    const claims = mergeClaims(request.claims, clientCapabilities, request.forwardedClientClaims);
    return {
      query,
      scopes: [...request.scopes],
      form: buildClientCredentialsForm(clientId, request, claims, authority.kind === "aad"),
      extraQuery: { ...request.extraQueryParameters },
      fmiPath: request.fmiPath,
      reason,
      stale,
      correlationId: request.correlationId,
      waitUntil: request.waitUntil ?? waitUntil,
    };
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
    const { clientId } = named;
    const gone = removed.map((token) => ({
      ...named,
      ...token,
      clientId,
      realm: realmKey(token),
      bucket: "",
    }));
    try {
      await cache.forget([named, ...gone], removed.length > 0);
    } finally {
      // What was read while the store was still removing it, and what is yet to come of such a read.
      if (cache.stored) cache.index.removeOwned(this.#owner, matches);
    }
  }
}
