/**
 * Users' tokens without a user: from memory at once, else from the store, else by a refresh token.
 *
 * @module
 */

import type { UserRecord } from "../cache/cached_user.ts";
import { isFresh, isStale, ownerKey } from "../cache/token_index.ts";
import type { AccountInfo } from "../request/account_info.ts";
import { mergeClaims } from "../request/claims.ts";
import type { TokenRequest } from "../request/requests.ts";
import { scopeKey } from "../request/scopes.ts";
import type { SilentRequest } from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { untilAborted } from "../runtime/wait.ts";
import { extOf, extrasOf } from "./app_token_query.ts";
import { bucketFor } from "./bound_tokens.ts";
import type { Engine } from "./engine.ts";
import { noTokens, RefreshTokens } from "./refresh_tokens.ts";
import { isRenewed, type KnownToken, reasonOf, Renewals } from "./renewals.ts";
import { failed, fromMemory, handOut, requireTokenRequest, type TokenFound } from "./token_found.ts";
import type { UserGrants } from "./user_grants.ts";
import type { Redeem, UserPlace, UserQuestion } from "./user_question.ts";
import {
  isOfOtherIssuer,
  realmOfIssuer,
  realmOfUser,
  requireAccount,
  tenantOf,
  userScopesOf,
} from "./user_query.ts";

/** What is asked for a user, whoever that is. */
export type UserRequest = Omit<SilentRequest, "account">;

/** Acquires the tokens of users who signed in before. */
export class SilentFlow {
  readonly #engine: Engine;
  readonly #renewals: Renewals;
  readonly #redeem: Redeem;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param grants Redeems refresh tokens.
   */
  constructor(engine: Engine, grants: UserGrants) {
    this.#engine = engine;
    this.#renewals = new Renewals(engine);
    const refreshTokens = new RefreshTokens(engine, grants);
    this.#redeem = (...about) => refreshTokens.redeem(...about);
  }

