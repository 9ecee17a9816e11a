/**
 * Redeems the refresh tokens that the cache has for a user, in MSAL's order.
 *
 * @module
 */

import { isEntra, takesOnce } from "../authority/authority.ts";
import type { CachedRefreshToken, UserKey, UserRecord } from "../cache/cached_user.ts";
import { hashIn, userIn } from "../cache/on_behalf_of.ts";
import type { Keep } from "../cache/turns.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { InteractionRequiredAuthError, type ServerErrorDetails } from "../errors/server_error.ts";
import { isWorkers } from "../runtime/host.ts";
import { withDeadline } from "../runtime/wait.ts";
import { STRANGER_PATIENCE_MS } from "../store/single_flight.ts";
import type { GetOptions } from "../store/store.ts";
import { ACQUIRE_TOKEN_SILENT } from "../token/telemetry.ts";
import type { Engine } from "./engine.ts";
import type { TokenFound } from "./token_found.ts";
import { patienceMs, turnOf } from "./turns.ts";
import type { UserGrants } from "./user_grants.ts";
import { anchorOf, tenantOfRealm } from "./user_query.ts";
import type { UserQuestion } from "./user_question.ts";

/** The family of Microsoft's own client ids; there is no other. */
const FAMILY = "1";
/** More refresh tokens than this are not tried for one question. */
const MAX_ATTEMPTS = 4;
/** More users than this are not remembered as being renewed. */
const MAX_UNDER_WAY = 10_000;

/** A refresh token to try. */
interface Candidate {
  readonly token: CachedRefreshToken;
  /** Whether its failure says nothing: it may be another family's. */
  readonly isGuess: boolean;
}

/** One question, and what it depends on. */
interface Errand {
  readonly question: UserQuestion;
  readonly correlationId: string;
  /** How often something had been removed before. */
  readonly asked: number;
  /** Finds the token that somebody else has got meanwhile. */
  readonly find: (record: UserRecord | undefined) => TokenFound | undefined;
  /** Makes the turn of this isolate last until the answer is stored. */
  readonly keep?: Keep;
}

/** Redeems refresh tokens of the cache. */
export class RefreshTokens {
  readonly #engine: Engine;
  readonly #grants: UserGrants;
  /** What is under way for each user of an issuer that may take each refresh token once. */
  readonly #underWay = new Map<string, { readonly work: Promise<unknown>; readonly patienceMs: number }>();

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param grants Redeems them.
   */
  constructor(engine: Engine, grants: UserGrants) {
    this.#engine = engine;
    this.#grants = grants;
  }

