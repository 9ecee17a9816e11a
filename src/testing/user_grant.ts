/**
 * Makes what a code or a device code stands for.
 *
 * @module
 */
import type { AuthorizationRequest } from "./authorization_request.ts";
import { asksForIdClaim, NO_CLAIMS } from "./claims_request.ts";
import type { App } from "./declared.ts";
import type { Exchange } from "./exchange.ts";
import type { UserGrant } from "./grant_store.ts";
import type { UserSession } from "./sessions.ts";

/** Whether ID tokens are to say when the user signed in: as asked, or as the app is registered. */
export function asksForAuthTime({ maxAge, claims, app }: AuthorizationRequest): boolean {
  return maxAge !== undefined || asksForIdClaim(claims ?? NO_CLAIMS, "auth_time") ||
    app.optionalClaims.includes("auth_time");
}

/** What is known of the sign-in that a grant comes from. */
export interface SignedIn extends Pick<UserSession, "user" | "authTimeSeconds" | "mfa" | "sid"> {
  /** The authentication contexts that were satisfied. Default: none. */
  readonly contexts?: readonly string[];
}

/** What the user of a session grants to an app. */
export function grantFor(
  exchange: Exchange,
  app: App,
  session: SignedIn,
  scopes: readonly string[],
  wantsAuthTime: boolean,
  place?: string,
): UserGrant {
  const { user, authTimeSeconds, mfa, sid, contexts = [] } = session;
  const generation = exchange.services.revocations.generation(user);
  return {
    app,
    user,
    place,
    scopes,
    authTimeSeconds,
    mfa,
    contexts,
    sid,
    wantsAuthTime,
    generation,
    revoked: false,
  };
}
