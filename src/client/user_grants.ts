/**
 * Redeems what a user's sign-in gave for tokens: the one way by which users' tokens come into the cache.
 *
 * @module
 */

import { isEntra, namesTenants, takesOnce } from "../authority/authority.ts";
import type { CachedAccount, CachedRefreshToken, UserProfile, UserTokens } from "../cache/cached_user.ts";
import { isSameUser, markOf } from "../cache/on_behalf_of.ts";
import { ownerKey } from "../cache/token_index.ts";
import type { Keep } from "../cache/turns.ts";
import { profilesOf } from "../cache/user_index.ts";
import { CacheError, ClientAuthError } from "../errors/errors.ts";
import type { AuthScheme } from "../request/auth_scheme.ts";
import { essentialClaimsOf } from "../request/claims.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import { decorateScopes } from "../request/scopes.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { keepAlive } from "../store/single_flight.ts";
import { homeAccountIdOf, readClientInfo } from "../token/entra_identity.ts";
import type { ExpectedIdToken } from "../token/id_token.ts";
import { buildUserForm } from "../token/grant_user.ts";
import type { TokenResponse } from "../token/token_response.ts";
import { extHashOf } from "./app_token_query.ts";
import type { Engine } from "./engine.ts";
import { toGrantedToken } from "./granted_token.ts";
import type { TokenFound } from "./token_found.ts";

/** A caller of an API, on whose behalf it acts. */
export interface Behalf {
  /** Under which name the tokens are kept. */
  readonly owner: string;
  /** The hash of the assertion that all began with. */
  readonly hash: string;
  /** Whether a process goes on without the caller: a refresh token is asked for, and kept. */
  readonly isProcess: boolean;
  /** The user's object id, as the assertion has it. */
  readonly objectId?: string | undefined;
  /** The tenant in which it is theirs. */
  readonly tenant?: string | undefined;
  /** After which nothing counts that comes of it, in epoch seconds. */
  readonly endsOn?: number | undefined;
}

/** What is redeemed, and what has to come of it. */
export interface UserErrand {
  /** The tenant that is asked, as the path has it. */
  readonly tenant: string;
  /** The tenant whose token is wanted, where an answer without an ID token leaves that open. */
  readonly realm: string;
  /** The scopes asked for, without those of the sign-in. */
  readonly scopes: readonly string[];
  /** The grant's members of the form. */
  readonly grant: Readonly<Record<string, string | undefined>>;
  /** Whether the scopes are sent; a device code has them from before. */
  readonly sendsScopes: boolean;
  /** The merged claims, as JSON text. */
  readonly claims: string | undefined;
  /** Extra components of the token's identity. */
  readonly ext: string;
  /** Members of the form of the application's own. */
  readonly extraBody?: Readonly<Record<string, string>> | undefined;
  /** Added to the query of the token endpoint. */
  readonly extraQuery?: Readonly<Record<string, string>> | undefined;
  /** What binds the token to a key. */
  readonly authScheme?: AuthScheme | undefined;
  /** The number of the method, for telemetry. */
  readonly apiId: string;
  /** Why a token is asked for. */
  readonly reason: RefreshReason;
  /** The call's correlation id, and whether the caller chose it. */
  readonly correlationId: string;
  /** Whether to send the id although telemetry is off. */
  readonly sendCorrelationId: boolean;
  /** Whether the grant counts once. */
  readonly isOneTime: boolean;
  /** Called at the moment before the grant is sent; what it throws keeps it unsent. */
  readonly onSend?: (() => void) | undefined;
  /** Where Entra keeps the user. */
  readonly anchorMailbox?: string | undefined;
  /** What the ID token has to say. */
  readonly expected: Omit<ExpectedIdToken, "issuer" | "tenant" | "accessToken" | "essential">;
  /** Whether an answer without an ID token is refused. */
  readonly requiresIdToken: boolean;
  /** The caller on whose behalf an API asks. */
  readonly behalf?: Behalf | undefined;
  /** The account that the answer must be for, on a refresh. */
  readonly homeAccountId?: string | undefined;
  /** The refresh token that is redeemed, where the cache knows it. */
  readonly redeemed?: CachedRefreshToken | undefined;
  /** How often something had been removed from the cache before the call. */
  readonly asked: number;
  /** Makes the turn in which it is redeemed last until it is stored. */
  readonly keep?: Keep | undefined;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** Whose tokens an answer brings. */
interface Owner {
  readonly realm: string;
  readonly homeAccountId: string;
  readonly claims?: IdTokenClaims | undefined;
}

/** Whose account an answer tells of. */
type GrantedAccount = Pick<CachedAccount, "environment" | "realm" | "homeAccountId" | "onBehalfOf">;

/** Redeems grants of users for one application. */
export class UserGrants {
  readonly #engine: Engine;
  #hasWarned = false;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Redeems a grant. The signing keys are there before it is sent, and nothing is stored before the answer is validated.
   *
   * @param errand What is redeemed.
   * @returns The token and whose it is.
   */
  async redeem(errand: UserErrand): Promise<TokenFound> {
    const { clock } = this.#engine.configuration;
    const { tenant, correlationId, waitUntil } = errand;
    const essential = essentialClaimsOf(errand.claims);
    // What is essential cannot be checked without the token that says it.
    const isRequired = errand.requiresIdToken || essential.length > 0;
    const askedAtMs = clock.now();
    const issuer = await this.#engine.metadata.issuer(tenant, correlationId, waitUntil);
    await this.#engine.idTokens.prepare(issuer, correlationId, waitUntil);
    const response = await this.#engine.requestToken({ ...errand, form: this.#formOf(errand) });
    const claims = response.idToken === undefined && !isRequired
      ? undefined
      : await this.#engine.idTokens.validate(
        response.idToken,
        { ...errand.expected, essential, issuer, tenant, accessToken: response.secret },
        correlationId,
        waitUntil,
      );
    return await this.#keep(response, errand, this.#ownerOf(response, errand, claims), askedAtMs);
  }