  /**
   * Redeems the first refresh token that works. After an `invalid_grant` the store is read once more: somebody else may have
   * redeemed the token meanwhile, and stored its successor.
   *
   * @param question The token that is looked for; the user was loaded.
   * @param asked How often something had been removed before.
   * @param loaded What the store has of the user: memory may be too small to keep them.
   * @param find Finds the token that somebody else has got, after a read of the store.
   * @returns The token.
   * @throws {InteractionRequiredAuthError} `no_tokens_found` where there is no refresh token, or the authority's answer.
   */
  async redeem(
    question: UserQuestion,
    asked: number,
    loaded: UserRecord | undefined,
    find: Errand["find"],
  ): Promise<TokenFound> {
    const { authority, cache } = this.#engine.configuration;
    const correlationId = question.correlationId ?? crypto.randomUUID();
    const errand: Errand = { question, correlationId, asked, find };
    if (!takesOnce(authority)) return await this.#redeemInTurn(errand, loaded);
    const { owner } = question;
    const isAlone = !this.#underWay.has(owner);
    const work = this.#turnOf(owner).then(async () =>
      this.#redeemInTurn(
        errand,
        // What was loaded before the wait has been redeemed; whoever takes turns with other isolates reads again anyway.
        isAlone || cache.turns ? loaded : await cache.users.load(question.user),
      )
    );
    // What died with its request in workerd stays behind.
    if (this.#underWay.size > MAX_UNDER_WAY) this.#underWay.clear();
    // In workerd it may never end, unless its request is kept alive.
    const isKept = typeof question.waitUntil === "function" || !isWorkers();
    const turn = {
      work,
      patienceMs: isKept ? this.#engine.flightDeadlineMs + patienceMs(this.#engine) : STRANGER_PATIENCE_MS,
    };
    this.#underWay.set(owner, turn);
    return await work.finally(() => {
      if (this.#underWay.get(owner) === turn) this.#underWay.delete(owner);
    });
  }

  /** Waits for the refresh before: it brings the token to redeem next. In workerd it may never end. */
  #turnOf(owner: string): Promise<unknown> {
    const { clock } = this.#engine.configuration;
    const { work, patienceMs = 0 } = this.#underWay.get(owner) ?? {};
    return work ? withDeadline(clock, work.catch(() => {}), patienceMs, () => undefined) : Promise.resolve();
  }

  /** Where the store has locks, nobody else redeems meanwhile; what is redeemed was read when the turn came. */
  async #redeemInTurn(errand: Errand, loaded: UserRecord | undefined): Promise<TokenFound> {
    const { turns, users } = this.#engine.configuration.cache;
    const { owner, user } = errand.question;
    let record = users.user(owner) ?? loaded;
    const load = async (options?: GetOptions): Promise<void> => {
      record = await users.load(user, this.#familyOf(record), options) ?? record;
    };
    const turn = turnOf(this.#engine, errand.question, true, async () => {
      await load({ consistency: "strong" });
      return errand.find(record);
    });
    // Nobody waits for a turn with nothing to redeem.
    const isBare = this.#candidates(user, record).length === 0;
    // What was read first may have been old: before the user has to sign in, the newest is looked for.
    if (isBare || (turn === undefined && this.#familyOf(record) !== "")) await load();
    const found = isBare ? errand.find(record) : undefined;
    if (found !== undefined) return found;
    if (!turns || !turn || this.#candidates(user, record).length === 0) {
      return await this.#redeemAny(errand, record);
    }
    return await turns.run(turn, (keep) => this.#redeemAny({ ...errand, keep }, record));
  }

  async #redeemAny(errand: Errand, loaded: UserRecord | undefined): Promise<TokenFound> {
    const { users } = this.#engine.configuration.cache;
    const { question: { owner, user }, correlationId, asked } = errand;
    const tried = new Set<string>();
    let failure: unknown;
    let isReread = !users.stored;
    let record = loaded;
    while (tried.size < MAX_ATTEMPTS && !users.index.removedSince(owner, asked)) {
      const next = this.#candidates(user, record).find(({ token }) => !tried.has(token.secret));
      if (next === undefined) {
        if (isReread || failure === undefined) break;
        isReread = true;
        record = await users.load(user, this.#familyOf(record)) ?? record;
        continue;
      }
      tried.add(next.token.secret);
      try {
        return await this.#redeemOne(next.token, errand, record);
      } catch (error) {
        const { error: code, retryable } = (isAuthError(error) ? error : {}) as Partial<ServerErrorDetails>;
        await this.#dropIfDead(next.token, error);
        // An outage says nothing of the token.
        if (code === undefined || retryable || !(next.isGuess || code === "invalid_grant")) throw error;
        if (!next.isGuess) failure = error;
      }
    }
    throw failure ?? noTokens(correlationId);
  }

  /** A client of which nothing is known may be of the family; no other issuer has one. */
  #familyOf(record: UserRecord | undefined): string {
    return this.#engine.configuration.authority.kind === "oidc" ? "" : record?.familyId ?? FAMILY;
  }

  /** The family's tokens first, then this client's own: MSAL's order. */
  #candidates(user: UserKey, record: UserRecord | undefined): Candidate[] {
    const { users } = this.#engine.configuration.cache;
    const own = (record?.refreshTokens ?? []).map((token) => ({ token, isGuess: false }));
    const family = this.#familyOf(record);
    if (family === "") return own;
    const isGuess = record?.familyId === undefined;
    return [...users.family(user, family).map((token) => ({ token, isGuess })), ...own];
  }

  #redeemOne(
    token: CachedRefreshToken,
    { question, correlationId, asked, keep }: Errand,
    record: UserRecord | undefined,
  ): Promise<TokenFound> {
    const { realm, tenant, user } = question;
    const { authority } = this.#engine.configuration;
    const isOwn = token.clientId.toLowerCase() === user.clientId.toLowerCase();
    const mark = record?.onBehalfOf;
    const homeAccountId = mark === undefined ? user.homeAccountId : userIn(mark);
    return this.#grants.redeem({
      ...question,
      tenant: authority.kind === "oidc" ? tenant : tenantOfRealm(realm),
      grant: { grant_type: "refresh_token", refresh_token: token.secret },
      sendsScopes: true,
      apiId: ACQUIRE_TOKEN_SILENT,
      correlationId,
      sendCorrelationId: question.correlationId !== undefined,
      isOneTime: false,
      anchorMailbox: isEntra(authority) ? anchorOf(homeAccountId) : undefined,
      expected: {
        nonceOptional: true,
        previous: isOwn ? record?.profiles.get(realm)?.idToken?.claims : undefined,
      },
      requiresIdToken: false,
      homeAccountId: homeAccountId || undefined,
      behalf: mark === undefined
        ? undefined
        : { owner: user.homeAccountId, hash: hashIn(mark), isProcess: true },
      redeemed: token,
      asked,
      keep,
    });
  }

  /** Only these two say that the token itself is dead; anything else may be about these scopes, or this device. */
  async #dropIfDead(token: CachedRefreshToken, error: unknown): Promise<void> {
    const { error: code = "", suberror = "" } = error as Partial<ServerErrorDetails>;
    const isDead = [code, suberror].some((name) => name === "bad_token" || name === "token_expired");
    const { cache: { users }, clock } = this.#engine.configuration;
    if (isDead) await users.dropRefreshToken(token, clock.now());
  }
}

/** The error for a user of whom nothing is cached. */
export function noTokens(correlationId: string): InteractionRequiredAuthError {
  const message = "Cannot get a token silently: none is cached for this user. Let the user sign in";
  const details = {
    status: 0,
    error: "no_tokens_found",
    errorCodes: [],
    retryable: false,
    throttledLocally: false,
  };
  return new InteractionRequiredAuthError("no_tokens_found", message, details, correlationId);
}
