/**
 * Gets an app token that the memory does not have: from the store, or from the authority.
 *
 * @module
 */

import type { CachedToken } from "../cache/access_token.ts";
import type { AppPartition } from "../cache/app_partition.ts";
import { bucketKey, EXPIRY_MARGIN_SECONDS, ownerKey } from "../cache/token_index.ts";
import type { AppliedCredential, CredentialSource } from "../credential/client_credential.ts";
import { sha256 } from "../crypto/digest.ts";
import type { ClientCredentialRequest } from "../request/requests.ts";
import { scopeKey, splitScopes } from "../request/scopes.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { buildClientCredentialsForm } from "../token/grant_client_credentials.ts";
import { API_IDS } from "../token/telemetry.ts";
import type { IssuedToken } from "../token/token_endpoint.ts";
import type { AppTokenParameters, AppTokenQuery } from "./app_token_query.ts";
import type { Engine } from "./engine.ts";

/** One piece of work, shared by everybody who asks for the same token. */
export interface AppTokenErrand {
  /** The request that began it. */
  readonly request: ClientCredentialRequest;
  /** What is looked up. */
  readonly query: AppTokenQuery;
  /** What is sent. */
  readonly parameters: AppTokenParameters;
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
  /** The id that was sent. */
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
    const { correlationId } = errand;
    const askedAtMs = this.#engine.configuration.clock.now();
    const partition = await this.partitionOf(errand.query.realm, errand.query.bucket, errand.query.extText);
    await this.#engine.partitions?.load(partition, askedAtMs);
    if (partition.ext !== "") this.#adopt(partition, errand.query.key, askedAtMs);
    const recalled = this.#recall(errand, askedAtMs);
    if (recalled !== undefined) {
      return { token: recalled, cacheLevel: this.#engine.partitions ? "store" : "memory", correlationId };
    }
    const token = this.#tokenOf(await this.#ask(errand), errand, partition);
    if (this.#engine.cache.index.put(token, askedAtMs)) {
      await this.#save(partition, askedAtMs, errand.waitUntil);
    }
    return { token, cacheLevel: "none", correlationId };
  }

  /** The store's partition for a bucket of this client's. */
  async partitionOf(realm: string, bucket: string, extText: string): Promise<AppPartition> {
    const { authority, clientId } = this.#engine.configuration;
    return {
      owner: ownerKey(authority.environment, clientId, ""),
      bucket,
      clientId,
      realm,
      ext: extText === "" ? "" : `=${extText}`,
      extHash: extText === "" ? "" : (await sha256(extText)).toLowerCase(),
    };
  }

  /** A serialised token names its extra components by their hash alone; here their text is known. */
  #adopt(partition: AppPartition, key: string, nowMs: number): void {
    const { index } = this.#engine.cache;
    const hashed = bucketKey(partition.realm, "bearer", "", `#${partition.extHash}`);
    const slot = index.find(partition.owner, hashed, key, nowMs);
    if (slot === undefined) return;
    index.remove(slot);
    index.put({ ...slot, ext: partition.ext }, nowMs);
  }

  /** A token that came from the store just now, unless the caller needs one that is newer than any cache. */
  #recall(errand: AppTokenErrand, nowMs: number): CachedToken | undefined {
    const { query, reason } = errand;
    if (reason === "force_refresh_or_claims") return undefined;
    const { authority, clientId } = this.#engine.configuration;
    const owner = ownerKey(authority.environment, clientId, "");
    const token = this.#engine.cache.index.find(owner, query.bucket, query.key, nowMs);
    if (token === undefined || token.expiresOn * 1000 < nowMs + EXPIRY_MARGIN_SECONDS * 1000) {
      return undefined;
    }
    return (token.refreshOn ?? Infinity) * 1000 > nowMs ? token : undefined;
  }

  async #ask(errand: AppTokenErrand): Promise<IssuedToken> {
    const { request, query, parameters, reason, correlationId, waitUntil } = errand;
    const { configuration, tokenEndpoint } = this.#engine;
    const isEntra = configuration.authority.kind === "aad";
    const url = await this.#engine.tokenEndpointUrl(query.realm, { correlationId, waitUntil });
    const credential = (): Promise<AppliedCredential> =>
      this.#credential.apply({
        clientId: configuration.clientId,
        tenantId: query.realm,
        tokenEndpoint: url.href,
        correlationId,
        ...(request.fmiPath !== undefined && { fmiPath: request.fmiPath }),
      });
    const asked = new URL(url);
    for (const [name, value] of parameters.query) asked.searchParams.set(name, value);
    const form = buildClientCredentialsForm({
      clientId: configuration.clientId,
      scopes: request.scopes,
      claims: parameters.claims,
      fmiPath: request.fmiPath,
      isEntra,
      extra: parameters.body,
    });
    return await tokenEndpoint.requestToken({
      url: asked,
      form,
      credential,
      apiId: API_IDS.acquireTokenForClient,
      reason,
      correlationId,
      sendCorrelationId: request.correlationId !== undefined,
    });
  }

  /** The cache's view of an answer. The scopes granted count; the ones asked for find it, too. */
  #tokenOf(issued: IssuedToken, errand: AppTokenErrand, partition: AppPartition): CachedToken {
    const { authority, clientId, emit } = this.#engine.configuration;
    const { scopes: asked } = errand.request;
    const granted = issued.scope === undefined ? [...asked] : splitScopes(issued.scope);
    const missing = asked.filter((scope) => !scope.endsWith("/.default") && !granted.includes(scope));
    if (missing.length > 0) {
      emit?.({ type: "scopes_missing", scopes: missing, correlationId: errand.correlationId });
    }
    const at = issued.requestedAtSeconds;
    return {
      environment: authority.environment,
      clientId,
      realm: partition.realm,
      homeAccountId: "",
      scopes: Object.freeze(granted),
      requestedKey: scopeKey(granted) === errand.query.key ? undefined : errand.query.key,
      tokenType: issued.tokenType,
      keyId: "",
      ext: partition.ext,
      extHash: partition.extHash,
      secret: issued.accessToken,
      cachedAt: at,
      expiresOn: at + issued.expiresInSeconds,
      extendedExpiresOn: issued.extendedExpiresInSeconds > issued.expiresInSeconds
        ? at + issued.extendedExpiresInSeconds
        : undefined,
      refreshOn: issued.refreshInSeconds === undefined ? undefined : at + issued.refreshInSeconds,
    };
  }

  /** The caller has the token whatever becomes of the store, and waits for it only where nothing else would. */
  async #save(
    partition: AppPartition,
    nowMs: number,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<void> {
    this.#engine.cache.changed();
    const saved = this.#engine.partitions?.save(partition, nowMs);
    if (typeof waitUntil === "function" && saved !== undefined) waitUntil(saved);
    else if (waitUntil === undefined) await saved;
  }
}
