/**
 * Users' tokens without a user: from memory at once, else from the store, else by a refresh token.
 *
 * @module
 */

import type { UserRecord } from "../cache/cached_user.ts";
import { bucketKey, isFresh, ownerKey, type Slot } from "../cache/token_index.ts";
import { mergeClaims } from "../request/claims.ts";
import { requireUserScopes, scopeKey } from "../request/scopes.ts";
import type { SilentRequest } from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { untilAborted } from "../runtime/wait.ts";
import { extOf } from "./app_token_query.ts";
import type { Engine } from "./engine.ts";
import { RefreshTokens } from "./refresh_tokens.ts";
import { isRenewed, reasonOf, Renewals } from "./renewals.ts";
import { failed, fromMemory, handOut, requireTokenRequest, type TokenFound } from "./token_found.ts";
import type { UserGrants } from "./user_grants.ts";
import type { UserQuestion } from "./user_question.ts";
import { realmOfIssuer, realmOfUser, requireAccount, tenantOf } from "./user_query.ts";

/** Acquires the tokens of users who signed in before. */
export class SilentFlow {
  readonly #engine: Engine;
  readonly #grants: UserGrants;
  readonly #renewals: Renewals;
  readonly #refreshTokens: RefreshTokens;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param grants Redeems refresh tokens.
   */
  constructor(engine: Engine, grants: UserGrants) {
    this.#engine = engine;
    this.#grants = grants;
    this.#renewals = new Renewals(engine);
    this.#refreshTokens = new RefreshTokens(engine, grants);
  }

  /**
   * Gets a user's token. Not an async function, so that a hit costs no more waiting than its own promise.
   *
   * @param request The request.
   * @returns The token.
   */
  acquire(request: SilentRequest): Promise<AuthenticationResult> {
    try {
      const { authority, clock } = this.#engine.configuration;
      const { account, scopes, tenantId } = request ?? {};
      const homeAccountId = requireAccount(account);
      requireUserScopes(scopes, authority.kind === "aad");
      requireTokenRequest(request);
      const tenant = tenantOf(authority, tenantId);
      const nowMs = clock.now();
      const realm = realmOfUser(authority, tenant, account) ?? this.#realmOfDomain(tenant, request);
      if (typeof realm === "string") return this.#acquireIn(realm, tenant, homeAccountId, request, nowMs);
      const snapshot = { ...request, scopes: [...scopes] };
      return untilAborted(realm, snapshot.signal, snapshot.correlationId).then(
        (found) => this.#acquireIn(found, tenant, homeAccountId, snapshot, nowMs),
        (error) => Promise.reject(failed(this.#engine, error)),
      );
    } catch (error) {
      return Promise.reject(failed(this.#engine, error));
    }
  }

  #realmOfDomain(tenant: string, { correlationId, waitUntil }: SilentRequest): string | Promise<string> {
    const { metadata, configuration } = this.#engine;
    const found = metadata.issuer(tenant, correlationId ?? "", waitUntil ?? configuration.waitUntil);
    return "then" in found
      ? found.then(({ issuer }) => realmOfIssuer(issuer, tenant))
      : realmOfIssuer(found.issuer, tenant);
  }

  #acquireIn(
    realm: string,
    tenant: string,
    homeAccountId: string,
    request: SilentRequest,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    const { authority: { environment }, cache, clientId } = this.#engine.configuration;
    const { scopes, claims, forceRefresh } = request;
    const owner = ownerKey(environment, clientId, homeAccountId);
    const ext = extOf(request);
    const bucket = bucketKey(realm, "bearer", "", ext);
    const key = scopeKey(scopes);
    let slot = cache.index.find(owner, bucket, key, nowMs);
    const isForced = claims !== undefined || forceRefresh === true;
    if (slot !== undefined && !isForced && isFresh(slot, nowMs)) {
      const profile = cache.users.user(owner)?.profiles.get(realm);
      if (profile !== undefined) {
        return Promise.resolve(handOut(this.#engine, fromMemory(slot, profile), request));
      }
      // Memory forgot whose it is: nothing is wrong with the token.
      slot = undefined;
    }
    const user = { environment, clientId, homeAccountId };
    return this.#acquireFurther(
      { user, owner, tenant, realm, bucket, key, ext },
      request,
      isForced,
      slot,
      nowMs,
    );
  }

  /** The memory has no token, or one that should be replaced. */
  async #acquireFurther(
    place: Pick<UserQuestion, "user" | "owner" | "tenant" | "realm" | "bucket" | "key" | "ext">,
    request: SilentRequest,
    isForced: boolean,
    slot: Slot | undefined,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    const { clientCapabilities, clock, waitUntil } = this.#engine.configuration;
    const { signal, correlationId } = request;
    try {
      const question: UserQuestion = {
        ...place,
        scopes: [...request.scopes],
        claims: mergeClaims(request.claims, clientCapabilities),
        extraBody: { ...request.extraBodyParameters },
        extraQuery: { ...request.extraQueryParameters },
        reason: reasonOf(isForced, slot, nowMs),
        stale: slot,
        correlationId,
        waitUntil: request.waitUntil ?? waitUntil,
      };
      const challenge = request.claims === undefined ? "" : question.claims ?? "";
      const work = this.#renewals.run(
        { ...question, challenge },
        slot,
        nowMs,
        () => this.#renew(question),
      );
      const found = await untilAborted(work, signal, correlationId);
      const profile = found.profile ?? this.#grants.profile(place.user.homeAccountId, place.realm);
      return handOut(this.#engine, { ...found, profile }, question, question.reason, clock.now() - nowMs);
    } catch (error) {
      throw failed(this.#engine, error);
    }
  }

  /** One read of the store, if there is one, and else a refresh token. */
  async #renew(question: UserQuestion): Promise<TokenFound> {
    const { users } = this.#engine.configuration.cache;
    const asked = users.removals;
    const loaded = await users.load(question.user);
    const find = (record: UserRecord | undefined): TokenFound | undefined => this.#find(question, record);
    return find(loaded) ?? await this.#refreshTokens.redeem(question, asked, loaded, find);
  }

  /** What somebody else has got meanwhile, after a read of the store. */
  #find(
    { owner, bucket, key, realm, ...asked }: UserQuestion,
    loaded: UserRecord | undefined,
  ): TokenFound | undefined {
    const { cache, clock } = this.#engine.configuration;
    const nowMs = clock.now();
    const known = cache.index.find(owner, bucket, key, nowMs);
    if (!isRenewed(known, asked, nowMs)) return undefined;
    const profile = loaded?.profiles.get(realm);
    return { ...fromMemory(known, profile), cacheLevel: cache.users.stored ? "store" : "memory" };
  }
}
