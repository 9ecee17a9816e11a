/**
 * Redeems a code for an answer with a given ID token, through a whole application.
 *
 * @module
 */
import { type AnyAuthError, ConfidentialClientApplication, TokenCache } from "../../mod.ts";
import { failure, settle } from "./app_fixture.ts";
import type { FakeClock } from "./fake_clock.ts";
import { CLIENT, HOME, keySet, NONCE, type Shape } from "./id_tokens.ts";
import { jsonResponse, scriptedFetch } from "./scripted_fetch.ts";

/** The error that the application ends with, and what its cache holds then. */
export async function redeemed(
  shape: Shape,
  clock: FakeClock,
  idToken: unknown,
): Promise<{ readonly error: AnyAuthError; readonly users: number; readonly text: string }> {
  const keys = await keySet(shape);
  const answer = {
    token_type: "Bearer",
    access_token: "cAnArY access token",
    refresh_token: "cAnArY refresh token",
    expires_in: 3600,
    id_token: idToken,
  };
  const { fetch } = scriptedFetch(({ method }) => jsonResponse(method === "GET" ? keys : answer));
  const tokenCache = new TokenCache();
  const app = new ConfidentialClientApplication({
    clientId: CLIENT,
    authority: `https://login.microsoftonline.com/${shape === "tenant" ? HOME : shape}`,
    clientCredential: "a secret of the client",
    tokenCache,
    clock,
    fetch,
  });
  const error = await failure(settle(
    clock,
    app.acquireTokenByAuthorizationCode({
      code: "a code",
      codeVerifier: "v".repeat(43),
      redirectUri: "https://app.example/callback",
      scopes: ["User.Read"],
      nonce: NONCE,
    }),
  ));
  return { error, users: tokenCache.users, text: tokenCache.serialize() };
}
