/**
 * Users, apps and tenants at a local authority, and the requests of a client that signs them in by hand.
 *
 * @module
 */
import { LocalAuthority, type LocalAuthorityOptions, type SignInOptions } from "../../src/testing/mod.ts";
import { FakeClock } from "./fake_clock.ts";

/** Parameters of a request laid over the usual ones; one that is `undefined` is not sent. */
export type Changes = Readonly<Record<string, string | undefined>>;

/** A JSON document. */
// deno-lint-ignore no-explicit-any
export type Json = Record<string, any>;

/** An answer of the authority: its status and its JSON. */
export interface Answer {
  readonly status: number;
  readonly body: Json;
}

/** The host that is asked. */
export const HOST = "https://login.microsoftonline.com";
/** The redirect URI of all requests. */
export const REDIRECT_URI = "http://localhost:3000/callback";
/** A verifier. */
export const VERIFIER = "a-verifier-that-is-long-enough-for-the-endpoint";
/** The challenge of {@linkcode VERIFIER}. */
export const CHALLENGE = "fgbW9ihEBbX4Ap2YERdmVoo6uafJqObv5wzuwD78fFo";
/** The tenant of the authority without options. */
export const CONTOSO = {
  id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
  domains: ["contoso.onmicrosoft.com"],
  name: "Contoso",
} as const;
/** Another tenant. */
export const FABRIKAM = {
  id: "1d2c3b4a-5e6f-4708-9a1b-2c3d4e5f6071",
  domains: ["fabrikam.example"],
  name: "Fabrikam",
} as const;
/** The tenant of Microsoft accounts. */
export const CONSUMERS = "9188040d-6c67-4c5b-b112-36a304b66dad";
/** A confidential app. */
export const WEB = {
  clientId: "0f1e2d3c-4b5a-4968-8776-655443322110",
  name: "Web",
  secrets: ["s3cret"],
  redirectUris: ["http://localhost/callback", "https://web.example/callback"],
} as const;
/** A public app. */
export const CLI = {
  clientId: "aa11bb22-cc33-4d44-8e55-ff6677889900",
  name: "Command line",
  publicClient: true,
  redirectUris: ["http://localhost/callback"],
} as const;
/** An API of version 2 tokens. */
export const ORDERS = {
  identifierUris: ["api://orders"],
  appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91",
  accessTokenVersion: 2,
  scopes: ["Orders.Read", "Orders.Write"],
} as const;
/** A member of Contoso and guest of Fabrikam, one of Contoso alone without a second factor, a Microsoft account. */
export const USERS = [
  {
    username: "ada@contoso.onmicrosoft.com",
    name: "Ada Byron",
    email: "ada@contoso.example",
    emailVerified: true,
    guestOf: [{ tenant: "fabrikam.example" }],
  },
  { username: "bob@contoso.onmicrosoft.com", name: "Bob", mfa: false },
  { username: "fay@fabrikam.example", tenant: "fabrikam.example" },
  { username: "pat@outlook.example", personal: true },
] as const;

function parametersOf(fields: Changes): URLSearchParams {
  return new URLSearchParams(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}

/** An authority on a clock that stands still, and a client's requests to it. */
export class UserScene {
  readonly clock: FakeClock = new FakeClock();
  readonly authority: LocalAuthority;

  constructor(options: LocalAuthorityOptions = {}) {
    this.authority = new LocalAuthority({
      tenants: [CONTOSO, FABRIKAM],
      users: USERS,
      apps: [WEB, CLI],
      resources: [ORDERS],
      clock: this.clock,
      ...options,
    });
  }

  /** The URL that a web app sends its user to. */
  authorizeUrl(changes: Changes = {}, tenant: string = CONTOSO.id): string {
    const parameters = parametersOf({
      client_id: WEB.clientId,
      response_type: "code",
      redirect_uri: REDIRECT_URI,
      scope: "openid profile offline_access User.Read",
      state: "the-state",
      nonce: "the-nonce",
      code_challenge: CHALLENGE,
      code_challenge_method: "S256",
      client_info: "1",
      ...changes,
    });
    return `${HOST}/${tenant}/oauth2/v2.0/authorize?${parameters}`;
  }

  /** Signs in, and returns the code. */
  async code(
    changes: Changes = {},
    options: SignInOptions = {},
    tenant: string = CONTOSO.id,
  ): Promise<string> {
    const { parameters } = await this.authority.signIn(this.authorizeUrl(changes, tenant), options);
    const code = parameters.get("code");
    if (code === null) throw new Error(`no code: ${parameters}`);
    return code;
  }

  /** Posts a form to an endpoint of a tenant. */
  async post(fields: Changes, tenant: string = CONTOSO.id, endpoint = "token"): Promise<Answer> {
    const url = `${HOST}/${tenant}/oauth2/v2.0/${endpoint}`;
    const response = await this.authority.fetch(url, { method: "POST", body: parametersOf(fields) });
    return { status: response.status, body: await response.json() };
  }

  /** Redeems a code as the web app. */
  redeem(code: string, changes: Changes = {}, tenant: string = CONTOSO.id): Promise<Answer> {
    return this.post({
      grant_type: "authorization_code",
      client_id: WEB.clientId,
      client_secret: WEB.secrets[0],
      client_info: "1",
      code,
      redirect_uri: REDIRECT_URI,
      code_verifier: VERIFIER,
      ...changes,
    }, tenant);
  }

  /** Signs in and redeems the code; the answer must be tokens. */
  async tokens(
    changes: Changes = {},
    options: SignInOptions = {},
    tenant: string = CONTOSO.id,
  ): Promise<Json> {
    const { status, body } = await this.redeem(await this.code(changes, options, tenant), {}, tenant);
    if (status !== 200) throw new Error(body.error_description);
    return body;
  }

  /** Refreshes as the web app. */
  refresh(refreshToken: string, changes: Changes = {}, tenant: string = CONTOSO.id): Promise<Answer> {
    return this.post({
      grant_type: "refresh_token",
      client_id: WEB.clientId,
      client_secret: WEB.secrets[0],
      client_info: "1",
      refresh_token: refreshToken,
      ...changes,
    }, tenant);
  }

  /** Calls Microsoft Graph. */
  async graph(
    path: string,
    accessToken: string,
    init: RequestInit = {},
  ): Promise<Answer & { headers: Headers }> {
    const response = await this.authority.fetch(`https://graph.microsoft.com/${path}`, {
      ...init,
      headers: { authorization: `Bearer ${accessToken}` },
    });
    return { status: response.status, body: await response.json(), headers: response.headers };
  }
}
