/**
 * The logic of a sign-out, without its page.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html | RP-Initiated Logout}
 */
import type { App } from "./directory.ts";
import type { Exchange } from "./exchange.ts";

/** A sign-out request that was read. */
export interface LogoutRequest {
  /** The app that asks, as `client_id` or `id_token_hint` names it. */
  readonly app?: App;
  /** Where to send the browser afterwards, with `state` added; absent if it may not be sent anywhere. */
  readonly redirectTo?: string;
  /** The user whom `logout_hint` (or the `login_hint` claim of the ID token) means. */
  readonly logoutHint?: string;
  /** Front-channel logout addresses to put into hidden frames. */
  readonly frontChannelUris: readonly string[];
}

/** Reads a sign-out request (query or form); what is wrong in it is left out. */
export function readLogoutRequest(_exchange: Exchange, _parameters: URLSearchParams): LogoutRequest {
  throw new TypeError("Not written yet");
}
