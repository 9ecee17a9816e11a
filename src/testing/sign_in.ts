/**
 * Signs a user in without a browser: what the pages do, as a function.
 *
 * @module
 */
import {
  type AnswerTarget,
  answerUrl,
  approve,
  type AuthorizationRequest,
  declined,
  findUser,
  nextStep,
  readAuthorizationRequest,
  recordConsent,
  RedirectableError,
  refusalParameters,
  usersFor,
} from "./authorization.ts";
import type { User } from "./declared.ts";
import { approveDevice, declineDevice, DEVICE_PAGE_PATH, findDevice } from "./device.ts";
import type { Engine } from "./engine.ts";
import { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { Incoming } from "./incoming.ts";
import { readLogoutRequest } from "./logout.ts";
import { withPushed } from "./pushed_requests.ts";
import { frontChannelAddresses, tellServers } from "./logout_notices.ts";
import type { UserSession } from "./sessions.ts";

/** What the user does who is asked to sign in; all has defaults. */
export interface SignInOptions {
  /** Who signs in. Default: the user whom `login_hint` names, else the first user. */
  readonly username?: string;
  /**
   * Whether the user says no.
   *
   * @default {false}
   */
  readonly decline?: boolean;
  /** Whether the user passes multi-factor authentication. Default: if it is asked for, and the user can. */
  readonly mfa?: boolean;
}

/** Who signs out. */
export interface SignOutOptions {
  /** The user's name. Default: the user whom the request names, else everybody who signed in without a browser. */
  readonly username?: string;
}

/** What the sign-out page would do. */
export interface SignOutAnswer {
  /** Where it sends the browser; absent if it stays. */
  readonly url?: URL;
  /** What it loads in hidden frames: the front-channel sign-out addresses of the apps, with `iss` and `sid`. */
  readonly frames: readonly URL[];
}

/** What the authorization endpoint answers. */
export interface AuthorizationAnswer {
  /** How the answer travels. */
  readonly mode: "query" | "fragment" | "form_post";
  /** Where it goes. */
  readonly redirectUri: string;
  /** What it says: `code` or `error`, `state` and so on. */
  readonly parameters: URLSearchParams;
  /** The redirect URI with the parameters as query; in the mode `"fragment"`, as fragment. */
  readonly url: URL;
  /** The request that a browser would make: a POST with a form in the mode `"form_post"`, else a GET. */
  readonly request: () => Request;
}

function incomingFor(url: URL): Incoming {
  return { method: "GET", url, headers: new Headers(), body: new Uint8Array(), signals: () => [] };
}

function answerTo(target: AnswerTarget, parameters: URLSearchParams): AuthorizationAnswer {
  const { redirectUri, responseMode } = target;
  const url = answerUrl(target, parameters);
  const request = (): Request =>
    responseMode === "form_post"
      ? new Request(redirectUri, { method: "POST", body: new URLSearchParams(parameters) })
      : new Request(url);
  return { mode: responseMode, redirectUri, parameters, url, request };
}

/** A browser that remembers, for each user, the last session. */
export class ProgrammaticBrowser {
  readonly #engine: Engine;
  readonly #sessionIds = new Map<User, string>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Answers an authorization request.
   *
   * @throws {EntraError} when the endpoint would show an error and redirect nowhere
   */
  async signIn(authorizationUrl: string | URL, options: SignInOptions): Promise<AuthorizationAnswer> {
    const exchange = this.#engine.exchangeFor(incomingFor(new URL(authorizationUrl)), ["login"]);
    if (exchange.route.kind !== "authorize") {
      throw new TypeError("Cannot sign in: this is not the URL of an authorization endpoint");
    }
    try {
      const parameters = withPushed(exchange, exchange.incoming.url.searchParams);
      const request = readAuthorizationRequest(exchange, parameters);
      return answerTo(request, await approve(exchange, request, this.#session(exchange, request, options)));
    } catch (cause) {
      if (!(cause instanceof RedirectableError)) throw cause;
      return answerTo(cause.target, refusalParameters(exchange, cause));
    }
  }

  /**
   * Types the code of a device, and lets it in or not.
   *
   * @throws {EntraError} when no device waits with this code, or the user may not sign in to it
   */
  approveDevice(userCode: string, options: SignInOptions): void {
    const url = new URL(DEVICE_PAGE_PATH, "https://login.microsoftonline.com");
    const exchange = this.#engine.exchangeFor(incomingFor(url), ["login"]);
    const device = findDevice(exchange, userCode);
    if (!device || options.decline) return declineDevice(exchange, userCode);
    approveDevice(exchange, userCode, this.#deviceSession(exchange, device.request, options));
  }

  /** Signs out whom the request or the options name, else everybody; tells the apps' servers. */
  async signOut(logoutUrl: string | URL, options: SignOutOptions): Promise<SignOutAnswer> {
    const exchange = this.#engine.exchangeFor(incomingFor(new URL(logoutUrl)), ["login"]);
    if (exchange.route.kind !== "logout") {
      throw new TypeError("Cannot sign out: this is not the URL of a sign-out endpoint");
    }
    const { redirectTo, logoutHint } = readLogoutRequest(exchange, exchange.incoming.url.searchParams);
    const named = options.username ?? logoutHint;
    const { directory, sessions } = exchange.services;
    const users = named === undefined ? [...this.#sessionIds.keys()] : [directory.user(named)];
    const ended = users.flatMap((user) => (user && this.#sessionOf(exchange, user)) ?? []);
    const frames = frontChannelAddresses(exchange, ended).map((uri) => new URL(uri));
    for (const { id } of ended) sessions.end(id);
    await tellServers(exchange, ended);
    return { frames, ...(redirectTo === undefined ? {} : { url: new URL(redirectTo) }) };
  }

  /** A device has no address that an error could go to. */
  #deviceSession(exchange: Exchange, request: AuthorizationRequest, options: SignInOptions): UserSession {
    try {
      return this.#session(exchange, request, options);
    } catch (cause) {
      if (!(cause instanceof RedirectableError)) throw cause;
      throw new EntraError(400, cause.error, cause.code, cause.message);
    }
  }

  /** The session that the sign-in ends with. Throws what the pages would answer with otherwise. */
  #session(exchange: Exchange, request: AuthorizationRequest, options: SignInOptions): UserSession {
    const { directory } = exchange.services;
    const { shape } = exchange.route;
    // A shape has users of its own; else the first user signs in, or is told why not.
    const first = shape && usersFor(exchange, request)[0];
    const username = options.username ?? request.loginHint ?? first?.username ?? directory.defaults.username;
    if (request.prompt.includes("none")) return this.#remembered(exchange, request, username);
    const user = findUser(exchange, request, username);
    if (options.decline) throw declined(request);
    const mfa = options.mfa ?? (request.needsMfa && user.mfa);
    if (request.needsMfa && !mfa) throw refusedMfa(request, user);
    const before = this.#sessionOf(exchange, user);
    const session = exchange.services.sessions.create(user, { mfa, ...(before ? { after: before } : {}) });
    this.#sessionIds.set(user, session.id);
    recordConsent(exchange, request, user);
    return session;
  }

  #sessionOf({ services }: Exchange, user: User): UserSession | undefined {
    return services.sessions.get(this.#sessionIds.get(user) ?? "");
  }

  #remembered(exchange: Exchange, request: AuthorizationRequest, username: string): UserSession {
    const user = exchange.services.directory.user(username);
    const session = user && this.#sessionOf(exchange, user);
    nextStep(exchange, request, session);
    if (session) return session;
    throw new EntraError(400, "login_required", 50058, "There is no session.");
  }
}

function refusedMfa(request: AuthorizationRequest, user: User): RedirectableError {
  return user.mfa
    ? new RedirectableError(
      request,
      "access_denied",
      500121,
      "Authentication failed during strong authentication.",
    )
    : new RedirectableError(
      request,
      "access_denied",
      50079,
      "The user must enroll in multi-factor authentication.",
    );
}
