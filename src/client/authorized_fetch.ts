/**
 * A `fetch` for an API: it has the token, and gets another one where the API asks for claims.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import type { ClientAuthErrorCode } from "../errors/error_codes.ts";
import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import { discard } from "../net/body.ts";
import { isLoopback } from "../net/endpoint.ts";
import { type AuthScheme, requireAuthScheme } from "../request/auth_scheme.ts";
import { claimsChallengeOf } from "../request/www_authenticate.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { FetchFunction } from "../runtime/web_types.ts";
import { Bodies, type Body, bodyOf } from "./bodies.ts";

/** What a token must be good for. */
export interface TokenChallenge {
  /** The claims that the API asked for, for the `claims` of the request; absent at first. */
  readonly claims?: string | undefined;
  /** The signal of the request. */
  readonly signal?: AbortSignal | undefined;
  /** What the token must be bound by, for the `authScheme` of the request; absent without that option. */
  readonly authScheme?: AuthScheme | undefined;
}

/** What `createAuthorizedFetch` takes. */
export interface AuthorizedFetchOptions {
  /** Gets the token, such as `(challenge) => app.acquireTokenSilent({ account, scopes, ...challenge })`. */
  readonly acquireToken: (
    challenge: TokenChallenge,
  ) => Promise<{ readonly accessToken: string; readonly tokenType: string }>;
  /** Where the token may go, such as `["https://graph.microsoft.com"]`; nowhere else does it. */
  readonly origins: readonly (string | URL)[];
  /** Sends the requests. The global `fetch`, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /**
   * Proves at each request who sends it: the scheme that the token is bound by. Where the API wants its nonce in the proof the
   * request is sent once more.
   */
  readonly authScheme?: AuthScheme | undefined;
  /** Whose time the proofs tell. The system's where absent. */
  readonly clock?: Pick<Clock, "now"> | undefined;
}

/** A `fetch` that has the token. */
export type AuthorizedFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

function originOf(given: unknown): string {
  const text = String(given);
  const url = URL.canParse(text) ? new URL(text) : undefined;
  // Nothing but an origin: a path would not be looked at.
  const isOrigin = url !== undefined && url.href === `${url.origin}/`;
  if (isOrigin && (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)))) {
    return url.origin;
  }
  refuse(
    "invalid_option",
    "origins",
    "each must be an https origin, or http on localhost",
  );
}

function requireTarget(text: string, origins: readonly string[]): string {
  const url = URL.canParse(text)
    ? new URL(text)
    : refuse("invalid_request", "input", "it is no absolute URL");
  // Not its `origin`: a blob's is that of the page that made it.
  const origin = `${url.protocol}//${url.host}`;
  if (origins.includes(origin) && url.username + url.password === "") return url.href;
  refuse("invalid_request", "input", `${origin} is none of the origins, or a user name is in it`);
}

function isRequest(input: unknown): input is Request {
  return typeof (input as Request | null)?.url === "string";
}

/** A token, as the application's function gave it. */
type Token = Awaited<ReturnType<AuthorizedFetchOptions["acquireToken"]>>;

/** Runs the application's function, or its scheme. */
async function run<T>(name: string, code: ClientAuthErrorCode, work: () => T | Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (isAuthError(error)) throw error;
    throw new ClientAuthError(code, `Cannot authorize the request: ${name} threw ${nameOf(error)}`);
  }
}

async function tokenOf(
  acquireToken: AuthorizedFetchOptions["acquireToken"],
  challenge: TokenChallenge,
): Promise<Token> {
  const token = await run("acquireToken", "unexpected_error", () => acquireToken(challenge));
  const { tokenType, accessToken } = Object(token) as Token;
  const asked = challenge.authScheme?.tokenType ?? `${tokenType}`;
  // Headers would quote a value that they refuse.
  const isToken = tokenType && accessToken && /^[\w-]+ [\x21-\x7e]+$/.test(`${tokenType} ${accessToken}`);
  if (isToken && !challenge.authScheme && /^d?pop$/i.test(tokenType)) {
    refuse("invalid_option", "authScheme", `it is missing, and a ${tokenType} token is of no use without it`);
  }
  if (isToken && asked.toLowerCase() === tokenType.toLowerCase()) return { tokenType, accessToken };
  const kind = isToken ? `${asked} token: pass on its authScheme` : "token";
  throw new ClientAuthError(
    "unexpected_error",
    `Cannot authorize the request: acquireToken gave no ${kind}`,
  );
}

interface Prepared {
  readonly url: string;
  readonly body: Body;
  readonly sent: RequestInit & { readonly headers: Headers; readonly method: string };
}

