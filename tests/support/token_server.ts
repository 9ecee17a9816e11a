/**
 * A token endpoint that answers by a script, and the applications that ask it.
 *
 * @module
 */
import {
  type AuthenticationResult,
  type ClientCredentialRequest,
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  type FetchFunction,
  type MsalEvent,
  TokenCache,
} from "../../mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { idle } from "./idle.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./scripted_fetch.ts";

/** The host of every authority in these tests. */
export const HOST = "https://login.microsoftonline.com";
/** The tenant that the applications are made for. */
export const TENANT = "contoso.onmicrosoft.com";
/** An issuer that is not Entra: any scopes may be asked for. */
export const ISSUER = "https://idp.example.com";
/** The scopes of most requests. */
export const SCOPES: readonly string[] = ["https://graph.microsoft.com/.default"];

/** Members of a token answer, laid over the default ones, or any other answer. */
export type Reply = Answer | Readonly<Record<string, unknown>>;

/** A scripted token endpoint; discovery documents of {@linkcode ISSUER} are answered too. */
export interface TokenServer {
  readonly fetch: FetchFunction;
  /** The token requests so far. */
  readonly requests: readonly RecordedRequest[];
  /** Answers the next token requests, in order. */
  next(...replies: Reply[]): void;
  /** Answers every token request for which nothing else was scripted. */
  otherwise(reply: Reply): void;
}

/** A token server that gives `AT 1`, `AT 2` and so on, each for an hour. */
export function tokenServer(...replies: Reply[]): TokenServer {
  const requests: RecordedRequest[] = [];
  const queue = [...replies];
  let rest: Reply = {};
  const script = scriptedFetch((request) => {
    if (request.method === "GET") {
      const issuer = request.url.replace("/.well-known/openid-configuration", "");
      return jsonResponse({ issuer, token_endpoint: `${issuer}/token` });
    }
    const nth = requests.push(request);
    const reply = queue.shift() ?? rest;
    if (reply instanceof Response || reply instanceof Error || typeof reply === "function") return reply;
    return jsonResponse(tokenBody(nth, reply));
  });
  return {
    fetch: script.fetch,
    requests,
    next: (...more) => void queue.push(...more),
    otherwise: (reply) => void (rest = reply),
  };
}

/** A success answer's body. */
export function tokenBody(nth: number, over: object = {}): Record<string, unknown> {
  return { token_type: "Bearer", expires_in: 3600, access_token: `AT ${nth}`, ...over };
}

/** An error answer, made anew each time it is given. */
export function refusal(
  status: number,
  body: unknown = { error: "server_error" },
  headers: Record<string, string> = {},
): () => Response {
  return () => jsonResponse(body, status, headers);
}

/** A promise and what resolves it; Node 20 has no `Promise.withResolvers`. */
export function deferred<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((settle) => void (resolve = settle));
  return { promise, resolve };
}

/** An answer that comes when a test says so. */
export function gate(reply: object = {}): { answer: () => Promise<Response>; open(): void } {
  const { promise, resolve } = deferred<void>();
  return {
    answer: () => promise.then(() => jsonResponse(tokenBody(0, { access_token: "AT late", ...reply }))),
    open: () => resolve(),
  };
}

/** An answer that never comes, until the request is given up. */
export function silence(): Promise<Response> {
  return new Promise<Response>(() => {});
}

/** An application, its clock, its server and what it told. */
export interface Bench {
  readonly clock: FakeClock;
  readonly server: TokenServer;
  readonly app: ConfidentialClientApplication;
  readonly events: MsalEvent[];
  /** Asks for a token. */
  ask(request?: Partial<ClientCredentialRequest>): Promise<AuthenticationResult>;
  /** Asks for a token and lets time pass until there is an answer. */
  askFor(ms: number, request?: Partial<ClientCredentialRequest>): Promise<AuthenticationResult>;
  /** How many events of a type were told. */
  count(type: MsalEvent["type"]): number;
}

/** The options of an application; those that are left out have values for tests. */
export type BenchOptions = Partial<ConfidentialClientOptions> & { clock?: FakeClock };

/** Makes an application against a scripted token endpoint. */
export function bench(
  options: BenchOptions = {},
  server: TokenServer = tokenServer(),
): Bench {
  const clock = options.clock ?? new FakeClock();
  const events: MsalEvent[] = [];
  const app = new ConfidentialClientApplication({
    clientId: "my_client",
    ...(options.oidcAuthority === undefined && { authority: `${HOST}/${TENANT}` }),
    clientCredential: "a secret of the client",
    clock,
    fetch: server.fetch,
    onEvent: (event) => events.push(event),
    ...options,
  });
  const ask: Bench["ask"] = (request) => app.acquireTokenForClient({ scopes: SCOPES, ...request });
  return {
    clock,
    server,
    app,
    events,
    ask,
    askFor: (ms, request) => within(clock, ms, ask(request)),
    count: (type) => events.filter((event) => event.type === type).length,
  };
}

/** An application with a cache that a test can get at. */
export interface CachedBench extends Bench {
  readonly tokenCache: TokenCache;
}

/** Makes an application with a {@linkcode TokenCache}. */
export function cached(options: BenchOptions = {}, server?: TokenServer): CachedBench {
  const { tokenCache = new TokenCache() } = options;
  return { ...bench({ ...options, tokenCache }, server), tokenCache };
}

/** An application of an issuer that is not Entra, with a cache that a test can get at. */
export function oidcCached(options: BenchOptions = {}, server?: TokenServer): CachedBench {
  return cached({ oidcAuthority: ISSUER, ...options }, server);
}

/** An application of an issuer that is not Entra. */
export function oidcBench(
  options: BenchOptions = {},
  server: TokenServer = tokenServer(),
): Bench {
  return bench({ oidcAuthority: ISSUER, ...options }, server);
}

/** Lets time pass; a promise that has not settled then is an error that says so. */
export async function within<T>(clock: FakeClock, ms: number, promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  await clock.advance(ms);
  return await settledNow(promise, `the promise did not settle in ${ms} ms`);
}

/** The outcome of a promise that has settled; an error for one that has not. */
export async function settledNow<T>(promise: Promise<T>, otherwise = "it has not settled"): Promise<T> {
  let settled = false;
  const note = () => void (settled = true);
  promise.then(note, note);
  await idle();
  if (!settled) throw new Error(otherwise);
  return await promise;
}

/** Whether a promise is still pending after everything that can happen now has happened. */
export async function isPending(clock: FakeClock, promise: Promise<unknown>): Promise<boolean> {
  let settled = false;
  const note = () => void (settled = true);
  promise.then(note, note);
  await clock.advance(0);
  return !settled;
}

/** Calls a function for each row of a table, and names every row that fails. */
export async function eachRow<R>(
  rows: Readonly<Record<string, R>>,
  body: (row: R, name: string) => void | Promise<void>,
): Promise<void> {
  const failed: [string, unknown][] = [];
  for (const [name, row] of Object.entries(rows)) {
    try {
      await body(row, name);
    } catch (error) {
      failed.push([name, error]);
    }
  }
  const [first] = failed;
  if (first === undefined) return;
  const names = failed.map(([name]) => `"${name}"`).join(", ");
  throw new Error(`failed in row ${names}`, { cause: first[1] });
}
