/**
 * What is asked of the cache, and of a refresh token.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import type { UserKey, UserRecord } from "../cache/cached_user.ts";
import type { AuthScheme } from "../request/auth_scheme.ts";
import type { RefreshReason } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { TokenFound } from "./token_found.ts";

/**
 * Gets a token that the cache does not have: what is asked, how often something had been removed before, what the store has of
 * the user, and what finds the token that somebody else has got meanwhile.
 */
export type Redeem = (
  question: UserQuestion,
  asked: number,
  loaded: UserRecord | undefined,
  find: (record: UserRecord | undefined) => TokenFound | undefined,
) => Promise<TokenFound>;

/** Whose token is looked for, and where. */
export interface UserPlace {
  /** Whose it is. */
  readonly homeAccountId: string;
  /** The tenant that is asked. */
  readonly tenant: string;
  /** The tenant whose token it is. */
  readonly realm: string;
  /** The assertion that the token must have come by. */
  readonly hash?: string | undefined;
  /** Sets work apart from other work for the same token. */
  readonly flight?: string | undefined;
  /** Gets a new one; by a refresh token where absent. */
  readonly redeem?: Redeem | undefined;
}

/** A token that is looked for. It holds nothing that a caller can change. */
export interface UserQuestion {
  /** Whose it is, and how a new one is got. */
  readonly place: UserPlace;
  /** Whose it is. */
  readonly user: UserKey;
  /** The same, as the index names it. */
  readonly owner: string;
  /** The tenant that is asked. */
  readonly tenant: string;
  /** The tenant whose token it is. */
  readonly realm: string;
  /** The bucket of that tenant's tokens. */
  readonly bucket: string;
  /** The scopes, as the index names them. */
  readonly key: string;
  /** The scopes asked for. */
  readonly scopes: readonly string[];
  /** Extra components of the token's identity. */
  readonly ext: string;
  /** The merged claims, as JSON text. */
  readonly claims: string | undefined;
  /** Members of the form of the application's own. */
  readonly extraBody: Readonly<Record<string, string>> | undefined;
  /** Added to the query of the token endpoint. */
  readonly extraQuery: Readonly<Record<string, string>> | undefined;
  /** What binds the token to a key. */
  readonly authScheme?: AuthScheme | undefined;
  /** Why the authority is asked. */
  readonly reason: RefreshReason;
  /** The token that is to be replaced: finding that one again is no answer. */
  readonly stale: CachedToken | undefined;
  /** The id that the caller chose. */
  readonly correlationId: string | undefined;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}