/** Checks a request before a token is acquired for it. */
async function prepare(
  input: string | URL | Request,
  init: RequestInit = {},
  origins: readonly string[],
): Promise<Prepared> {
  const request = isRequest(input) ? input : undefined;
  const url = requireTarget(request?.url ?? String(input), origins);
  const headers = new Headers(init.headers ?? request?.headers);
  if (headers.has("authorization")) {
    refuse("invalid_request", "headers", "authorization is set by the library: leave it out");
  }
  const method = init.method ?? request?.method ?? "GET";
  const signal = init.signal ?? request?.signal ?? null;
  // Node takes a stream with `duplex` alone.
  const sent = { ...init, method, headers, signal, redirect: "manual", duplex: "half" } as const;
  return { url, body: await bodyOf(request, init.body), sent };
}

/**
 * Makes a `fetch` that sends a token along, to these origins alone. Where the API answers 401 and asks for claims, a
 * token with them is acquired and the request is sent once more.
 *
 * Redirects are not followed, whatever `redirect` says: the answer is returned. A `Request`'s body is read into memory, and
 * a stream is kept until the answer is there; other bodies that can be read only once are not sent again.
 *
 * ```ts ignore
 * const graph = createAuthorizedFetch({
 *   origins: ["https://graph.microsoft.com"],
 *   acquireToken: (challenge) => app.acquireTokenSilent({ account, scopes: ["User.Read"], ...challenge }),
 * });
 * const me = await (await graph("https://graph.microsoft.com/v1.0/me")).json();
 * ```
 *
 * @param options Where the token comes from and where it may go.
 * @returns The function. It rejects as `acquireToken` and `fetch` do, and with a {@linkcode ClientConfigurationError}, before
 * a token is acquired, for another origin and for an `authorization` header of the caller's own.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function createAuthorizedFetch(options: AuthorizedFetchOptions): AuthorizedFetch {
  const { acquireToken, origins: given, fetch, authScheme, clock = systemClock } = options ?? {};
  if (typeof acquireToken !== "function") refuse("invalid_option", "acquireToken", "it must be a function");
  if (!Array.isArray(given) || given.length === 0) refuse("invalid_option", "origins", "it must be a list");
  requireAuthScheme(authScheme);
  const origins = given.map(originOf);
  /** The last nonce of each of them. */
  const nonces = new Map<string, string>();
  const authorize = (headers: Headers, url: string, method: string, token: Token): void | Promise<void> => {
    const { tokenType, accessToken } = token;
    if (authScheme === undefined) return headers.set("authorization", `${tokenType} ${accessToken}`);
    const nonce = nonces.get(new URL(url).origin);
    const nowSeconds = Math.floor(clock.now() / 1000);
    const request = { method, url, accessToken, nonce, nowSeconds };
    return run("authScheme", "auth_scheme_failed", async () => {
      // Here, for headers quote what they refuse.
      for (const pair of Object.entries(await authScheme.apiHeaders(request))) headers.set(...pair);
    });
  };
  const nonceIn = (url: string, response: Response): boolean => {
    const { nonce, isRequired = false } = authScheme?.apiNonce?.(response) ?? {};
    if (nonce !== undefined) nonces.set(new URL(url).origin, nonce);
    return isRequired;
  };
  return async (input, init) => {
    const { url, body, sent } = await prepare(input, init, origins);
    const { headers } = sent;
    const signal = sent.signal ?? undefined;
    // What is signed is what is sent.
    const method = authScheme ? new Request(url, { method: sent.method }).method : sent.method;
    const bodies = new Bodies(body);
    const about = { signal, ...(authScheme && { authScheme }) };
    let [mayAskClaims, mayAskNonce] = [true, authScheme !== undefined];
    try {
      let token = await tokenOf(acquireToken, { claims: undefined, ...about });
      for (;;) {
        await authorize(headers, url, method, token);
        // Looked up at each call, and called as a plain function: workerd refuses another `this`.
        const plain: FetchFunction = fetch ?? globalThis.fetch;
        const response = await plain(url, {
          ...sent,
          method,
          body: bodies.take(mayAskClaims || mayAskNonce),
        });
        const wantsNonce = nonceIn(url, response) && mayAskNonce;
        const claims = mayAskClaims && response.status === 401 ? claimsChallengeOf(response) : undefined;
        if (!bodies.hasMore || !(wantsNonce || claims !== undefined)) return response;
        discard(response.body);
        if (wantsNonce) mayAskNonce = false;
        if (claims === undefined) continue;
        mayAskClaims = false;
        token = await tokenOf(acquireToken, { claims, ...about });
      }
    } finally {
      bodies.close();
    }
  };
}
