/**
 * Gets an app token that the memory does not have: from the store, or from the authority.
 *
 * @module
 */

import type { AppPartition } from "../cache/cache_core.ts";
import type { Keep } from "../cache/turns.ts";
import { ownerKey } from "../cache/token_index.ts";
import type { CachedToken } from "../cache/cached_token.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { GetOptions } from "../store/store.ts";
import { keepAlive } from "../store/single_flight.ts";
import { ACQUIRE_TOKEN_FOR_CLIENT } from "../token/telemetry.ts";
import { type AppTokenQuery, extHashOf } from "./app_token_query.ts";
import type { Engine } from "./engine.ts";
import { toGrantedToken } from "./granted_token.ts";
import { isRenewed } from "./renewals.ts";
import type { TokenFound } from "./token_found.ts";
import { turnOf } from "./turns.ts";

/** One piece of work, shared by everybody who asks for the same token. It holds nothing that a caller can change. */
export interface AppTokenErrand {
  /** What is looked up. */
  readonly query: AppTokenQuery;
  /** The scopes asked for. */
  readonly scopes: readonly string[];
  /** What is sent, without the credential. */
  readonly form: URLSearchParams;
  /** Added to the query of the token endpoint. */
  readonly extraQuery: Readonly<Record<string, string>>;
  /** For the credential's function. */
  readonly fmiPath: string | undefined;
  /** Why a token is needed. */
  readonly reason: RefreshReason;
  /** The token that is to be replaced: finding that one again is no answer. */
  readonly stale: CachedToken | undefined;
  /** The id that the caller chose. */
  readonly correlationId: string | undefined;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** Gets app tokens from further away than the memory. */
export class AppTokenSource {
  readonly #engine: Engine;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Gets a token: one read of the store, if there is one, and else one request, which isolates make one after the other where
   * the store has locks.
   *
   * @param errand What is needed.
   * @returns The token.
   */
  async get(errand: AppTokenErrand): Promise<TokenFound> {
    const { cache } = this.#engine.configuration;
    const { key } = errand.query;
    const partition = await this.partitionOf(errand.query);
    const asked = cache.index.removals;
    const found = await this.#look(errand, partition);
    if (found !== undefined) return found;
    const turn = turnOf(
      this.#engine,
      { ...partition, key, reason: errand.reason },
      false,
      () => this.#look(errand, partition, { consistency: "strong" }),
    );
    if (turn === undefined || cache.turns === undefined) return await this.#ask(errand, partition, asked);
    return await cache.turns.run(turn, (keep) => this.#ask(errand, partition, asked, keep));
  }

  /** One read of the store: somebody else may have asked. */
  async #look(
    errand: AppTokenErrand,
    partition: AppPartition,
    options: GetOptions = { consistency: "eventual" },
  ): Promise<TokenFound | undefined> {
    const { cache, clock } = this.#engine.configuration;
    const { bucket, key } = errand.query;
    const nowMs = clock.now();
    await cache.load(partition, key, nowMs, options);
    const token = cache.index.find(partition.owner, bucket, key, nowMs);
    if (!isRenewed(token, errand, nowMs)) return undefined;
    return { token, cacheLevel: cache.stored ? "store" : "memory", correlationId: "" };
  }

  async #ask(
    errand: AppTokenErrand,
    partition: AppPartition,
    asked: number,
    keep?: Keep,
  ): Promise<TokenFound> {
    const { query, waitUntil } = errand;
    const { authority, cache, clock, emit } = this.#engine.configuration;
    const askedAtMs = clock.now();
    const correlationId = errand.correlationId ?? crypto.randomUUID();
    const to = { ...partition, environment: authority.environment, homeAccountId: "" };
    const token = toGrantedToken(
      await this.#engine.requestToken({
        ...errand,
        authScheme: query.authScheme,
        tenant: query.realm,
        apiId: ACQUIRE_TOKEN_FOR_CLIENT,
        correlationId,
        sendCorrelationId: errand.correlationId !== undefined,
      }),
      to,
      errand.scopes,
      emit,
      correlationId,
    );
    if (cache.index.put(token, asked)) {
      const saving = cache.save(partition, token, asked, askedAtMs);
      const saved = keep?.(saving) ?? saving;
      if (waitUntil === undefined) await saved;
      else keepAlive(waitUntil, saved);
    }
    return { token, cacheLevel: "none", correlationId };
  }

  /** The partition of a bucket of this client's. */
  async partitionOf({ realm, bucket, ext, authScheme }: Omit<AppTokenQuery, "key">): Promise<AppPartition> {
    const { authority, clientId } = this.#engine.configuration;
    const owner = ownerKey(authority.environment, clientId, "");
    const { tokenType, keyId } = authScheme ?? {};
    return { owner, bucket, clientId, realm, ext, extHash: await extHashOf(ext), tokenType, keyId };
  }
}
