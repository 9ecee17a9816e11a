/**
 * oidc-provider with people: sign-in and consent pages, codes, refresh tokens that rotate, and devices.
 *
 * @module
 */
import { exportJWK, generateKeyPair } from "jose";
import {
  allowInsecureLoopback,
  type AuthCodeFlow,
  type AuthenticationResult,
  type AuthorizationRequest,
  type ClientApplication,
  type ClientApplicationOptions,
  ConfidentialClientApplication,
  PublicClientApplication,
} from "../../mod.ts";
import { type Configuration, type OidcProviderServer, serveProvider } from "./oidc_server.ts";
import { Person } from "./person.ts";

/** Where the web app takes answers, and people after their sign-out. */
export const REDIRECT_URI = "https://web.example/callback";
export const SIGNED_OUT_URI = "https://web.example/signed-out";

/** The web app, and what it is registered with. */
export const WEB_CLIENT = { client_id: "web", client_secret: "the web app's secret: +/=%&" };
/** The app without a secret, of a person's own machine. */
export const NATIVE_CLIENT = { client_id: "native" };

/** A signing algorithm of ID tokens. */
export type SigningAlg = "RS256" | "PS256" | "ES256" | "EdDSA";

/** A new private key to sign with. */
export async function newKey(alg: SigningAlg, kid: string): Promise<unknown> {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...await exportJWK(privateKey), kid, use: "sig" };
}

const rsa = await newKey("RS256", "rsa-1");

/** What a server with people is told. */
export interface UserOptions {
  /** The private keys. */
  readonly keys?: readonly unknown[];
  /** What the ID tokens are signed with. */
  readonly alg?: SigningAlg;
  /** What else the configuration has. */
  readonly more?: Configuration;
}

function clientsWith(alg: SigningAlg): unknown[] {
  const grants = ["authorization_code", "refresh_token"];
  const shared = { response_types: ["code"], id_token_signed_response_alg: alg };
  return [{
    ...WEB_CLIENT,
    ...shared,
    token_endpoint_auth_method: "client_secret_basic",
    redirect_uris: [REDIRECT_URI],
    post_logout_redirect_uris: [SIGNED_OUT_URI],
    grant_types: grants,
  }, {
    ...NATIVE_CLIENT,
    ...shared,
    token_endpoint_auth_method: "none",
    application_type: "native",
    redirect_uris: ["http://127.0.0.1/callback"],
    grant_types: [...grants, "urn:ietf:params:oauth:grant-type:device_code"],
  }];
}

/** Its own pages, but for the texts around the forms, whose defaults warn on the console. */
type Page = { body: string };
const bare = (context: Page, form: string): void => void (context.body = form);

/** A configuration. */
export function userConfiguration(
  { keys = [rsa], alg = "RS256", more = {} }: UserOptions = {},
): Configuration {
  return {
    clients: clientsWith(alg),
    jwks: { keys },
    cookies: { keys: ["a key of the cookies"] },
    scopes: ["openid", "profile", "offline_access", "orders.read", "orders.write"],
    claims: { openid: ["sub"], profile: ["name", "preferred_username"] },
    // Otherwise only `sub` is in the ID token.
    conformIdTokenClaims: false,
    rotateRefreshToken: true,
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, name: `${sub} the person`, preferred_username: `${sub}@example` }),
    }),
    ttl: {
      AccessToken: 3600,
      AuthorizationCode: 60,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: { enabled: false },
      deviceFlow: {
        enabled: true,
        userCodeInputSource: bare,
        userCodeConfirmSource: bare,
        successSource: (context: Page) => bare(context, "<h1>Signed in</h1>"),
      },
      rpInitiatedLogout: { enabled: true, logoutSource: bare },
    },
    renderError: (context: Page, out: unknown) => bare(context, `<h1>${JSON.stringify(out)}</h1>`),
    ...more,
  };
}

/** Starts a server with people. */
export function serveUsers(options: UserOptions = {}): Promise<OidcProviderServer> {
  return serveProvider(userConfiguration(options));
}

/** Somebody who signs in as whoever they say; the server's development pages take any password. */
export function personNamed(login: string): Person {
  return new Person({ login, password: "any" });
}

/** Our web app at a server. */
export function webApp(
  { issuer }: { readonly issuer: string },
  more: Partial<ClientApplicationOptions> = {},
): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId: WEB_CLIENT.client_id,
    clientCredential: { clientSecret: WEB_CLIENT.client_secret, method: "client_secret_basic" },
    oidcAuthority: issuer,
    [allowInsecureLoopback]: true,
    ...more,
  });
}

/** Our app without a secret at a server. */
export function nativeApp(
  { issuer }: { readonly issuer: string },
  more: Partial<ClientApplicationOptions> = {},
): PublicClientApplication {
  return new PublicClientApplication({
    clientId: NATIVE_CLIENT.client_id,
    oidcAuthority: issuer,
    [allowInsecureLoopback]: true,
    ...more,
  });
}

/** What the apps ask for. */
export const SCOPES: readonly string[] = ["orders.read"];

/** A sign-in; oidc-provider hands out refresh tokens only to those who ask for consent, OpenID Connect Core section 11. */
export const REQUEST: AuthorizationRequest = { scopes: SCOPES, redirectUri: REDIRECT_URI, prompt: "consent" };

/** How often the token endpoint was asked. */
export function tokenRequests({ requests }: Pick<OidcProviderServer, "requests">): number {
  return requests.filter((line) => line === "POST /token").length;
}

/** Walks a person through a sign-in of an app. */
export async function signIn(
  app: ClientApplication,
  person: Person = personNamed("ada"),
  more: Partial<AuthorizationRequest> = {},
): Promise<{ flow: AuthCodeFlow; answer: Request; result: AuthenticationResult }> {
  const flow = await app.initiateAuthCodeFlow({ ...REQUEST, ...more });
  const answer = await person.signIn(flow.authUri);
  return { flow, answer, result: await app.acquireTokenByAuthCodeFlow(flow, answer.clone()) };
}
