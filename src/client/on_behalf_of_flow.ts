/**
 * Tokens for other APIs on behalf of the user who calls this one, while the call lasts and after it.
 *
 * @module
 */

import { namesTenants } from "../authority/authority.ts";
import { isSharedTenant } from "../authority/tenant.ts";
import type { UserKey, UserRecord } from "../cache/cached_user.ts";
import { assertionOwner, processOwner } from "../cache/on_behalf_of.ts";
import { ownerKey } from "../cache/token_index.ts";
import type { Keep } from "../cache/turns.ts";
import { sha256 } from "../crypto/digest.ts";
import { randomToken } from "../crypto/pkce.ts";
import { refuse } from "../errors/errors.ts";
import type { ServerErrorDetails } from "../errors/server_error.ts";
import type {
  LongRunningProcessRequest,
  LongRunningTokenRequest,
  OnBehalfOfRequest,
} from "../request/on_behalf_of_requests.ts";
import type { AuthenticationResult, LongRunningProcess } from "../result/authentication_result.ts";
import { ON_BEHALF_OF_GRANT } from "../token/grant_user.ts";
import { ACQUIRE_TOKEN_ON_BEHALF_OF } from "../token/telemetry.ts";
import { expiredAssertion, readUserAssertion, type UserAssertion } from "../token/user_assertion.ts";
import type { Engine } from "./engine.ts";
import { TextMemo } from "./text_memo.ts";
import { guarded, type TokenFound } from "./token_found.ts";
import { turnOf } from "./turns.ts";
import type { UserFlows } from "./user_flows.ts";
import { tenantOfRealm } from "./user_query.ts";
import type { Redeem, UserPlace, UserQuestion } from "./user_question.ts";

/** AADSTS500133: the assertion has expired. */
const ASSERTION_EXPIRED = 500133;

/** Acquires tokens on behalf of callers. */
export class OnBehalfOfFlow {
  readonly #engine: Engine;
  readonly #flows: UserFlows;
  readonly #assertions: TextMemo<UserAssertion> = new TextMemo();
  readonly #owners: TextMemo<string> = new TextMemo();

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param flows The flows of users.
   */
  constructor(engine: Engine, flows: UserFlows) {
    this.#engine = engine;
    this.#flows = flows;
  }

  /**
   * Gets a token on behalf of a caller. Not an async function, so that a hit costs no more waiting than its own promise.
   *
   * @param request The request.
   * @returns The token.
   */
  acquire(request: OnBehalfOfRequest): Promise<AuthenticationResult> {
    return this.#flows.silent.acquireFor(
      request,
      (tenant) => then(this.#assertionOf(request), (known) => this.#placeOf(known, tenant, request)),
    );
  }

