/**
 * What the compared libraries run in: a local authority whose answers can be tampered with on their way, and a browser.
 *
 * @module
 */
import type { Context } from "hono";
import { LocalAuthority, type LocalAuthorityOptions } from "../../src/testing/mod.ts";

/** The site of every compared application. */
export const SITE = "https://app.example";
/** An app of the site, and the API that is guarded. */
export const APP_ID = "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91";
/** Its secret. */
export const APP_SECRET = "a-secret-of-the-compared-apps";
/** The tenant. */
export const TENANT_ID = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
/** Another one. */
export const OTHER_TENANT_ID = "1d2c3b4a-5e6f-4708-9a1b-2c3d4e5f6071";
/** That of Microsoft accounts. */
export const MSA_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";
const HOST = "https://login.microsoftonline.com";

/** A JSON document. */
// deno-lint-ignore no-explicit-any
export type Json = Record<string, any>;

/** What the tables say of what should not have happened. */
export const LET_IN = "**let in**";

/** The issuer of a tenant. */
export function issuerOf(tenant: string): string {
  return `${HOST}/${tenant}/v2.0`;
}

/** What happens to answers on their way. */
export interface Tampering {
  /** To an answer of the token endpoint. */
  readonly token?: ((body: Json) => Json | Response) | undefined;
  /** To each signing key. */
  readonly key?: ((key: Json) => Json) | undefined;
}

/** What was asked for. */
export interface Counts {
  token: number;
  keys: number;
  discovery: number;
  elsewhere: number;
}

/** The authority, and the way to it. */
export class World {
  readonly authority: LocalAuthority;
  readonly counts: Counts = { token: 0, keys: 0, discovery: 0, elsewhere: 0 };
  /** The refresh tokens that were issued. */
  readonly refreshTokens: string[] = [];
  tampering: Tampering = {};
  /** Whether nothing can be reached. */
  isDown = false;

  constructor(options: LocalAuthorityOptions = {}) {
    this.authority = new LocalAuthority({
      tenants: [{ id: TENANT_ID, domains: ["contoso.onmicrosoft.com"] }, { id: OTHER_TENANT_ID }],
      apps: [{ clientId: APP_ID, secrets: [APP_SECRET], redirectUris: [`${SITE}/*`] }],
      resources: [{
        identifierUris: ["api://orders"],
        appId: APP_ID,
        accessTokenVersion: 2,
        scopes: ["Orders.Read"],
      }],
      ...options,
    });
  }

  /** Forgets what was asked for. */
  reset(): void {
    Object.assign(this.counts, { token: 0, keys: 0, discovery: 0, elsewhere: 0 });
  }

  /** A `fetch` for every library here; those that take none find it as the global one. */
  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const { pathname, origin } = new URL(input instanceof Request ? input.url : input);
    const kind = origin !== HOST
      ? "elsewhere"
      : pathname.endsWith("/token")
      ? "token"
      : pathname.endsWith("/keys")
      ? "keys"
      : "discovery";
    this.counts[kind]++;
    if (this.isDown) throw new TypeError("the network is down");
    const response = await this.authority.fetch(input, init);
    if (kind === "token") return await this.#token(response);
    const { key } = this.tampering;
    if (kind !== "keys" || !key) return response;
    const document = await response.json();
    return Response.json({ ...document, keys: document.keys.map(key) });
  };

  async #token(response: Response): Promise<Response> {
    const isJson = response.headers.get("content-type")?.startsWith("application/json");
    if (!response.ok || !isJson) return response;
    const body = await response.json();
    if (body.refresh_token) this.refreshTokens.push(body.refresh_token);
    const told = this.tampering.token?.(body) ?? body;
    return told instanceof Response ? told : Response.json(told);
  }
}

/** Answers errors as Hono does by default, without a line on the console. */
export function answerQuietly(error: Error, c: Pick<Context, "newResponse" | "text">): Response {
  if (!("getResponse" in error)) return c.text("Internal Server Error", 500);
  const response = (error.getResponse as () => Response)();
  return c.newResponse(response.body, response);
}

/** Runs with a world's `fetch` as the global one. */
export async function inWorld<T>(world: World, body: () => Promise<T>): Promise<T> {
  const own = globalThis.fetch;
  globalThis.fetch = world.fetch as typeof fetch;
  try {
    return await body();
  } finally {
    globalThis.fetch = own;
  }
}

/** One browser. */
export class Browser {
  readonly cookies: Map<string, string> = new Map();
  /** The `Set-Cookie` lines so far. */
  readonly lines: string[] = [];
  readonly #app: (request: Request) => Response | Promise<Response>;

  constructor(app: (request: Request) => Response | Promise<Response>) {
    this.#app = app;
  }

  /** Asks for a page. */
  async get(url: string | URL): Promise<Response> {
    const headers = new Headers({
      accept: "text/html",
      "sec-fetch-mode": "navigate",
      "sec-fetch-site": "same-origin",
    });
    const cookies = [...this.cookies].map(([name, value]) => `${name}=${value}`);
    if (cookies.length > 0) headers.set("cookie", cookies.join("; "));
    const response = await this.#app(new Request(new URL(url, SITE), { headers }));
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    this.lines.push(line);
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/; *max-age=0(?:;|$)/i.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
