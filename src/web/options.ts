/**
 * What web applications and APIs are told.
 *
 * @module
 */

import type { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Store } from "../store/store.ts";
import type { AccessTokenValidatorOptions } from "../validate/options.ts";

/** What comes with a request. */
export interface RequestContext<E = unknown> {
  /** The bindings, where the options are a function of them. */
  readonly env?: E | undefined;
  /** Keeps work alive after the response: `(promise) => ctx.waitUntil(promise)` on Workers. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
}

/** Answers a request. */
export type RequestHandler<E = unknown> = (
  request: Request,
  context?: RequestContext<E>,
) => Promise<Response>;

/** Options, or a function that makes them of a Worker's bindings: once for each `env`. */
export type OptionsOf<O, E> = O | ((env: E) => O);

/** Where the handlers are, as paths from the origin of `baseUrl`. */
export interface WebPaths {
  /** Begins a sign-in. @default {"/auth/sign-in"} */
  readonly signIn?: string | undefined;
  /** Takes the authority's answer; registered as a redirect URI of the platform Web. @default {"/auth/callback"} */
  readonly callback?: string | undefined;
  /** Signs out: a POST of this site. @default {"/auth/sign-out"} */
  readonly signOut?: string | undefined;
  /** Where the authority sends the browser after a sign-out; registered as a redirect URI. @default {"/auth/signed-out"} */
  readonly signedOut?: string | undefined;
  /** Signs in as somebody else: a POST of this site. @default {"/auth/switch-account"} */
  readonly switchAccount?: string | undefined;
  /** The front-channel logout URL of the app registration. @default {"/auth/front-channel-logout"} */
  readonly frontChannelLogout?: string | undefined;
  /** The back-channel logout URI, for issuers that have it. @default {"/auth/back-channel-logout"} */
  readonly backChannelLogout?: string | undefined;
}

/** How long sessions last. Both are enforced inside the sealed session, R-136. */
export interface SessionLife {
  /** Without a request for this long, a session ends; each request renews it, at most once a tenth of this. @default {28800} */
  readonly idleSeconds?: number | undefined;
  /** After this a session ends in any case. @default {86400} */
  readonly absoluteSeconds?: number | undefined;
}

/** Cookies of this site. */
export interface CookieOptions {
  /** What the names begin with. @default {"auth"} */
  readonly prefix?: string | undefined;
  /** A domain for the session cookie. Leave it out: with it sibling sites can overwrite the cookie. */
  readonly domain?: string | undefined;
  /** `Strict` withholds the session where another site leads here. @default {"Lax"} */
  readonly sameSite?: "Lax" | "Strict" | undefined;
}

/** What {@linkcode createWebAuth} takes. */
export interface WebAuthOptions {
  /** Signs the users in and keeps their tokens. Where its authority stands for many tenants, it has to say `allowedTenants`. */
  readonly app: ConfidentialClientApplication;
  /** This site's public address, such as `https://app.example`. Never made of a request's `Host`. */
  readonly baseUrl: string | URL;
  /** Seals cookies: 32 random bytes as text (`openssl rand -base64 32`), or several, newest first. */
  readonly cookieSecret: string | readonly string[];
  /** The scopes that a sign-in asks for, of one API. @default {[]} */
  readonly scopes?: readonly string[] | undefined;
  /** Claims of the ID token to keep in the session, such as `["roles"]`; names, and never tokens. @default {[]} */
  readonly sessionClaims?: readonly string[] | undefined;
  /**
   * Keeps sessions on the server: a Durable Object, Redis or Deno KV store. The cookie then holds an opaque id and times, sealed,
   * and sessions can be ended from elsewhere: front-channel and back-channel logout need it. Without it the sealed cookie is the
   * session.
   */
  readonly sessionStore?: Store | undefined;
  /** How long sessions last. */
  readonly session?: SessionLife | undefined;
  /** Where the handlers are. */
  readonly paths?: WebPaths | undefined;
  /** Cookies. */
  readonly cookies?: CookieOptions | undefined;
  /** How the authority's answer comes. @default {"query"} */
  readonly responseMode?: "query" | "form_post" | undefined;
  /** Where users arrive whose sign-in asked for no page, and after a sign-out. @default {"/"} */
  readonly homePath?: string | undefined;
  /** Draws the pages that users see instead of this library's own; R-149's headers are added in any case. */
  readonly renderPage?: ((page: WebPage) => string | Promise<string>) | undefined;
}

/** A page that is to be drawn. Texts are plain: whoever draws escapes them. */
export interface WebPage {
  /**
   * What the page is about; `sign_out` asks whether the user means it, and `signed_in` leads on by itself where cookies are
   * `Strict`.
   */
  readonly kind: "signed_out" | "sign_out" | "signed_in" | "error" | "loop";
  /** The status that it is sent with. */
  readonly status: number;
  /** The heading. */
  readonly title: string;
  /** What happened and what to do: sentences. Nothing of the authority's own text. */
  readonly text: string;
  /** For support: the error's code and the correlation id. */
  readonly reference?: string | undefined;
  /** The way on: a link, or the one button of a form without fields where `method` is `"post"`. */
  readonly action: {
    readonly label: string;
    readonly href: string;
    readonly method?: "post" | undefined;
  };
  /** For the `nonce` of a style element: nothing else is allowed by the page's policy. */
  readonly styleNonce: string;
}

/** The document of RFC 9728 for this API, beside what follows from the options. */
export interface ProtectedResource {
  /** The resource identifier: this API's public https URL. */
  readonly resource: string | URL;
  /** The scopes to tell callers of, as they ask for them: `api://<client id>/Orders.Read`. */
  readonly scopesSupported?: readonly string[] | undefined;
  /** A name to show. */
  readonly resourceName?: string | undefined;
  /** A page for developers. */
  readonly resourceDocumentation?: string | undefined;
  /** The issuers to go to; that of the authority where absent. */
  readonly authorizationServers?: readonly string[] | undefined;
}

/** What {@linkcode createApiAuth} takes. */
export interface ApiAuthOptions extends AccessTokenValidatorOptions {
  /**
   * Calls other APIs on behalf of the caller. Where neither `authority` nor `oidcAuthority` is given, its authority's tokens are
   * accepted, and its `fetch`, clock, documents and `allowedTenants` are used where the own are absent.
   */
  readonly app?: ConfidentialClientApplication | undefined;
  /** Names this API for callers that know nothing of it, such as MCP clients: RFC 9728. */
  readonly protectedResource?: ProtectedResource | undefined;
  /**
   * Answers the preflights (`OPTIONS`) of guarded routes, which bring no token: your CORS handler. Without it they are answered 204
   * and allow nothing, so scripts of other sites stay out.
   */
  readonly preflight?: ((request: Request) => Response | Promise<Response>) | undefined;
}
