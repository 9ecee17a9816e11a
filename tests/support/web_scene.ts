/**
 * A web application at a local authority, and browsers that visit it.
 *
 * @module
 */
import { ConfidentialClientApplication, MemoryStore } from "../../mod.ts";
import type { MsalEvent } from "../../src/runtime/events.ts";
import { LocalAuthority, type LocalAuthorityOptions, type SignInOptions } from "../../src/testing/mod.ts";
import type { ConfidentialClientOptions } from "../../src/client/options.ts";
import { createWebAuth, type UserAuth, type WebAuth, type WebAuthOptions } from "../../src/web/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { unescaped } from "./form_browser.ts";

/** The site. */
export const SITE = "https://app.example";
/** Seals its cookies. */
export const COOKIE_SECRET = "k3J9vQ2xWm7Rt5Yb8Zc1Ld4Fg6Hn0Ps-";
/** The tenant. */
export const TENANT = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
/** The app registration. */
export const WEB_APP = {
  clientId: "0f1e2d3c-4b5a-4968-8776-655443322110",
  name: "Web",
  secrets: ["s3cret"],
  redirectUris: ["https://app.example/*", "http://localhost:8787/*"],
  optionalClaims: ["login_hint", "sid", "auth_time"],
} as const;
/** People. */
export const PEOPLE = [
  { username: "ada@contoso.onmicrosoft.com", name: "Ada Byron" },
  { username: "bob@contoso.onmicrosoft.com", name: "Bob" },
] as const;

/** What a scene may be made of. */
export interface SceneOptions {
  readonly web?: Partial<WebAuthOptions>;
  readonly app?: Partial<ConfidentialClientOptions>;
  readonly authority?: LocalAuthorityOptions;
  /** Whether sessions are in the scene's store. @default {false} */
  readonly onServer?: boolean;
  /** Instead of what tells who is signed in. */
  readonly handler?: (request: Request, auth: UserAuth) => Response | Promise<Response>;
}

/** An answer, read. */
export interface Visited {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The heading, as a browser shows it. */
  readonly title: string;
  /** Where it redirects to; empty for nowhere. */
  readonly location: string;
}

/** How a browser sends a request. */
export interface VisitInit extends RequestInit {
  /** Whether a page of another site sends it. @default {false} */
  readonly crossSite?: boolean;
  /** Whether a script sends it. @default {false} */
  readonly script?: boolean;
  /** Without the headers that browsers add. @default {false} */
  readonly bare?: boolean;
}

interface Cookie {
  readonly value: string;
  readonly sameSite: string;
  readonly line: string;
}

/** One browser, with the cookies of the site. */
export class Visitor {
  readonly cookies: Map<string, Cookie> = new Map();
  readonly #site: (request: Request) => Promise<Response>;
  readonly #origin: string;

  constructor(site: (request: Request) => Promise<Response>, origin: string = SITE) {
    this.#site = site;
    this.#origin = origin;
  }

  /** Sends a request, as a browser does that shows the answer. */
  async visit(path: string | URL, init: VisitInit = {}): Promise<Visited> {
    const response = await this.send(path, init);
    const text = response.body === null ? "" : await response.text();
    return {
      status: response.status,
      headers: response.headers,
      text,
      title: unescaped(/<h1>([^]*?)<\/h1>/.exec(text)?.[1] ?? ""),
      location: response.headers.get("location") ?? "",
    };
  }

