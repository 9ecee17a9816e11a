/**
 * A scripted Entra that signs ID tokens: what the clients' own tests sign users in with.
 *
 * @module
 */
import { base64url, type CryptoKey, exportJWK, generateKeyPair, type JWK, SignJWT } from "jose";
import {
  type AnyAuthError,
  type AuthCodeFlow,
  type AuthenticationResult,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  type MsalEvent,
  PublicClientApplication,
  type PublicClientOptions,
  TokenCache,
} from "../../mod.ts";
import { failure, settle } from "./app_fixture.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./scripted_fetch.ts";

export const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const TENANT_ID = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
export const OTHER_TENANT_ID = "1f2e3d4c-5b6a-4978-8695-a4b3c2d1e0f9";
export const USER_ID = "aa905949-a2b8-4e0a-8aea-b32e53ccdb41";
export const HOME_ACCOUNT_ID: string = `${USER_ID}.${TENANT_ID}`;
export const HOST = "https://login.microsoftonline.com";
export const REDIRECT_URI = "https://app.example/callback";
export const SECRET = "q8~Fixture+secret/with=odd&chars%";

/** Claims laid over those of the fixture's user; `undefined` takes one away. */
export type Claims = Readonly<Record<string, unknown>>;

let keyPair: Promise<{ privateKey: CryptoKey; jwk: JWK }> | undefined;

/** One key for all: making one takes long. */
export function signingKey(): Promise<{ privateKey: CryptoKey; jwk: JWK }> {
  return keyPair ??= generateKeyPair("RS256", { extractable: true }).then(async (
    { privateKey, publicKey },
  ) => ({
    privateKey,
    jwk: { ...await exportJWK(publicKey), kid: "test-key", use: "sig" },
  }));
}

/** Signs claims as they are. */
export async function signed(claims: Claims): Promise<string> {
  const { privateKey } = await signingKey();
  const given = Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
  return await new SignJWT(given).setProtectedHeader({ alg: "RS256", kid: "test-key" }).sign(privateKey);
}

/** Entra's `client_info`. */
export function clientInfo(uid: string = USER_ID, utid: string = TENANT_ID): string {
  return base64url.encode(JSON.stringify({ uid, utid }));
}

/** What the token endpoint gives next: members of a success answer, made when it is asked, or any other answer. */
export type Reply =
  | Answer
  | Readonly<Record<string, unknown>>
  | ((request: RecordedRequest) => Promise<Response>);

/** The fixture. */
export interface EntraDouble {
  readonly clock: FakeClock;
  readonly tokenCache: TokenCache;
  /** The token and device requests so far. */
  readonly posts: RecordedRequest[];
  /** The requests for documents so far. */
  readonly gets: RecordedRequest[];
  readonly events: MsalEvent[];
  readonly confidential: (options?: Partial<ConfidentialClientOptions>) => ConfidentialClientApplication;
  readonly public: (options?: Partial<PublicClientOptions>) => PublicClientApplication;
  /** Answers the next token requests. */
  next(...replies: Reply[]): void;
  /** Answers documents in place of the double. */
  documents?: ((request: RecordedRequest) => Answer | undefined) | undefined;
  /** A success answer for a user. */
  answer(claims?: Claims, members?: Claims): Promise<Record<string, unknown>>;
  /** An ID token of the fixture's user. */
  idToken(claims?: Claims): Promise<string>;
  /** Lets time pass as far as a call needs. */
  settle<T>(promise: Promise<T>): Promise<T>;
  /** The error of a call that must fail. */
  refused(promise: Promise<unknown>): Promise<AnyAuthError>;
  /** Signs the user in by code; members go over those of the answer. */
  signIn(
    app: ConfidentialClientApplication | PublicClientApplication,
    claims?: Claims,
    members?: Claims,
    scopes?: readonly string[],
  ): Promise<AuthenticationResult>;
}

/** The `nonce` that a flow's URL carries. */
export function nonceOf(flow: AuthCodeFlow): string {
  return new URL(flow.authUri).searchParams.get("nonce") ?? "";
}

/** The answer that a browser would bring. */
export function callback(flow: AuthCodeFlow, parameters: Record<string, string> = {}): URL {
  const url = new URL(flow.redirectUri);
  url.search = new URLSearchParams({ code: "a code", state: flow.state, ...parameters }).toString();
  return url;
}

/** Makes a scripted Entra. */
export function entraDouble(): EntraDouble {
  const clock = new FakeClock();
  const posts: RecordedRequest[] = [];
  const gets: RecordedRequest[] = [];
  const queue: Reply[] = [];
  const events: MsalEvent[] = [];
  const tokenCache = new TokenCache();
  let count = 0;
  const script = scriptedFetch((request) => {
    if (request.method === "GET") {
      gets.push(request);
      return double.documents?.(request) ?? documentOf(request);
    }
    posts.push(request);
    const reply = queue.shift();
    if (reply === undefined) return () => Promise.reject(new Error("no reply left"));
    if (reply instanceof Response || reply instanceof Error || typeof reply === "function") {
      return reply as Answer;
    }
    return jsonResponse(reply);
  });
  const common = {
    clientId: CLIENT_ID,
    authority: `${HOST}/${TENANT_ID}`,
    clock,
    fetch: script.fetch,
    tokenCache,
  };
  const observed = { ...common, onEvent: (event: MsalEvent) => void events.push(event) };
  const double: EntraDouble = {
    clock,
    tokenCache,
    posts,
    gets,
    events,
    confidential: (options) =>
      new ConfidentialClientApplication({ ...observed, clientCredential: SECRET, ...options }),
    public: (options) => new PublicClientApplication({ ...observed, ...options }),
    next: (...replies) => void queue.push(...replies),
    idToken: (claims) => signed({ ...claimsOf(clock), ...claims }),
    answer: async (claims, members) => ({
      token_type: "Bearer",
      expires_in: 3600,
      access_token: `AT ${++count}`,
      refresh_token: `RT ${count}`,
      scope: "User.Read openid profile offline_access",
      id_token: await double.idToken(claims),
      client_info: clientInfo(),
      ...members,
    }),
    settle: async (promise) => {
      promise.catch(() => {});
      // Made before the clock moves on: on a slow machine it takes longer than the deadline of a document.
      await signingKey();
      return await settle(clock, promise);
    },
    refused: (promise) => failure(double.settle(promise)),
    signIn: async (app, claims, members, scopes = ["User.Read"]) => {
      const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri: REDIRECT_URI });
      double.next(await double.answer({ nonce: nonceOf(flow), ...claims }, members));
      return await double.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    },
  };
  return double;
}

function claimsOf(clock: FakeClock): Claims {
  const now = Math.floor(clock.now() / 1000);
  return {
    iss: `${HOST}/${TENANT_ID}/v2.0`,
    aud: CLIENT_ID,
    iat: now - 5,
    nbf: now - 5,
    exp: now + 3600,
    sub: "pairwise-subject",
    oid: USER_ID,
    tid: TENANT_ID,
    preferred_username: "alex@contoso.example",
    name: "Alex Weber",
    ver: "2.0",
  };
}

function documentOf({ url }: RecordedRequest): Answer {
  if (!url.endsWith("/discovery/v2.0/keys")) return jsonResponse({ error: "not_found" }, 404);
  return async () => {
    const { jwk } = await signingKey();
    const issuer = `${HOST}/{tenantid}/v2.0`;
    return jsonResponse({ keys: [{ ...jwk, ...(url.startsWith(HOST) && { issuer }) }] });
  };
}
