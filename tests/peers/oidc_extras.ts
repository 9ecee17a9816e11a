/**
 * oidc-provider with the extras: announced sign-ins, signed assertions, bound tokens, and what a token is good for.
 *
 * @module
 */
import { allowInsecureLoopback, type ClientCredential, ConfidentialClientApplication } from "../../mod.ts";
import type { Configuration, OidcProviderServer } from "./oidc_server.ts";
import { serveProvider } from "./oidc_server.ts";
import { REDIRECT_URI, userConfiguration } from "./oidc_users.ts";

/** An API whose tokens are JWTs, and one whose tokens are opaque. */
export const JWT_API = "https://jwt.example";
export const OPAQUE_API = "https://opaque.example";

/** What a client's key signs by. */
export type Algorithm = "PS256" | "RS256" | "ES256";

/** How it is made. */
const ALGORITHMS: Readonly<Record<Algorithm, RsaHashedKeyGenParams | EcKeyGenParams>> = {
  PS256: rsa("RSA-PSS"),
  RS256: rsa("RSASSA-PKCS1-v1_5"),
  ES256: { name: "ECDSA", namedCurve: "P-256" },
};

function rsa(name: string): RsaHashedKeyGenParams {
  return { name, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]), hash: "SHA-256" };
}

/** A key pair of Web Crypto whose private key never leaves it. */
export async function keyPairOf(alg: Algorithm): Promise<{ privateKey: CryptoKey; jwk: JsonWebKey }> {
  const pair = await crypto.subtle.generateKey(ALGORITHMS[alg], false, ["sign", "verify"]) as CryptoKeyPair;
  return { privateKey: pair.privateKey, jwk: await crypto.subtle.exportKey("jwk", pair.publicKey) };
}

/** Starts a server with one client; `features` go over those that are on. */
export function serveExtras(
  client: Readonly<Record<string, unknown>>,
  features: Readonly<Record<string, unknown>> = {},
  more: Configuration = {},
): Promise<OidcProviderServer> {
  const { features: own, ttl, ...configuration } = userConfiguration();
  const api = (_context: unknown, resource: string) => ({
    scope: "orders.read orders.write",
    audience: resource,
    accessTokenFormat: resource === JWT_API ? "jwt" : "opaque",
  });
  return serveProvider({
    ...configuration,
    ttl: { ...ttl as object, ClientCredentials: 3600, PushedAuthorizationRequest: 60 },
    clients: [{
      client_id: "web",
      redirect_uris: [REDIRECT_URI],
      response_types: ["code"],
      grant_types: ["authorization_code", "refresh_token", "client_credentials"],
      scope: "openid profile offline_access orders.read orders.write",
      ...client,
    }],
    features: {
      ...own as object,
      clientCredentials: { enabled: true },
      introspection: { enabled: true, allowedPolicy: () => true },
      revocation: { enabled: true, allowedPolicy: () => true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: api,
        useGrantedResource: () => true,
        defaultResource: () => undefined,
      },
      ...features,
    },
    ...more,
  });
}

/** Our client at it. */
export function extrasApp(
  { issuer }: { readonly issuer: string },
  clientCredential: ClientCredential,
  more: object = {},
): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId: "web",
    oidcAuthority: issuer,
    clientCredential,
    [allowInsecureLoopback]: true,
    ...more,
  });
}
