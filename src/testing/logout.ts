/**
 * The logic of a sign-out, without its page.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-rpinitiated-1_0.html | RP-Initiated Logout}
 */
import { decodeJwt, type JWTPayload } from "jose";
import type { App } from "./declared.ts";
import type { Exchange } from "./exchange.ts";
import { userOfHint } from "./login_hint.ts";
import { isRegisteredRedirect } from "./redirect_uri.ts";

/** A sign-out request that was read. */
export interface LogoutRequest {
  /** The app that asks, as `client_id` or `id_token_hint` names it. */
  readonly app?: App;
  /** Where to send the browser afterwards, `state` included; absent if it may not be sent anywhere. */
  readonly redirectTo?: string;
  /** The user whom `logout_hint` means, or `id_token_hint`. */
  readonly logoutHint?: string;
}

/** What a token claims; a hint needs no proof, as it opens nothing. */
function hinted(token: string | null): JWTPayload {
  try {
    return token ? decodeJwt(token) : {};
  } catch {
    return {};
  }
}

function userOf(parameters: URLSearchParams, hint: JWTPayload): string | undefined {
  const sent = parameters.get("logout_hint");
  // Entra wants the `login_hint` claim of an ID token here; one that means nobody is no reason to ask another.
  if (sent) return userOfHint(sent);
  const named = hint["preferred_username"];
  return typeof named === "string" ? named : undefined;
}

function redirectOf(parameters: URLSearchParams, apps: readonly App[]): string | undefined {
  const uri = parameters.get("post_logout_redirect_uri");
  const registered = apps.flatMap((app) => app.redirectUris);
  if (!uri || !isRegisteredRedirect(registered, uri)) return undefined;
  const state = parameters.get("state");
  if (state === null) return uri;
  const url = new URL(uri);
  url.searchParams.set("state", state);
  return url.href;
}

/** Reads a sign-out request (query or form); what is wrong in it is left out. */
export function readLogoutRequest(exchange: Exchange, parameters: URLSearchParams): LogoutRequest {
  const { directory } = exchange.services;
  const hint = hinted(parameters.get("id_token_hint"));
  const app = directory.appAnywhere(parameters.get("client_id") ?? String(hint.aud));
  const redirectTo = redirectOf(parameters, app ? [app] : directory.apps);
  const logoutHint = userOf(parameters, hint);
  return {
    ...(app ? { app } : {}),
    ...(redirectTo === undefined ? {} : { redirectTo }),
    ...(logoutHint === undefined ? {} : { logoutHint }),
  };
}
