/**
 * A `fetch` for an API: it has the token, and gets another one where the API asks for claims.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import { discard } from "../net/body.ts";
import { isLoopback } from "../net/endpoint.ts";
import { claimsChallengeOf } from "../request/www_authenticate.ts";
import type { FetchFunction } from "../runtime/web_types.ts";

/** What a token must be good for. */
export interface TokenChallenge {
  /** The claims that the API asked for, for the `claims` of the request; absent at first. */
  readonly claims?: string | undefined;
  /** The signal of the request. */
  readonly signal?: AbortSignal | undefined;
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

/** The body of the request, and the same once more unless it can be sent only once. */
async function bodiesOf(
  request: Request | undefined,
  body: RequestInit["body"],
): Promise<readonly (BodyInit | null)[]> {
  if (body === undefined && request?.body) {
    // Not its stream: an API may want to know the length.
    const bytes = request.bodyUsed
      ? refuse("invalid_request", "input", "its body was read already")
      : await request.arrayBuffer();
    return [bytes, bytes];
  }
  const { tee, locked } = Object(body) as Partial<ReadableStream<Uint8Array>>;
  if (typeof tee === "function" && !locked) return (body as ReadableStream<Uint8Array>).tee();
  const once = typeof tee === "function" || Symbol.asyncIterator in Object(body);
  return once ? [body as BodyInit] : [body ?? null, body ?? null];
}

async function authorization(
  acquireToken: AuthorizedFetchOptions["acquireToken"],
  challenge: TokenChallenge,
): Promise<string> {
  const fail = (why: string): never => {
    throw new ClientAuthError("unexpected_error", `Cannot authorize the request: ${why}`);
  };
  try {
    const { tokenType, accessToken } = await acquireToken(challenge);
    const value = `${tokenType} ${accessToken}`;
    // Headers would quote a value that they refuse.
    return tokenType && accessToken && /^[\w-]+ [\x21-\x7e]+$/.test(value)
      ? value
      : fail("acquireToken gave no token");
  } catch (error) {
    if (isAuthError(error)) throw error;
    return fail(`acquireToken threw ${nameOf(error)}`);
  }
}

interface Prepared {
  readonly url: string;
  readonly bodies: readonly (BodyInit | null)[];
  readonly sent: RequestInit & { readonly headers: Headers };
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
  return { url, bodies: await bodiesOf(request, init.body), sent };
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
  const { acquireToken, origins: given, fetch } = options ?? {};
  if (typeof acquireToken !== "function") refuse("invalid_option", "acquireToken", "it must be a function");
  if (!Array.isArray(given) || given.length === 0) refuse("invalid_option", "origins", "it must be a list");
  const origins = given.map(originOf);
  return async (input, init) => {
    const { url, bodies: [body = null, spare], sent } = await prepare(input, init, origins);
    const { headers, signal } = sent;
    let isSent = false;
    const send = async (own: BodyInit | null, claims?: string): Promise<Response> => {
      headers.set(
        "authorization",
        await authorization(acquireToken, { claims, signal: signal ?? undefined }),
      );
      isSent = true;
      // Looked up at each call, and called as a plain function: workerd refuses another `this`.
      const plain: FetchFunction = fetch ?? globalThis.fetch;
      return await plain(url, { ...sent, body: own });
    };
    let unsent: BodyInit | null | undefined = spare;
    try {
      const response = await send(body);
      const claims = response.status === 401 ? claimsChallengeOf(response) : undefined;
      if (claims === undefined || spare === undefined) return response;
      discard(response.body);
      unsent = undefined;
      return await send(spare, claims);
    } finally {
      // A stream that was kept for nothing; other bodies have nothing to cancel, and one that was sent is not ours.
      for (const left of [unsent, isSent ? null : body]) {
        const { cancel } = Object(left) as Partial<ReadableStream>;
        if (typeof cancel === "function") discard(left as ReadableStream);
      }
    }
  };
}
