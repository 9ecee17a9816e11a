/**
 * A local authority with people and apps for the tests of its pages, and the addresses that they visit.
 *
 * @module
 */
import { LocalAuthority, type LocalAuthorityOptions } from "../../src/testing/mod.ts";
import { FormBrowser } from "./form_browser.ts";

/** Where the tests reach the authority; its handler takes any origin. */
export const ORIGIN = "http://127.0.0.1:8123";

/** An app of these tests. */
export interface SceneApp {
  readonly clientId: string;
  readonly name: string;
  readonly redirectUris: readonly string[];
  readonly logoutUris?: readonly string[];
  readonly requireConsent?: boolean;
  readonly publicClient?: boolean;
}

/** A person of these tests. */
export interface ScenePerson {
  readonly username: string;
  readonly password: string;
  readonly name: string;
}

/** An app with a hostile name. */
export const WEB_APP: SceneApp = {
  clientId: "0b7a4a4e-4c60-4c9d-9d3b-2f5a6f0f7f01",
  name: `Orders <script>alert("1")</script> & 'co'`,
  redirectUris: [
    "https://orders.example/callback",
    "https://orders.example/other?kept=1",
    "http://127.0.0.1/*",
  ],
  logoutUris: ["https://orders.example/signed-out"],
};

/** An app that asks for consent. */
export const ASKING_APP: SceneApp = {
  clientId: "0b7a4a4e-4c60-4c9d-9d3b-2f5a6f0f7f02",
  name: "Asking app",
  redirectUris: ["https://asking.example/callback", "http://127.0.0.1/*"],
  requireConsent: true,
};

/** A public client. */
export const DEVICE_APP: SceneApp = {
  clientId: "0b7a4a4e-4c60-4c9d-9d3b-2f5a6f0f7f03",
  name: "Orders for the television",
  redirectUris: [],
  publicClient: true,
};

/** People; the first one has a hostile name. */
export const ADA: ScenePerson = {
  username: "ada@contoso.onmicrosoft.com",
  password: "ada's own password",
  name: `Ada "<img src=x onerror=alert(1)>" Lovelace`,
};

/** Another one. */
export const GRACE: ScenePerson = {
  username: "grace@contoso.onmicrosoft.com",
  password: "grace's own password",
  name: "Grace Hopper",
};

/** Claims that need a second factor. */
export const MFA_CLAIMS: string = JSON.stringify({
  access_token: { acrs: { essential: true, value: "c1" } },
});

/** The authority. */
export function signInAuthority(options: LocalAuthorityOptions = {}): LocalAuthority {
  const users = [ADA, GRACE, { username: "nomfa@contoso.onmicrosoft.com", mfa: false, password: "n" }];
  return new LocalAuthority({ users, apps: [WEB_APP, ASKING_APP, DEVICE_APP], ...options });
}

/** An authority, and a browser that visits it. */
export function signInScene(options: LocalAuthorityOptions = {}): {
  authority: LocalAuthority;
  browser: FormBrowser;
} {
  const authority = signInAuthority(options);
  return { authority, browser: new FormBrowser(authority.handler) };
}

/** The address of an authorization request; `undefined` leaves a parameter out. */
export function authorizeUrl(
  changes: Readonly<Record<string, string | undefined>> = {},
  { origin = ORIGIN, tenant = "contoso.onmicrosoft.com" }: { origin?: string; tenant?: string } = {},
): URL {
  const url = new URL(`${origin}/${tenant}/oauth2/v2.0/authorize`);
  const all = {
    client_id: WEB_APP.clientId,
    response_type: "code",
    redirect_uri: WEB_APP.redirectUris[0],
    scope: "openid profile",
    state: "the state",
    nonce: "a-nonce",
    code_challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
    code_challenge_method: "S256",
    ...changes,
  };
  for (const [name, value] of Object.entries(all)) if (value !== undefined) url.searchParams.set(name, value);
  return url;
}

/** The address of a request by the app that asks for consent. */
export function askingUrl(changes: Readonly<Record<string, string | undefined>> = {}): URL {
  const [redirect_uri] = ASKING_APP.redirectUris;
  return authorizeUrl({
    client_id: ASKING_APP.clientId,
    redirect_uri,
    scope: "openid User.Read",
    ...changes,
  });
}
