/**
 * Tokens that are of no use to a thief: they are bound to a key that never leaves the runtime, and each request proves that its
 * sender has it. {@linkcode DpopAuthScheme} is RFC 9449, for OpenID Connect authorities that offer DPoP;
 * {@linkcode PopAuthScheme} makes the signed HTTP requests (SHR) of Entra. Give one as `authScheme` with each request for a token,
 * and to `createAuthorizedFetch`.
 *
 * The key lives as long as the scheme. Where a store shares tokens among isolates, share the key, too, by `fromKeyPair`: a token
 * whose key is gone is asked for anew. A public client's refresh token is bound to the key as well.
 *
 * ```ts
 * import { ConfidentialClientApplication, createAuthorizedFetch } from "@msal-edge/msal";
 * import { DpopAuthScheme } from "@msal-edge/msal/proof-of-possession";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "my-service",
 *   oidcAuthority: "https://idp.example.com",
 *   clientCredential: "a secret from your vault",
 * });
 * const authScheme = await DpopAuthScheme.generate();
 * const api = createAuthorizedFetch({
 *   origins: ["https://api.example.com"],
 *   authScheme,
 *   // The challenge carries the scheme.
 *   acquireToken: (challenge) => app.acquireTokenForClient({ scopes: ["orders.read"], ...challenge }),
 * });
 *
 * export async function orders(): Promise<unknown> {
 *   return await (await api("https://api.example.com/orders")).json();
 * }
 * ```
 *
 * @module
 */

export type {
  AppliedScheme,
  AuthScheme,
  SchemeApiAnswer,
  SchemeApiRequest,
  SchemeNonce,
  SchemeTokenRequest,
} from "../request/auth_scheme.ts";
export { DpopAuthScheme, type DpopKeyOptions } from "./dpop_auth_scheme.ts";
export { PopAuthScheme } from "./pop_auth_scheme.ts";
export type { ProofAlgorithm, ProofKey, PublicJwk } from "./signing_key.ts";