  /** The same, with the answer as it is. */
  async send(path: string | URL, { crossSite, script, bare, ...init }: VisitInit = {}): Promise<Response> {
    const method = init.method ?? "GET";
    const headers = new Headers(init.headers);
    const sent = [...this.cookies].filter(([, { sameSite }]) =>
      !crossSite || sameSite === "None" || (sameSite === "Lax" && method === "GET" && !script)
    );
    if (sent.length > 0) {
      headers.set(
        "cookie",
        sent.map(([name, { value }]) => `${name}=${value}`).join("; "),
      );
    }
    const added = {
      accept: script ? "*/*" : "text/html,application/xhtml+xml",
      "sec-fetch-mode": script ? "cors" : "navigate",
      "sec-fetch-site": crossSite ? "cross-site" : "same-origin",
    };
    if (!bare) {
      for (const [name, value] of Object.entries(added)) if (!headers.has(name)) headers.set(name, value);
    }
    const response = await this.#site(new Request(new URL(path, this.#origin), { ...init, headers }));
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  /** Posts a form. */
  post(path: string, init: VisitInit = {}): Promise<Visited> {
    return this.visit(path, { method: "POST", ...init });
  }

  /** The names of the cookies, shortened: `flow`, `session`, `trail`. */
  names(): string[] {
    return [...this.cookies.keys()].map((name) => name.replace(/^.*?auth\./, "").replace(/\..*$/, "")).sort();
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    const sameSite = /; SameSite=(\w+)/.exec(line)?.[1] ?? "";
    if (/; Max-Age=0(?:;|$)/.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, { value, sameSite, line });
  }
}

/** The application, the authority and a browser. */
export class WebScene {
  readonly clock: FakeClock = new FakeClock();
  readonly events: MsalEvent[] = [];
  readonly store: MemoryStore = new MemoryStore({ clock: this.clock });
  readonly authority: LocalAuthority;
  readonly app: ConfidentialClientApplication;
  readonly auth: WebAuth;
  readonly visitor: Visitor;
  readonly #handler: (request: Request, auth: UserAuth) => Response | Promise<Response>;

  constructor(options: SceneOptions = {}) {
    const { clock } = this;
    this.authority = new LocalAuthority({
      tenants: [{ id: TENANT, domains: ["contoso.onmicrosoft.com"], name: "Contoso" }],
      users: PEOPLE,
      apps: [WEB_APP],
      clock,
      ...options.authority,
    });
    this.app = new ConfidentialClientApplication({
      clientId: WEB_APP.clientId,
      clientCredential: WEB_APP.secrets[0],
      authority: `https://login.microsoftonline.com/${TENANT}`,
      fetch: (url, init) => this.authority.fetch(url, init),
      clock,
      onEvent: (event) => this.events.push(event),
      ...options.app,
    });
    this.auth = createWebAuth({
      app: this.app,
      baseUrl: SITE,
      cookieSecret: COOKIE_SECRET,
      scopes: ["User.Read"],
      ...(options.onServer ? { sessionStore: this.store } : {}),
      ...options.web,
    });
    this.#handler = options.handler ?? ((_, { user }) => new Response(`Hello ${user.name}`));
    const origin = new URL(options.web?.baseUrl ?? SITE).origin;
    this.visitor = new Visitor((request) => this.site(request), origin);
  }

  /** Another browser. */
  another(): Visitor {
    return new Visitor((request) => this.site(request));
  }

  /** The site: the handlers, and pages for signed-in users alone; `/open` tells anybody who they are. */
  async site(request: Request): Promise<Response> {
    const answer = await this.auth.route(request);
    if (answer !== undefined) return answer;
    const open = new URL(request.url).pathname === "/open";
    return open
      ? await this.auth.withUser((_, auth) => new Response(auth?.user.username ?? "nobody"))(request)
      : await this.auth.requireUser(this.#handler)(request);
  }

  /** What the authority answers, when somebody is sent there. */
  async answer({ location }: Pick<Visited, "location">, options: SignInOptions = {}): Promise<URL> {
    return (await this.authority.signIn(location, options)).url;
  }

  /** Goes to the authority and comes back. */
  async comeBack(
    sent: Pick<Visited, "location">,
    options: SignInOptions = {},
    visitor: Visitor = this.visitor,
  ): Promise<Visited> {
    const answer = await this.authority.signIn(sent.location, options);
    if (answer.mode === "form_post") {
      return await visitor.visit(answer.redirectUri, {
        method: "POST",
        body: `${answer.parameters}`,
        headers: {
          "content-type": "application/x-www-form-urlencoded",
          origin: "https://login.microsoftonline.com",
        },
        crossSite: true,
      });
    }
    return await visitor.visit(answer.url, { crossSite: true });
  }

  /** Visits a page, and signs in for it. */
  async signIn(
    path: string = "/page",
    options: SignInOptions = {},
    visitor: Visitor = this.visitor,
  ): Promise<Visited> {
    return await this.comeBack(await visitor.visit(path), options, visitor);
  }
}
