/**
 * A web application that signs its users in, as one handler on web standards: it runs on Deno, Bun and Workers.
 *
 * Three things are kept: the sign-in under way, sealed in a cookie of its own, so that two tabs do not disturb each
 * other; the session, on the server, which says who the user is and nothing else; and the tokens, in the token cache.
 *
 * @module
 */
import {
  type ConfidentialClientApplication,
  createAuthorizedFetch,
  InteractionRequiredAuthError,
  openAuthCodeFlow,
  sealAuthCodeFlow,
  type Store,
  type WaitUntil,
} from "@msal-edge/msal";
import { Cookies } from "./cookies.ts";
import { type HeaderList, homePage, Pages, profilePage, troublePage } from "./pages.ts";
import { SIGN_IN_OVER, type Trouble, troubleOf } from "./trouble.ts";

/** Where sessions are kept; `new MemoryStore()` is one. */
export type Sessions = Pick<Store, "get" | "set" | "delete">;

/** What the web application is made of. */
export interface WebAppOptions {
  readonly app: ConfidentialClientApplication;
  /** Where answers come, as it is registered: `https://<this site>/callback`. Never made from a request's `Host`. */
  readonly redirectUri: string;
  /** Seals sign-ins into cookies: 32 random bytes or more, as text. */
  readonly cookieSecret: string;
  readonly sessions: Sessions;
}

/** Answers a request; on Workers with `(promise) => ctx.waitUntil(promise)`. */
export type WebApp = (request: Request, waitUntil?: WaitUntil) => Promise<Response>;

/** Makes the web application. */
export function webApp(options: WebAppOptions): WebApp {
  const site = new Site(options);
  return (request, waitUntil) => site.answer(request, waitUntil);
}

const GRAPH = "https://graph.microsoft.com";
const SCOPES = ["User.Read"];
const SESSION_SECONDS = 8 * 3600;
const SIGN_IN_SECONDS = 3600;
/** So many sign-ins may be under way in one browser: their cookies must not fill up its requests. */
const MAX_SIGN_INS = 5;
const SESSION = "session";
const FLOW = "flow-";

class Site {
  readonly #options: WebAppOptions;
  readonly #redirectUri: URL;
  readonly #cookies: Cookies;
  readonly #pages: Pages;

  constructor(options: WebAppOptions) {
    // Found out now, and not by the first visitor.
    if (options.cookieSecret.length < 32) throw new Error("COOKIE_SECRET must be 32 random bytes as text");
    this.#options = options;
    this.#redirectUri = new URL(options.redirectUri);
    this.#cookies = new Cookies(this.#redirectUri);
    this.#pages = new Pages(options.app.authority);
  }

  async answer(request: Request, waitUntil?: WaitUntil): Promise<Response> {
    try {
      return await this.#route(request, waitUntil);
    } catch (error) {
      return this.#trouble(troubleOf(error));
    }
  }

