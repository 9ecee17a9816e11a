/**
 * Gets an app token that the memory does not have: from the store, or from the authority.
 *
 * @module
 */

import type { AppPartition } from "../cache/cache_core.ts";
import type { CachedToken } from "../cache/cached_token.ts";
import { isUsable, ownerKey } from "../cache/token_index.ts";
import type { AppliedCredential, CredentialSource } from "../credential/client_credential.ts";
import { sha256 } from "../crypto/digest.ts";
import type { ClientCredentialRequest } from "../request/requests.ts";
import { scopeKey, splitScopes } from "../request/scopes.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { buildClientCredentialsForm } from "../token/grant_client_credentials.ts";
import { ACQUIRE_TOKEN_FOR_CLIENT } from "../token/telemetry.ts";
import type { TokenResponse } from "../token/token_response.ts";
import type { AppTokenQuery } from "./app_token_query.ts";
import type { Engine } from "./engine.ts";

/** One piece of work, shared by everybody who asks for the same token. */
export interface AppTokenErrand {
  /** The request that began it. */
  readonly request: ClientCredentialRequest;
  /** The request, checked. */
  readonly query: AppTokenQuery;
  /** Why a token is needed. */
  readonly reason: RefreshReason;
  /** The id to send. */
  readonly correlationId: string;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** A token and where it was found. */
export interface AppTokenFound {
  /** The token. */
  readonly token: CachedToken;
  /** In which cache it was; `none` for a new one. */
  readonly cacheLevel: "none" | "memory" | "store";
  /** The id that was sent; empty where nothing was. */
  readonly correlationId: string;
}

/** Gets app tokens from further away than the memory. */
export class AppTokenSource {
  readonly #engine: Engine;
  readonly #credential: CredentialSource;

  /**
   * Joins an application's parts and its credential.
   *
   * @param engine The parts.
   * @param credential The credential.
   */
  constructor(engine: Engine, credential: CredentialSource) {
    this.#engine = engine;
    this.#credential = credential;
  }

  /**
   * Gets a token: one read of the store, if there is one, and else one request.
   *
   * @param errand What is needed.
   * @returns The token.
   */
  async get(errand: AppTokenErrand): Promise<AppTokenFound> {
    const { query, reason, correlationId, waitUntil } = errand;
    const { cache, clock } = this.#engine.configuration;
    const askedAtMs = clock.now();
    const partition = await this.partitionOf(query);
    await cache.load(partition, query.key, askedAtMs);
    const known = cache.index.find(partition.owner, query.bucket, query.key, askedAtMs);
    const renewed = known !== undefined && isUsable(known, askedAtMs) &&
      askedAtMs < (known.refreshOn ?? Infinity) * 1000;
    if (renewed && reason !== "force_refresh_or_claims") {
      return { token: known, cacheLevel: cache.stored ? "store" : "memory", correlationId: "" };
    }
    const token = this.#tokenOf(await this.#ask(errand), errand, partition);
    if (cache.index.put(token, askedAtMs)) {
      const saved = cache.save(partition, askedAtMs);
      if (typeof waitUntil === "function") waitUntil(saved);
      else if (waitUntil === undefined) await saved;
    }
    return { token, cacheLevel: "none", correlationId };
  }

  /** The partition of a bucket of this client's. */
  async partitionOf(
    { realm, bucket, ext }: Pick<AppTokenQuery, "realm" | "bucket" | "ext">,
  ): Promise<AppPartition> {
    const { authority, clientId } = this.#engine.configuration;
    const extHash = ext && (await sha256(ext.slice(1))).toLowerCase();
    return { owner: ownerKey(authority.environment, clientId, ""), bucket, clientId, realm, ext, extHash };
  }

  async #ask({ request, query, reason, correlationId, waitUntil }: AppTokenErrand): Promise<TokenResponse> {
    const { fmiPath } = request;
    const { authority, clientId } = this.#engine.configuration;
    const url = await this.#engine.tokenEndpointUrl(query.realm, correlationId, waitUntil);
    const tokenEndpoint = url.href;
    for (const [name, value] of Object.entries(request.extraQueryParameters ?? {})) {
      url.searchParams.set(name, value);
    }
    return await this.#engine.tokenEndpoint.requestToken({
      url,
      form: buildClientCredentialsForm(clientId, request, query.claims, authority.kind === "aad"),
      credential: (): Promise<AppliedCredential> =>
        this.#credential.apply({ clientId, tenantId: query.realm, tokenEndpoint, correlationId, fmiPath }),
      apiId: ACQUIRE_TOKEN_FOR_CLIENT,
      reason,
      correlationId,
      sendCorrelationId: request.correlationId !== undefined,
    });
  }

  /** The cache's view of an answer. The scopes granted count; the ones asked for find it, too. */
  #tokenOf(
    { scope, ...issued }: TokenResponse,
    { request, query, correlationId }: AppTokenErrand,
    partition: AppPartition,
  ): CachedToken {
    const { authority, emit } = this.#engine.configuration;
    const granted = scope === undefined ? [...request.scopes] : splitScopes(scope);
    const scopes = request.scopes.filter((scope) => !scope.endsWith("/.default") && !granted.includes(scope));
    if (scopes.length > 0) emit?.({ type: "scopes_missing", scopes, correlationId });
    return {
      ...partition,
      ...issued,
      environment: authority.environment,
      homeAccountId: "",
      scopes: Object.freeze(granted),
      requestedKey: scopeKey(granted) === query.key ? undefined : query.key,
      keyId: "",
    };
  }
}
