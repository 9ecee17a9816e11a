/**
 * A confidential client on a fake clock and a scripted fetch, and what tests ask of its failures.
 *
 * @module
 */
import { assert } from "@std/assert";
import {
  type AnyAuthError,
  type AuthenticationResult,
  type ClientCredentialRequest,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  isAuthError,
  type MsalEvent,
} from "../../mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Answer, type RecordedRequest, type ScriptedFetch, scriptedFetch } from "./scripted_fetch.ts";

export const TENANT = "contoso.onmicrosoft.com";
export const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const SECRET = "q8~Fixture+sécret/with=odd&chars%";
export const SCOPE = "https://graph.microsoft.com/.default";
export const AUTHORITY: string = `https://login.microsoftonline.com/${TENANT}`;
export const TOKEN_ENDPOINT: string = `${AUTHORITY}/oauth2/v2.0/token`;
export const ISSUER = "https://idp.example/realms/main";
export const CORRELATION_ID = "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c";

/** Options over those of the fixture, wrong ones included. */
export type Overrides = Partial<ConfidentialClientOptions>;

/** An application and everything around it. */
export interface Fixture {
  readonly app: ConfidentialClientApplication;
  readonly clock: FakeClock;
  readonly http: ScriptedFetch;
  readonly events: MsalEvent[];
  readonly lines: string[];
  /** Acquires a token for {@linkcode SCOPE} and lets time pass as far as that needs. */
  acquire(request?: Partial<ClientCredentialRequest>): Promise<AuthenticationResult>;
  /** The same, for a call that must fail. */
  refused(request?: Partial<ClientCredentialRequest>): Promise<AnyAuthError>;
}

/** A token endpoint's success, a new response for each request. */
export function tokenAnswer(members: Record<string, unknown> = {}, headers: Record<string, string> = {}) {
  return (): Response =>
    Response.json({ token_type: "Bearer", expires_in: 3600, access_token: "AT", ...members }, { headers });
}

/** A token endpoint's refusal, a new response for each request. */
export function errorAnswer(status: number, error: string, members: Record<string, unknown> = {}) {
  return (): Response => Response.json({ error, ...members }, { status });
}

/** Any answer, a new response for each request; JSON unless the headers say otherwise. */
export function answer(status: number, body: BodyInit | null, headers: Record<string, string> = {}) {
  return (): Response =>
    new Response(body, { status, headers: { "content-type": "application/json", ...headers } });
}

/** A discovery document of {@linkcode ISSUER}. */
export function discovery(
  members: Record<string, unknown> = {},
  issuer: string = ISSUER,
): Record<string, unknown> {
  return { issuer, token_endpoint: `${issuer}/token`, ...members };
}

/** A script that answers discovery and the token endpoint. */
export function oidcScript(document: () => Response, token: () => Response = tokenAnswer()) {
  return (request: RecordedRequest): Answer =>
    request.url.endsWith("/.well-known/openid-configuration") ? document() : token();
}

/** Options for {@linkcode ISSUER}; `undefined` takes the fixture's own authority away. */
export const OIDC: Overrides = { authority: undefined, oidcAuthority: ISSUER };

/** Makes a fixture. */
export function fixture(
  script: Answer[] | ((request: RecordedRequest) => Answer) = [],
  overrides: Overrides = {},
  clock: FakeClock = new FakeClock(),
): Fixture {
  const http = scriptedFetch(script);
  const events: MsalEvent[] = [];
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const app = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    clientCredential: SECRET,
    fetch: http.fetch,
    clock,
    onEvent: (event) => void events.push(event),
    logger: { debug: keep, warn: keep, error: keep },
    ...overrides,
  });
  const call = (request: Partial<ClientCredentialRequest> = {}) =>
    app.acquireTokenForClient({ scopes: [SCOPE], ...request });
  return {
    app,
    clock,
    http,
    events,
    lines,
    acquire: (request) => settle(clock, call(request)),
    refused: (request) => failure(settle(clock, call(request))),
  };
}

/** Waits for a promise while letting the clock's timers fire, two seconds at a time. */
export async function settle<T>(clock: FakeClock, promise: Promise<T>): Promise<T> {
  let done = false;
  promise.then(() => done = true, () => done = true);
  for (let step = 0; step < 80 && !done; step++) {
    await clock.advance(0);
    if (!done && clock.pending > 0) await clock.advance(2_000);
  }
  if (!done) throw new Error("the call never settled");
  return await promise;
}

/** The error of a promise that must reject with an error of the library. */
export async function failure(promise: Promise<unknown>): Promise<AnyAuthError> {
  try {
    await promise;
  } catch (error) {
    assert(isAuthError(error), `not an AuthError: ${String(error)}`);
    return error as AnyAuthError;
  }
  throw new Error("the call succeeded");
}

/** The error of a call that must throw an error of the library at once. */
export function thrown(call: () => unknown): AnyAuthError {
  try {
    call();
  } catch (error) {
    assert(isAuthError(error), `not an AuthError: ${String(error)}`);
    return error as AnyAuthError;
  }
  throw new Error("the call succeeded");
}
