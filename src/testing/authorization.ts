/**
 * The logic of a sign-in, without its pages: reads the request, checks the user, makes the answer.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 | RFC 6749 section 4.1.1}
 */
import type { App, User } from "./directory.ts";
import type { Exchange } from "./exchange.ts";
import type { UserSession } from "./sessions.ts";

/** How the answer of the authorization endpoint travels. */
export type ResponseMode = "query" | "fragment" | "form_post";

/** Where an answer goes, error answers included. */
export interface AnswerTarget {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state?: string;
}

/** An authorization request that was read and checked. */
export interface AuthorizationRequest extends AnswerTarget {
  /** The client id, in lower case. */
  readonly clientId: string;
  readonly app: App;
  /** The tenant segment of the path: a tenant's id, or `common`, `organizations`, `consumers`. */
  readonly tenantSegment: string;
  /** The scopes as they were asked for. */
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
  /** `login`, `select_account`, `consent`, `create`; `none` stands alone. */
  readonly prompt: readonly string[];
  readonly loginHint?: string;
  readonly domainHint?: string;
  /** In seconds. */
  readonly maxAge?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Whether the claims ask for an authentication context that needs multi-factor authentication. */
  readonly needsMfa: boolean;
  /** The parameters as they came, to carry through the forms. */
  readonly parameters: URLSearchParams;
}

/** An error that goes back to the client. Where nothing may be redirected, an `EntraError` is thrown. */
export class RedirectableError extends Error {
  /** The OAuth error code. */
  readonly error: string;
  /** The AADSTS number. */
  readonly code: number;
  /** Where the error goes. */
  readonly target: AnswerTarget;

  constructor(target: AnswerTarget, error: string, code: number, text: string) {
    super(text);
    this.name = "RedirectableError";
    this.error = error;
    this.code = code;
    this.target = target;
  }
}

/** What a browser has to go through next. */
export type SignInStep = "password" | "mfa" | "consent" | "approve";

/** What happened a moment ago in the same sign-in, so that `prompt` does not ask for it again. */
export interface JustDone {
  /** The password was entered. */
  readonly signedIn?: boolean;
  /** An account was picked. */
  readonly picked?: boolean;
  /** Consent was given. */
  readonly consented?: boolean;
}

/**
 * Reads and checks an authorization request.
 *
 * Throws `EntraError` where nothing may be redirected (unknown client, bad redirect URI), and `RedirectableError`
 * where the error goes back to the client.
 */
export function readAuthorizationRequest(
  _exchange: Exchange,
  _parameters: URLSearchParams,
): AuthorizationRequest {
  throw new TypeError("Not written yet");
}

/** The users who may sign in with this request, for a picker. */
export function usersFor(_exchange: Exchange, _request: AuthorizationRequest): readonly User[] {
  throw new TypeError("Not written yet");
}

/** The user with this name, if the request lets them in. Throws `EntraError` 50034, 50020, 500200 and the like. */
export function findUser(_exchange: Exchange, _request: AuthorizationRequest, _username: string): User {
  throw new TypeError("Not written yet");
}

/** Checks a password. Throws `EntraError` 50126. */
export function checkPassword(_user: User, _password: string): void {
  throw new TypeError("Not written yet");
}

/** Checks the code of the second factor, which is "000000". Throws `EntraError` 500121, or 50079 if the user has none. */
export function checkMfaCode(_user: User, _code: string): void {
  throw new TypeError("Not written yet");
}

/**
 * What comes next for the user of a session, or for nobody yet.
 *
 * Throws `RedirectableError` when the request has `prompt=none` and something would have to be shown (login_required,
 * interaction_required, consent_required), and `EntraError` when the user may not sign in there.
 */
export function nextStep(
  _exchange: Exchange,
  _request: AuthorizationRequest,
  _session: UserSession | undefined,
  _done: JustDone = {},
): SignInStep {
  throw new TypeError("Not written yet");
}

/** The scopes that the user has not consented to yet. */
export function needsConsent(
  _exchange: Exchange,
  _request: AuthorizationRequest,
  _user: User,
): readonly string[] {
  throw new TypeError("Not written yet");
}

/** Remembers that the user consented to all scopes of the request. */
export function recordConsent(_exchange: Exchange, _request: AuthorizationRequest, _user: User): void {
  throw new TypeError("Not written yet");
}

/** Makes the code, and the parameters of the answer: code, state, client_info, session_state. */
export function approve(
  _exchange: Exchange,
  _request: AuthorizationRequest,
  _session: UserSession,
): Promise<URLSearchParams> {
  throw new TypeError("Not written yet");
}

/** The parameters of an answer that refuses; `description` is a sentence without the AADSTS prefix. */
export function refuse(
  _target: AnswerTarget,
  _error: string,
  _description: string,
): URLSearchParams {
  throw new TypeError("Not written yet");
}

/** The parameters of the answer that tells the client of a {@linkcode RedirectableError}. */
export function refusalParameters(_exchange: Exchange, _failure: RedirectableError): URLSearchParams {
  throw new TypeError("Not written yet");
}