  /**
   * Gets a user's token. Not an async function, so that a hit costs no more waiting than its own promise.
   *
   * @param request The request.
   * @returns The token.
   */
  acquire(request: SilentRequest): Promise<AuthenticationResult> {
    return this.acquireFor(request, (tenant) => {
      const { account } = request;
      const homeAccountId = requireAccount(account);
      if (isOfOtherIssuer(this.#engine.configuration.authority, homeAccountId)) {
        throw noTokens(request.correlationId ?? crypto.randomUUID());
      }
      const realm = this.realmOf(tenant, account, request);
      return typeof realm === "string"
        ? { homeAccountId, tenant, realm }
        : realm.then((found) => ({ homeAccountId, tenant, realm: found }));
    });
  }

  /**
   * Gets a token of whoever is meant, at once where the cache has it and nobody has to be asked who that is.
   *
   * @param given The request.
   * @param placeOf Checks what only this kind of request has, and finds out whose token is asked for.
   * @returns The token.
   */
  acquireFor(
    given: UserRequest,
    placeOf: (tenant: string) => UserPlace | Promise<UserPlace>,
  ): Promise<AuthenticationResult> {
    try {
      const { configuration } = this.#engine;
      const { authority, clock } = configuration;
      const scopes = userScopesOf(configuration, given?.scopes);
      const request = scopes === given.scopes ? given : { ...given, scopes };
      requireTokenRequest(request);
      const tenant = tenantOf(authority, request.tenantId);
      const ext = extOf(request);
      const nowMs = clock.now();
      const place = placeOf(tenant);
      if (!("then" in place)) return this.#acquireIn(place, ext, request, nowMs);
      // What the caller may change before it is sent.
      const { extraBody, extraQuery } = extrasOf(request);
      const extras = { extraBodyParameters: extraBody, extraQueryParameters: extraQuery };
      const snapshot = { ...request, ...extras, scopes: [...scopes] };
      return untilAborted(place, snapshot.signal, snapshot.correlationId).then(
        (found) => this.#acquireIn(found, ext, snapshot, nowMs),
        (error) => Promise.reject(failed(this.#engine, error)),
      );
    } catch (error) {
      return Promise.reject(failed(this.#engine, error));
    }
  }

  /**
   * Finds the tenant of a user's tokens; that of a domain name its issuer tells.
   *
   * @param tenant The tenant that is asked.
   * @param account The account: where many tenants are meant, its own counts.
   * @param request The call.
   * @returns The realm.
   */
  realmOf(
    tenant: string,
    account: AccountInfo | string,
    { correlationId, waitUntil }: Pick<TokenRequest, "correlationId" | "waitUntil">,
  ): string | Promise<string> {
    const { metadata, configuration } = this.#engine;
    const realm = realmOfUser(configuration.authority, tenant, account);
    if (realm !== undefined) return realm;
    const found = metadata.issuer(tenant, correlationId ?? "", waitUntil ?? configuration.waitUntil);
    return "then" in found
      ? found.then(({ issuer }) => realmOfIssuer(issuer, tenant))
      : realmOfIssuer(found.issuer, tenant);
  }

  #acquireIn(
    place: UserPlace,
    ext: string,
    request: UserRequest,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    const { authority: { environment }, clientId } = this.#engine.configuration;
    const { authScheme, scopes, claims, forceRefresh } = request;
    const { homeAccountId, realm } = place;
    const owner = ownerKey(environment, clientId, homeAccountId);
    const asked = { owner, bucket: bucketFor(realm, authScheme, ext), key: scopeKey(scopes) };
    let known = this.#known(place, asked, nowMs);
    const isForced = claims !== undefined || forceRefresh === true;
    if (known !== undefined && !isForced && isFresh(known.token, nowMs)) {
      if (known.profile !== undefined && !isStale(known.token, nowMs)) {
        return Promise.resolve(handOut(this.#engine, known, request));
      }
      // Nothing is wrong with the token: memory forgot whose it is, or another isolate may have removed it.
      known = undefined;
    }
    const user = { environment, clientId, homeAccountId };
    return this.#acquireFurther({ ...asked, place, user, ext }, request, isForced, known, nowMs);
  }

  /** What memory has, and whose it is: both looked up at once, so that they belong together. */
  #known(
    { hash, realm }: UserPlace,
    { owner, bucket, key }: Pick<UserQuestion, "owner" | "bucket" | "key">,
    nowMs: number,
    loaded?: UserRecord,
  ): KnownToken | undefined {
    const { index, users } = this.#engine.configuration.cache;
    const slot = index.find(owner, bucket, key, nowMs);
    const user = slot && (users.user(owner) ?? loaded);
    // What came by another assertion may be another user's.
    if (slot === undefined || (hash !== undefined && !user?.onBehalfOf?.startsWith(hash))) return undefined;
    return fromMemory(slot, user?.profiles.get(realm));
  }

  /** The memory has no token, or one that should be replaced. */
  async #acquireFurther(
    asked: Pick<UserQuestion, "place" | "user" | "owner" | "bucket" | "key" | "ext">,
    request: UserRequest,
    isForced: boolean,
    known: KnownToken | undefined,
    nowMs: number,
  ): Promise<AuthenticationResult> {
    const { clientCapabilities, clock, waitUntil } = this.#engine.configuration;
    const { signal, correlationId } = request;
    const { owner, bucket, key, place } = asked;
    const { tenant, realm, flight = "" } = place;
    try {
      const question: UserQuestion = {
        ...asked,
        tenant,
        realm,
        scopes: [...request.scopes],
        claims: mergeClaims(request.claims, clientCapabilities),
        extraBody: { ...request.extraBodyParameters },
        extraQuery: { ...request.extraQueryParameters },
        reason: reasonOf(isForced, known?.token, nowMs),
        stale: known?.token,
        correlationId,
        authScheme: request.authScheme,
        waitUntil: request.waitUntil ?? waitUntil,
      };
      const renewal = {
        ...question,
        name: [owner, bucket, key, flight],
        find: (atMs: number) => this.#known(place, asked, atMs),
        challenge: request.claims === undefined ? "" : question.claims ?? "",
      };
      const work = this.#renewals.run(renewal, known, nowMs, () => this.#renew(question));
      const found = await untilAborted(work, signal, correlationId);
      // Memory may have been told whose it is meanwhile.
      const held = this.#known(place, asked, clock.now());
      const profile = found.profile ?? (held?.token === found.token ? held.profile : undefined);
      return handOut(this.#engine, { ...found, profile }, question, question.reason, clock.now() - nowMs);
    } catch (error) {
      throw failed(this.#engine, error);
    }
  }

  /** One read of the store, if there is one, and else a refresh token or what else brings a new one. */
  async #renew(question: UserQuestion): Promise<TokenFound> {
    const { users } = this.#engine.configuration.cache;
    const { redeem = this.#redeem } = question.place;
    const asked = users.removals;
    const loaded = await users.load(question.user, undefined, { consistency: "eventual" });
    const find = (record: UserRecord | undefined): TokenFound | undefined => this.#find(question, record);
    return find(loaded) ?? await redeem(question, asked, loaded, find);
  }

  /** What somebody else has got meanwhile, after a read of the store. */
  #find(question: UserQuestion, loaded: UserRecord | undefined): TokenFound | undefined {
    const { cache: { users }, clock } = this.#engine.configuration;
    const nowMs = clock.now();
    const known = this.#known(question.place, question, nowMs, loaded);
    if (known === undefined || !isRenewed(known.token, question, nowMs)) return undefined;
    return { ...known, cacheLevel: users.stored ? "store" : "memory" };
  }
}
