/**
 * What the methods for users take.
 *
 * @module
 */

import type { AccountInfo } from "./account_info.ts";
import type { AuthCodeReceiver } from "./auth_code_receiver.ts";
import type { AuthorizationRequest } from "./authorization_request.ts";
import type { TokenRequest } from "./requests.ts";

/** What `acquireTokenSilent` takes. */
export interface SilentRequest extends TokenRequest {
  /** Whose token: an account, or its `homeAccountId`. */
  readonly account: AccountInfo | string;
  /**
   * Scopes of one API, such as `["User.Read"]`. `openid`, `profile` and `offline_access` are added. An empty list asks for
   * the ID token's own access token.
   */
  readonly scopes: readonly string[];
  /** Passes the cached access token by, and redeems the refresh token. @default {false} */
  readonly forceRefresh?: boolean | undefined;
}

/** What `getAuthorizationRequestUrl` takes: for applications that keep state, nonce and verifier themselves. */
export interface AuthorizationUrlRequest extends Omit<AuthorizationRequest, "appState"> {
  /** The name of the sign-in, 16 random characters or more: compare it with that of the answer. */
  readonly state: string;
  /** What the ID token must carry, 16 random characters or more. */
  readonly nonce: string;
  /** The PKCE challenge of the verifier, method `S256`, RFC 7636 section 4.2. */
  readonly codeChallenge: string;
}

/** What `acquireTokenByAuthCodeFlow` takes beside the flow and the response. */
export interface AuthCodeFlowRequest extends
  Pick<
    TokenRequest,
    "authScheme" | "signal" | "waitUntil" | "extraQueryParameters" | "extraBodyParameters"
  > {
  /** Some of the flow's scopes, where the token is wanted for fewer; all of them where absent. */
  readonly scopes?: readonly string[] | undefined;
}

/** What `acquireTokenByAuthorizationCode` takes: for applications that keep state, nonce and verifier themselves. */
export interface AuthorizationCodeRequest extends TokenRequest {
  /** The code, from the response. */
  readonly code: string;
  /** The scopes that the authorization request asked for, of one API. */
  readonly scopes: readonly string[];
  /** The redirect URI of the authorization request, letter by letter. */
  readonly redirectUri: string;
  /** The PKCE verifier whose challenge the authorization request carried, RFC 7636. */
  readonly codeVerifier: string;
  /** The `nonce` that the authorization request carried; absent only if it carried none. */
  readonly nonce?: string | undefined;
  /** The `max_age` that the authorization request carried, in seconds. */
  readonly maxAge?: number | undefined;
  /** The response's `client_info`: it routes the request to where the user is kept. */
  readonly clientInfo?: string | undefined;
}

/** What `acquireTokenByRefreshToken` takes: a refresh token of another library. */
export interface RefreshTokenRequest extends TokenRequest {
  /** The refresh token. It has to be this client's own. */
  readonly refreshToken: string;
  /** Scopes of one API. */
  readonly scopes: readonly string[];
}

/** What `acquireTokenInteractive` takes. */
export interface InteractiveRequest
  extends
    Omit<AuthorizationRequest, "redirectUri" | "responseMode" | "appState">,
    Pick<TokenRequest, "waitUntil" | "extraBodyParameters"> {
  /** Takes the answer, and sends the browser: `new LoopbackReceiver()` of `@msal-edge/msal/host`. */
  readonly receiver: AuthCodeReceiver;
  /** How long the user may take, in milliseconds. The receiver's own limit where absent. */
  readonly timeoutMs?: number | undefined;
}

/** What `initiateDeviceFlow` takes. */
export interface DeviceFlowRequest extends Omit<TokenRequest, "waitUntil"> {
  /** Scopes of one API. */
  readonly scopes: readonly string[];
}

/** A device sign-in under way: plain JSON, to be stored between polls. Keep it from others: who has it gets the tokens. */
export interface DeviceFlow {
  /** The form of this object. */
  readonly version: 1;
  /** What the user types. */
  readonly userCode: string;
  /** What the device polls with; a secret. */
  readonly deviceCode: string;
  /** Where the user types it: to be shown verbatim, never opened unasked. */
  readonly verificationUri: string;
  /** The same with the code in it, for a QR code. */
  readonly verificationUriComplete?: string;
  /** A sentence with both, for the user. */
  readonly message: string;
  /** The client that began it. */
  readonly clientId: string;
  /** The authority that was asked, with the tenant. */
  readonly authority: string;
  /** The scopes asked for. */
  readonly scopes: readonly string[];
  /** The claims that were asked for, as JSON text. */
  readonly claims?: string;
  /** The key of the `authScheme` that it began with: give that to `acquireTokenByDeviceFlow`, too. */
  readonly keyId?: string;
  /** The id of all its requests. */
  readonly correlationId: string;
  /** When it ends, in epoch seconds. */
  readonly expiresAt: number;
  /** How long to wait between polls, in seconds. */
  readonly intervalSeconds: number;
}

/** A poll that found the user still busy. */
export interface DeviceFlowPending {
  /** Tells it from a result. */
  readonly status: "pending";
  /** The flow to poll with next, after its `intervalSeconds`, which may have grown. */
  readonly flow: DeviceFlow;
}

/** How far a device sign-in is. */
export interface DeviceFlowProgress {
  /** How often the authority was asked. */
  readonly polls: number;
  /** When it is asked again, in seconds from now. */
  readonly nextPollInSeconds: number;
  /** When the code ends, in epoch seconds. */
  readonly expiresAt: number;
}

/** What `acquireTokenByDeviceFlow` takes beside the flow. */
export interface DevicePollRequest extends Pick<TokenRequest, "authScheme" | "signal" | "waitUntil"> {
  /**
   * `"until-done"` waits for the user; `"once"` asks once and gives {@linkcode DeviceFlowPending} where the user is not done, for
   * servers that keep nothing between requests.
   *
   * @default {"until-done"}
   */
  readonly poll?: "until-done" | "once" | undefined;
  /** Told after each poll that found the user still busy. */
  readonly onProgress?: ((progress: DeviceFlowProgress) => void) | undefined;
}

/** Which accounts `getAccounts` gives: those that match every member. */
export interface AccountFilter {
  /** The user in all tenants. */
  readonly homeAccountId?: string | undefined;
  /** The sign-in name, whatever its case. */
  readonly username?: string | undefined;
  /** A tenant that the user signed in to. */
  readonly tenantId?: string | undefined;
  /** The user's object id in a tenant. */
  readonly localAccountId?: string | undefined;
}

/** What `getSignOutUrl` takes. */
export interface SignOutUrlRequest
  extends Pick<TokenRequest, "tenantId" | "extraQueryParameters" | "correlationId"> {
  /** Where the user comes back to: registered with the authority. */
  readonly postLogoutRedirectUri?: string | undefined;
  /** The ID token of the user, so that the authority need not ask; it names the user, so mind where the URL is logged. */
  readonly idTokenHint?: string | undefined;
  /** Who is to be signed out: Entra's `login_hint` claim. */
  readonly logoutHint?: string | undefined;
  /** Comes back with the user. */
  readonly state?: string | undefined;
}

/** What `getAdminConsentUrl` takes. */
export interface AdminConsentUrlRequest extends Pick<TokenRequest, "tenantId"> {
  /** Where the administrator comes back to. */
  readonly redirectUri: string;
  /** Comes back with the administrator; make it hard to guess, and check it. */
  readonly state: string;
  /** What to consent to; the registered permissions, `<API>/.default`, where absent. */
  readonly scopes?: readonly string[] | undefined;
}