  async #route(request: Request, waitUntil?: WaitUntil): Promise<Response> {
    const { pathname } = new URL(request.url);
    switch (`${request.method} ${pathname}`) {
      case "GET /":
        return await this.#home(request);
      case "GET /sign-in":
        return await this.#signIn(request);
      case `GET ${this.#redirectUri.pathname}`:
        return await this.#callback(request, waitUntil);
      case "GET /me":
        return await this.#me(request, waitUntil);
      case "POST /sign-out":
        return await this.#signOut(request);
      case "GET /favicon.ico":
        return new Response(null, { status: 204 });
    }
    return this.#trouble({ title: "Nothing here", text: "There is no such page.", status: 404 });
  }

  async #home(request: Request): Promise<Response> {
    const homeAccountId = await this.#userOf(request);
    const account = homeAccountId === undefined ? null : await this.#options.app.getAccount(homeAccountId);
    return this.#pages.show(...homePage(account), 200, []);
  }

  /** Sends the browser to the authority. What the caller may ask for comes from this file alone, never from the URL. */
  async #signIn(
    request: Request,
    asked: { claims?: string | undefined; loginHint?: string | undefined; appState?: string } = {},
  ): Promise<Response> {
    const { app, redirectUri, cookieSecret } = this.#options;
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri, ...asked });
    const sealed = await sealAuthCodeFlow(flow, cookieSecret);
    const abandoned = this.#cookies.list(request, FLOW).slice(0, 1 - MAX_SIGN_INS);
    return this.#pages.redirect(flow.authUri, [
      ...abandoned.map(({ name }) => this.#cookies.delete(name)),
      this.#cookies.set(FLOW + flow.state, sealed, SIGN_IN_SECONDS),
    ]);
  }

  /** Takes the authority's answer. It is good once: the cookie goes, whatever comes of it. */
  async #callback(request: Request, waitUntil?: WaitUntil): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const name = FLOW + (searchParams.get("state") ?? "");
    const sealed = this.#cookies.get(request, name);
    if (sealed === undefined) return this.#trouble(SIGN_IN_OVER);
    const done = this.#cookies.delete(name);
    try {
      const { app, cookieSecret } = this.#options;
      const flow = await openAuthCodeFlow(sealed, cookieSecret);
      const { account } = await app.acquireTokenByAuthCodeFlow(flow, searchParams, { waitUntil });
      if (account === null) throw new Error("the authority did not say who signed in");
      const session = await this.#beginSession(request, account.homeAccountId);
      return this.#pages.redirect(flow.appState ?? "/", [done, session]);
    } catch (error) {
      return this.#trouble(troubleOf(error), [done]);
    }
  }

  async #me(request: Request, waitUntil?: WaitUntil): Promise<Response> {
    const { app } = this.#options;
    const account = await this.#userOf(request);
    // Who was just sent there is not sent again, or they might go round for ever.
    const again = new URL(request.url).searchParams.has("again");
    if (account === undefined) {
      return again ? this.#pages.redirect("/", []) : await this.#signIn(request, { appState: "/me?again" });
    }
    const graph = createAuthorizedFetch({
      origins: [GRAPH],
      acquireToken: (challenge) =>
        app.acquireTokenSilent({ account, scopes: SCOPES, waitUntil, ...challenge }),
    });
    try {
      const response = await graph(`${GRAPH}/v1.0/me`);
      if (!response.ok) throw new Error(`Graph answered ${response.status}: ${await response.text()}`);
      return this.#pages.show(...profilePage(await response.json()), 200, []);
    } catch (error) {
      if (!(error instanceof InteractionRequiredAuthError) || again) throw error;
      const loginHint = (await app.getAccount(account))?.username;
      return await this.#signIn(request, { claims: error.claims, loginHint, appState: "/me?again" });
    }
  }

  /** Forgets the user's tokens, those of their other browsers too, and signs them out at the authority. */
  async #signOut(request: Request): Promise<Response> {
    // Another site must not sign visitors out.
    if (request.headers.get("origin") !== this.#redirectUri.origin) {
      return this.#trouble({ title: "Not from here", text: "Please use the button.", status: 403 });
    }
    const { app } = this.#options;
    const user = await this.#userOf(request);
    await this.#endSession(request);
    if (user !== undefined) await app.removeAccount(user);
    const postLogoutRedirectUri = new URL("/", this.#redirectUri).href;
    const url = await app.getSignOutUrl({ postLogoutRedirectUri });
    return this.#pages.redirect(url, [this.#cookies.delete(SESSION)]);
  }

  /** The `homeAccountId` of whoever is signed in. */
  async #userOf(request: Request): Promise<string | undefined> {
    const key = this.#sessionKey(request);
    return key === undefined ? undefined : (await this.#options.sessions.get(key))?.value;
  }

  /** Begins a session with a new id: one that somebody else may know is worth nothing. */
  async #beginSession(request: Request, homeAccountId: string): Promise<[string, string]> {
    await this.#endSession(request);
    const id = crypto.randomUUID() + crypto.randomUUID();
    const expiresAtMs = Date.now() + SESSION_SECONDS * 1000;
    await this.#options.sessions.set(`session:${id}`, homeAccountId, { expiresAtMs });
    return this.#cookies.set(SESSION, id, SESSION_SECONDS);
  }

  async #endSession(request: Request): Promise<void> {
    const key = this.#sessionKey(request);
    if (key !== undefined) await this.#options.sessions.delete(key);
  }

  #sessionKey(request: Request): string | undefined {
    const id = this.#cookies.get(request, SESSION) ?? "";
    return /^[\da-f-]{72}$/.test(id) ? `session:${id}` : undefined;
  }

  #trouble({ title, text, status }: Trouble, headers: HeaderList = []): Response {
    return this.#pages.show(...troublePage(title, text), status, headers);
  }
}