  #formOf({ behalf, claims, extraBody, grant, scopes, sendsScopes }: UserErrand): URLSearchParams {
    const { clientId, authority, excludeScopes } = this.#engine.configuration;
    const excluded = [...excludeScopes, ...(behalf?.isProcess === false ? ["offline_access"] : [])];
    const sent = sendsScopes ? decorateScopes(scopes, excluded) : [];
    const form = { clientId, claims, scopes: sent, isEntra: isEntra(authority), extra: extraBody };
    return buildUserForm(form, grant);
  }

  /** Whose the tokens are; a refresh never changes the account. */
  #ownerOf(response: TokenResponse, errand: UserErrand, claims: IdTokenClaims | undefined): Owner {
    const { behalf, correlationId, homeAccountId } = errand;
    const { authority } = this.#engine.configuration;
    const told = isEntra(authority) ? readClientInfo(response.clientInfo, authority.policy) : undefined;
    const home = claims === undefined
      ? told && `${told.uid}.${told.utid}`
      : homeAccountIdOf(authority, claims, response.clientInfo, correlationId);
    const isOther = homeAccountId !== undefined && home !== undefined &&
      ownerKey("", "", home) !== ownerKey("", "", homeAccountId);
    const { oid = behalf?.objectId, tid } = claims ?? {};
    if (isOther || (behalf?.objectId !== undefined && tid === behalf.tenant && oid !== behalf.objectId)) {
      throw new ClientAuthError(
        "account_mismatch",
        "Cannot renew the token: the answer is for another user",
        correlationId,
      );
    }
    if (claims === undefined || home === undefined) {
      return { realm: errand.realm, homeAccountId: homeAccountId ?? (behalf && home) ?? "" };
    }
    const realm = namesTenants(authority) ? claims.tid?.toLowerCase() ?? errand.realm : errand.realm;
    return { realm, homeAccountId: homeAccountId ?? home, claims };
  }

  async #keep(
    response: TokenResponse,
    errand: UserErrand,
    owner: Owner,
    nowMs: number,
  ): Promise<TokenFound> {
    const { users } = this.#engine.configuration.cache;
    const { asked, correlationId, waitUntil } = errand;
    const tokens = this.#tokensOf(response, errand, owner, await extHashOf(errand.ext));
    const token = tokens.accessToken;
    // Nobody knows whose it is: it is handed out, and not kept.
    if (token.homeAccountId === "") return { token, cacheLevel: "none", correlationId };
    const saving = users.save(tokens, asked, nowMs);
    const saved = errand.keep?.(saving) ?? saving;
    // Taken now: while it is stored another answer may push the user out of memory.
    const profile = this.#profileOf(tokens);
    try {
      if (waitUntil === undefined) await saved;
      else keepAlive(waitUntil, saved);
    } catch {
      // It threw. What was redeemed cannot be redeemed again, so that costs nobody the token.
      await saved;
    }
    return { token, profile, cacheLevel: "none", correlationId };
  }

  /** The cache's view of an answer. */
  #tokensOf(
    response: TokenResponse,
    errand: UserErrand,
    { realm, homeAccountId: home, claims }: Owner,
    extHash: string,
  ): UserTokens {
    const { authority, authority: { environment, kind, type }, clientId, emit } = this.#engine.configuration;
    const { behalf, ext, scopes, correlationId, redeemed } = errand;
    const owner = { environment, clientId, homeAccountId: behalf?.owner ?? home };
    const place = { ...owner, realm, keyId: errand.authScheme?.keyId };
    const onBehalfOf = behalf && markOf(behalf.hash, home);
    // Where none comes, the one that a caller brought stays good.
    const own = response.refreshToken ?? (errand.homeAccountId ? undefined : errand.grant.refresh_token);
    // An assertion that comes again brings tokens anew.
    const secret = behalf?.isProcess === false ? undefined : own;
    // Only Microsoft has a family.
    const familyId = kind === "aad" ? response.familyId : undefined;
    if (takesOnce(authority) && redeemed && secret && secret !== redeemed.secret) this.#warn();
    // Of whom no ID token tells the mark alone is kept; a refresh changes nothing of them.
    const about = claims ?? (behalf && !redeemed ? {} : undefined);
    return {
      accessToken: toGrantedToken(response, { ...place, ext, extHash }, scopes, emit, correlationId),
      refreshToken: secret === undefined ? undefined : {
        ...owner,
        secret,
        target: response.scope ?? scopes.join(" "),
        familyId,
        lastModified: response.cachedAt,
        expiresOn: response.refreshTokenExpiresOn,
      },
      redeemed,
      idToken: claims && { ...place, secret: `${response.idToken}`, claims },
      account: about && accountOf(about, { ...place, onBehalfOf }, errand, response, type === "adfs"),
      familyId,
      onBehalfOf,
      endsOn: behalf?.endsOn,
    };
  }

  /** Whose an answer is. Memory may be too small for them, or they were removed meanwhile: they have signed in all the same. */
  #profileOf({ accessToken, account, idToken, onBehalfOf }: UserTokens): UserProfile | undefined {
    const { environment, clientId, homeAccountId, realm } = accessToken;
    const known = this.#engine.configuration.cache.users.user(
      ownerKey(environment, clientId, homeAccountId),
    );
    const held = isSameUser(known?.onBehalfOf, onBehalfOf) ? known?.profiles.get(realm) : undefined;
    return held ?? (account &&
      profilesOf({
        accounts: new Map([[realm, account]]),
        idTokens: new Map(idToken && [[realm, idToken]]),
      }).get(realm));
  }

  /** Refresh tokens that count once, and isolates that cannot take turns. */
  #warn(): void {
    const { cache, emit } = this.#engine.configuration;
    if (this.#hasWarned || !cache.stored || cache.turns) return;
    this.#hasWarned = true;
    const why =
      "the authority replaces them at each use, and the store of tokenCache has no lock: two isolates " +
      "that use one at the same time may sign the user out. Use a Durable Object, Deno KV or Redis store";
    const error = new CacheError("store_without_lock", `Cannot share refresh tokens safely: ${why}`);
    emit?.({ type: "store_without_lock", error });
  }
}

function accountOf(
  claims: Partial<IdTokenClaims>,
  { environment, realm, homeAccountId, onBehalfOf }: GrantedAccount,
  { grant: { grant_type } }: UserErrand,
  { clientInfo }: TokenResponse,
  isAdfs: boolean,
): CachedAccount {
  const { oid, sub, preferred_username, upn, emails, name } = claims;
  // Azure AD B2C has a list, if anything.
  const username = [preferred_username, upn, emails].flat().find((text) => typeof text === "string") ?? "";
  return {
    environment,
    realm,
    homeAccountId,
    onBehalfOf,
    localAccountId: oid ?? sub ?? "",
    username: `${username}`,
    name: typeof name === "string" ? name : undefined,
    // Other MSALs do not list what is of no type that they know.
    authorityType: onBehalfOf ? "OBO" : isAdfs ? "ADFS" : "MSSTS",
    accountSource: grant_type === "refresh_token" ? undefined : grant_type,
    clientInfo: typeof clientInfo === "string" ? clientInfo : undefined,
  };
}
