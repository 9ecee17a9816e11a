/**
 * The cache's view of a token that was just issued.
 *
 * @module
 */

import type { CachedToken } from "../cache/cached_token.ts";
import { scopeKey, splitScopes, withoutSignInScopes } from "../request/scopes.ts";
import type { Emit } from "../runtime/events.ts";
import type { TokenResponse } from "../token/token_response.ts";

/** What the answer does not say of a token. */
export interface GrantedTo
  extends Pick<CachedToken, "environment" | "clientId" | "realm" | "homeAccountId" | "ext" | "extHash"> {
  /** The key that the token is bound to. */
  readonly keyId?: string | undefined;
}

/**
 * Makes the cache's view of an answer. The scopes granted count where they cover what was asked for.
 *
 * @param response The answer.
 * @param to Whose token it is.
 * @param asked The scopes asked for.
 * @param emit Told which scopes are missing.
 * @param correlationId The call's id.
 * @returns The token.
 */
export function toGrantedToken(
  response: TokenResponse,
  to: GrantedTo,
  asked: readonly string[],
  emit: Emit | undefined,
  correlationId: string,
): CachedToken {
  const { secret, tokenType, cachedAt, expiresOn, extendedExpiresOn, refreshOn, scope } = response;
  const granted = scope === undefined ? [...asked] : withoutSignInScopes(splitScopes(scope));
  const names = scopeKey(granted).split(" ");
  const missing = asked.filter((name) => !names.includes(name.toLowerCase()));
  const scopes = missing.filter((name) => !/\/\.default$/i.test(name));
  if (scopes.length > 0) emit?.({ type: "scopes_missing", scopes, correlationId });
  const { environment, clientId, realm, homeAccountId, ext, extHash, keyId = "" } = to;
  return {
    environment,
    clientId,
    realm,
    homeAccountId,
    ext,
    extHash,
    secret,
    tokenType,
    cachedAt,
    expiresOn,
    extendedExpiresOn,
    refreshOn,
    scopes: Object.freeze(granted),
    question: missing.length > 0 || asked.length === 0 ? scopeKey(asked) : undefined,
    keyId,
  };
}