  /**
   * Begins a process that goes on after the call.
   *
   * @param request The request.
   * @returns The process's key, and the first token.
   */
  async initiate(request: LongRunningProcessRequest): Promise<LongRunningProcess> {
    const { sessionKey = randomToken() } = request ?? {};
    const result = await this.#flows.silent.acquireFor(request, async (tenant) => {
      // The key first: nobody would hear of an assertion that is refused meanwhile.
      const owner = this.#ownerOf(sessionKey);
      return this.#placeOf(await this.#assertionOf(request), tenant, request, await owner);
    });
    return { sessionKey, result };
  }

  /**
   * Gets a token for a process that has begun.
   *
   * @param request The request.
   * @returns The token.
   */
  proceed(request: LongRunningTokenRequest): Promise<AuthenticationResult> {
    return this.#flows.silent.acquireFor(
      request,
      (tenant) =>
        then(this.#ownerOf(request.sessionKey), (known) => this.#placeOfProcess(known, tenant, request)),
    );
  }

  /**
   * Ends a process.
   *
   * @param sessionKey Its key.
   */
  stop(sessionKey: string): Promise<void> {
    return guarded(this.#engine, async () => {
      await this.#engine.configuration.cache.users.remove(this.#keyOf(await this.#ownerOf(sessionKey)));
    });
  }

  #assertionOf(request: OnBehalfOfRequest): UserAssertion | Promise<UserAssertion> {
    const { userAssertion, correlationId } = request;
    const { authority, clock } = this.#engine.configuration;
    const nowMs = clock.now();
    const check = (assertion: UserAssertion): UserAssertion => {
      const { expiresOn = Infinity } = assertion;
      if (expiresOn * 1000 <= nowMs) throw expiredAssertion(correlationId);
      this.#assertions.put(assertion.text, assertion, expiresOn * 1000, nowMs);
      return assertion;
    };
    return this.#assertions.get(userAssertion, nowMs) ??
      readUserAssertion(userAssertion, namesTenants(authority), correlationId).then(check);
  }

  #ownerOf(sessionKey: unknown): string | Promise<string> {
    if (typeof sessionKey !== "string" || !/^[\x21-\x7e]{16,1024}$/.test(sessionKey)) {
      refuse(
        "invalid_request",
        "sessionKey",
        "it must be 16 to 1024 characters, hard to guess, without spaces",
      );
    }
    const { authority: { kind, base }, clock } = this.#engine.configuration;
    // At one host there may be several issuers: a refresh token is for its own alone.
    return this.#owners.get(sessionKey, clock.now()) ??
      sha256(`${sessionKey} ${kind === "oidc" ? base : ""}`).then((hash) => {
        const owner = processOwner(hash);
        this.#owners.put(sessionKey, owner, Infinity, clock.now());
        return owner;
      });
  }

  #keyOf(homeAccountId: string): UserKey {
    const { authority: { environment }, clientId } = this.#engine.configuration;
    return { environment, clientId, homeAccountId };
  }

  /** Where a caller's tokens are; those of a process where `owner` is one. */
  #placeOf(
    assertion: UserAssertion,
    tenant: string,
    request: OnBehalfOfRequest,
    owner?: string,
  ): UserPlace | Promise<UserPlace> {
    const { authority } = this.#engine.configuration;
    const { hash, tenant: own } = assertion;
    const isShared = authority.kind === "aad" && isSharedTenant(tenant);
    const realm = isShared
      ? own ?? refuse("invalid_tenant", "tenantId", "userAssertion does not tell it: name it")
      : this.#flows.silent.realmOf(tenant, "", request);
    return then(realm, (found) => ({
      homeAccountId: owner ?? assertionOwner(hash),
      tenant: isShared ? tenantOfRealm(found) : tenant,
      realm: found,
      hash,
      // Whoever begins a process anew must not get what another user's beginning brings.
      flight: hash,
      redeem: this.#redeemer(assertion, owner !== undefined),
    }));
  }

  /** Where a process's tokens are. Where many tenants are meant, that of its beginning counts. */
  #placeOfProcess(
    homeAccountId: string,
    tenant: string,
    request: LongRunningTokenRequest,
  ): UserPlace | Promise<UserPlace> {
    const { authority, cache: { users } } = this.#engine.configuration;
    const key = this.#keyOf(homeAccountId);
    const known = users.user(ownerKey(key.environment, key.clientId, homeAccountId));
    const placeAt = (realm: string, record: UserRecord | undefined): UserPlace => ({
      homeAccountId,
      tenant,
      realm,
      // A renewal for who had the process before is not shared.
      flight: record?.onBehalfOf ?? "-",
    });
    if (authority.kind === "oidc" || !isSharedTenant(tenant)) {
      return then(this.#flows.silent.realmOf(tenant, "", request), (found) => placeAt(found, known));
    }
    return then(
      known ?? users.load(key, undefined, { consistency: "eventual" }),
      (record) => placeAt([...record?.profiles.keys() ?? []][0] ?? tenant, record),
    );
  }

  /** Sends an assertion; isolates do that one after the other, where the store has locks. */
  #redeemer(assertion: UserAssertion, isProcess: boolean): Redeem {
    return async (question, asked, _loaded, find) => {
      const { turns, users } = this.#engine.configuration.cache;
      const work = (keep?: Keep): Promise<TokenFound> =>
        this.#send(question, assertion, isProcess, asked, keep);
      const turn = turnOf(
        this.#engine,
        question,
        isProcess,
        async () => find(await users.load(question.user, undefined, { consistency: "strong" })),
      );
      return await (turn && turns ? turns.run(turn, work) : work());
    };
  }

  async #send(
    question: UserQuestion,
    { text, hash, expiresOn, tenant, objectId }: UserAssertion,
    isProcess: boolean,
    asked: number,
    keep: Keep | undefined,
  ): Promise<TokenFound> {
    const { allowedTenants } = this.#engine.configuration;
    const { correlationId = crypto.randomUUID(), user: { homeAccountId: owner } } = question;
    // The refresh token outlives the assertion.
    const endsOn = isProcess ? undefined : expiresOn;
    try {
      return await this.#flows.grants.redeem({
        ...question,
        grant: { grant_type: ON_BEHALF_OF_GRANT, assertion: text, requested_token_use: "on_behalf_of" },
        sendsScopes: true,
        apiId: ACQUIRE_TOKEN_ON_BEHALF_OF,
        correlationId,
        sendCorrelationId: question.correlationId !== undefined,
        isOneTime: false,
        expected: { nonceOptional: true },
        // Without one nobody could tell of which tenant the user is.
        requiresIdToken: allowedTenants !== "any",
        behalf: { owner, hash, isProcess, tenant, objectId, endsOn },
        asked,
        keep,
      });
    } catch (error) {
      const { errorCodes } = error as Partial<ServerErrorDetails>;
      throw errorCodes?.includes(ASSERTION_EXPIRED) ? expiredAssertion(correlationId) : error;
    }
  }
}

/** Goes on at once where nothing has to be waited for: the hit path waits for nothing. */
function then<T, R>(value: T | Promise<T>, next: (value: T) => R | Promise<R>): R | Promise<R> {
  return value instanceof Promise ? value.then(next) : next(value);
}
