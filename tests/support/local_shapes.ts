/**
 * A local authority that plays every shape at once, and requests to it by hand.
 *
 * @module
 */
import { ConfidentialClientApplication, type ConfidentialClientOptions } from "../../mod.ts";
import { LocalAuthority, type LocalAuthorityOptions, type UserDeclaration } from "../../src/testing/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { type MadeCertificate, makeCertificate } from "./made_certificates.ts";
import type { Answer, Changes, Json } from "./user_scene.ts";

/** The client in all tenants. */
export const CLIENT_ID = "0f1e2d3c-4b5a-4968-8776-655443322110";
/** A public one. */
export const PUBLIC_ID = "0f1e2d3c-4b5a-4968-8776-655443322111";
/** Its secret. */
export const SECRET = "s3cret";
/** Where answers go. */
export const REDIRECT_URI = "https://app.example/callback";
/** The tenant of a workforce. */
export const WORKFORCE = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
/** That of External ID. */
export const EXTERNAL = "0f5b6a52-9c0e-4b8e-9a3e-2c6d8f1a7b90";
/** That of Azure AD B2C. */
export const CONSUMER = "1d2c3b4a-5e6f-4708-9a1b-2c3d4e5f6071";
/** The farm of AD FS. */
export const FARM = "c4a1d5f7-3b2e-4f60-8d9c-1e2f3a4b5c6d";
/** A user of the workforce. */
export const ADA: UserDeclaration = { username: "ada@contoso.onmicrosoft.com", name: "Ada" };
/** Of External ID. */
export const EVE: UserDeclaration = { username: "eve@mail.example", tenant: EXTERNAL, name: "Eve" };
/** Of Azure AD B2C. */
export const BOB: UserDeclaration = {
  username: "bob@mail.example",
  tenant: CONSUMER,
  name: "Bob",
  email: "bob@mail.example",
};
/** Of AD FS. */
export const FAY: UserDeclaration = { username: "fay@corp.contoso.com", tenant: FARM, name: "Fay" };
/** An API. */
export const ORDERS = {
  identifierUris: ["https://orders.contoso.com"],
  appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91",
  accessTokenVersion: 2,
  scopes: ["Orders.Read"],
} as const;
/** Where External ID is asked. */
export const CIAM = "https://woodgrove.ciamlogin.com";
/** Its domain of its own. */
export const CIAM_CUSTOM = "https://login.woodgrove.com";
/** Where Azure AD B2C is asked. */
export const B2C = "https://fabrikam.b2clogin.com/fabrikam.onmicrosoft.com";
/** Its domain of its own. */
export const B2C_CUSTOM = "https://login.fabrikam.com";
/** Where AD FS is asked. */
export const ADFS = "https://adfs.contoso.com/adfs";

let made: MadeCertificate | undefined;

/** The certificate that the client has registered. */
export async function clientCertificate(): Promise<MadeCertificate> {
  return made ??= await makeCertificate();
}

/** Its key, as PEM. */
export async function privateKeyPem(): Promise<string> {
  const { keys } = await clientCertificate();
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", keys.privateKey) as ArrayBuffer;
  const base64 = btoa(String.fromCharCode(...new Uint8Array(pkcs8)));
  return `-----BEGIN PRIVATE KEY-----\n${base64.replace(/.{64}/g, "$&\n")}\n-----END PRIVATE KEY-----\n`;
}

/** The tenants of all kinds. */
export const TENANTS: NonNullable<LocalAuthorityOptions["tenants"]> = [
  { id: WORKFORCE, domains: ["contoso.onmicrosoft.com"], name: "Contoso" },
  {
    id: EXTERNAL,
    domains: ["woodgrove.onmicrosoft.com"],
    kind: "external",
    hosts: ["login.woodgrove.com"],
  },
  {
    id: CONSUMER,
    domains: ["fabrikam.onmicrosoft.com"],
    kind: "b2c",
    hosts: ["login.fabrikam.com"],
    policies: [
      { name: "B2C_1_signin" },
      { name: "B2C_1A_tfp", issuer: "tfp", tenantClaim: true },
      { name: "B2C_1_old", policyClaim: "acr" },
    ],
  },
  { id: FARM, kind: "adfs", hosts: ["adfs.contoso.com"] },
];

/** An authority on a clock that stands still. */
export class ShapeScene {
  readonly clock: FakeClock = new FakeClock();
  readonly authority: LocalAuthority;

  constructor(options: LocalAuthorityOptions = {}, certificates: readonly string[] = []) {
    const redirectUris = [REDIRECT_URI, "https://app.example/*", "http://localhost/*"];
    this.authority = new LocalAuthority({
      tenants: TENANTS,
      users: [ADA, EVE, BOB, FAY],
      apps: [
        { clientId: CLIENT_ID, name: "Shop", secrets: [SECRET], certificates, redirectUris },
        { clientId: PUBLIC_ID, name: "Till", publicClient: true, redirectUris },
      ],
      resources: [ORDERS],
      clock: this.clock,
      ...options,
    });
  }

  /** A document. */
  async get(url: string): Promise<Answer> {
    const response = await this.authority.fetch(url);
    return { status: response.status, body: await response.json() };
  }

  /** A token request; `undefined` leaves a field out. */
  async post(url: string, changes: Changes = {}): Promise<Answer> {
    const fields = {
      client_id: CLIENT_ID,
      client_secret: SECRET,
      grant_type: "client_credentials",
      scope: "https://orders.contoso.com/.default",
      ...changes,
    };
    const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
    const response = await this.authority.fetch(url, { method: "POST", body: new URLSearchParams(given) });
    return { status: response.status, body: await response.json() };
  }

  /** The URL of a sign-in; `at` is where the endpoints are. */
  authorizeUrl(at: string, changes: Changes = {}): string {
    const fields = {
      client_id: CLIENT_ID,
      response_type: "code",
      redirect_uri: REDIRECT_URI,
      scope: "openid offline_access",
      nonce: "the-nonce",
      ...changes,
    };
    const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
    return `${at}/authorize?${new URLSearchParams(given)}`;
  }

  /** Signs a user in, and returns the code. */
  async code(at: string, changes: Changes = {}): Promise<string> {
    const { parameters } = await this.authority.signIn(this.authorizeUrl(at, changes));
    return parameters.get("code") ?? `${parameters}`;
  }

  /** Redeems a code. */
  redeem(at: string, code: string, changes: Changes = {}): Promise<Answer> {
    const grant = { grant_type: "authorization_code", code, redirect_uri: REDIRECT_URI, scope: undefined };
    return this.post(`${at}/token`, { ...grant, ...changes });
  }

  /** Signs in, and returns the tokens. */
  async tokens(at: string, changes: Changes = {}, redeemed: Changes = {}): Promise<Json> {
    return (await this.redeem(at, await this.code(at, changes), redeemed)).body;
  }

  /** A client of ours. */
  client(options: Partial<ConfidentialClientOptions>): ConfidentialClientApplication {
    return new ConfidentialClientApplication(
      {
        clientId: CLIENT_ID,
        clientCredential: SECRET,
        fetch: this.authority.fetch,
        clock: this.clock,
        ...options,
      } as ConfidentialClientOptions,
    );
  }
}
