/**
 * The logic of a sign-in, without its pages: checks the user, says what comes next, makes the answer.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1 | RFC 6749 section 4.1}
 */
import { EntraError } from "./entra_error.ts";
import { dialectRefusal, errorDescription } from "./error_answer.ts";
import type {
  AnswerTarget,
  AuthorizationRequest,
  JustDone,
  RedirectableError as Redirectable,
  SignInStep,
} from "./authorization_request.ts";
import { RedirectableError } from "./authorization_request.ts";
import { clientInfoOf } from "./client_info.ts";
import { NO_CLAIMS } from "./claims_request.ts";
import type { User } from "./declared.ts";
import type { Exchange } from "./exchange.ts";
import { readScopes } from "./requested_scopes.ts";
import { noteApp, type UserSession } from "./sessions.ts";
import { asksForAuthTime, grantFor } from "./user_grant.ts";
import { tenantFor } from "./user_tenant.ts";

export type {
  AnswerTarget,
  AuthorizationRequest,
  JustDone,
  ResponseMode,
  SignInStep,
} from "./authorization_request.ts";
export { RedirectableError } from "./authorization_request.ts";
export { readAuthorizationRequest } from "./read_authorization_request.ts";

/** The code that passes multi-factor authentication. */
export const MFA_CODE = "000000";

/** How long a code can be redeemed, in seconds. */
const CODE_LIFETIME_SECONDS = 600;

/** The user with this name, if the request lets them in. Throws `EntraError` 50034, 50020, 500200 or 700016. */
export function findUser(exchange: Exchange, request: AuthorizationRequest, username: string): User {
  const user = exchange.services.directory.user(username);
  if (!user) {
    const text =
      "The user account {EUII Hidden} does not exist in the directory. To sign into this application, " +
      "the account must be added to the directory.";
    throw new EntraError(400, "invalid_grant", 50034, text);
  }
  tenantFor(exchange, request.app, request.tenantSegment, user);
  return user;
}

/** The users who may sign in with this request, for a picker. */
export function usersFor(exchange: Exchange, request: AuthorizationRequest): readonly User[] {
  return exchange.services.directory.users.filter((user) => {
    try {
      return findUser(exchange, request, user.username) === user;
    } catch (cause) {
      if (cause instanceof EntraError) return false;
      throw cause;
    }
  });
}

/** Checks the code of the second factor. Throws `EntraError` 500121, or 50079 if the user has none. */
export function checkMfaCode(user: User, code: string): void {
  if (!user.mfa) {
    const text = "Due to a configuration change made by your administrator, or because you moved to a new " +
      "location, you must enroll in multi-factor authentication.";
    throw new EntraError(400, "interaction_required", 50079, text);
  }
  if (code.trim() === MFA_CODE) return;
  throw new EntraError(
    400,
    "invalid_grant",
    500121,
    "Authentication failed during strong authentication request.",
  );
}

function hasAged(exchange: Exchange, { maxAge }: AuthorizationRequest, session: UserSession): boolean {
  if (maxAge === undefined) return false;
  return Math.floor(exchange.services.clock.now() / 1000) - session.authTimeSeconds > maxAge;
}

/** Whether the session is one that this request accepts without its user doing anything. */
function mustSignIn(
  exchange: Exchange,
  request: AuthorizationRequest,
  session: UserSession,
  done: JustDone,
): boolean {
  if (done.signedIn) return false;
  const { prompt, loginHint } = request;
  const otherUser = loginHint !== undefined && exchange.services.directory.user(loginHint) !== session.user;
  const picking = prompt.includes("select_account") && !done.picked;
  return prompt.includes("login") || prompt.includes("create") || picking || (otherUser && !done.picked) ||
    hasAged(exchange, request, session);
}

function visibleStep(
  exchange: Exchange,
  request: AuthorizationRequest,
  session: UserSession | undefined,
  done: JustDone,
): SignInStep {
  if (!session || mustSignIn(exchange, request, session, done)) return "password";
  findUser(exchange, request, session.user.username);
  if (request.needsMfa && !session.mfa) return "mfa";
  const asking = request.prompt.includes("consent") ||
    needsConsent(exchange, request, session.user).length > 0;
  return asking && !done.consented ? "consent" : "approve";
}

/** What `prompt=none` answers in place of each step. */
const SILENT_ANSWERS: Readonly<Record<Exclude<SignInStep, "approve">, readonly [string, number, string]>> = {
  password: [
    "login_required",
    50058,
    "Session information is not sufficient for single-sign-on.",
  ],
  mfa: [
    "interaction_required",
    50076,
    "Due to a configuration change made by your administrator, or because you moved to a new location, you must " +
    "use multi-factor authentication.",
  ],
  consent: [
    "consent_required",
    65001,
    "The user or administrator has not consented to use the application. Send an interactive authorization " +
    "request for this user and resource.",
  ],
};

function silently(request: AuthorizationRequest, step: () => SignInStep): "approve" {
  let next: SignInStep;
  try {
    next = step();
  } catch (cause) {
    if (!(cause instanceof EntraError)) throw cause;
    const text = "The account that is signed in cannot be used here; another one must be chosen.";
    throw new RedirectableError(request, "interaction_required", 16000, text);
  }
  if (next === "approve") return next;
  throw new RedirectableError(request, ...SILENT_ANSWERS[next]);
}

/**
 * What comes next for the user of a session, or for nobody yet.
 *
 * Throws `RedirectableError` when the request has `prompt=none` and something would have to be shown (login_required,
 * interaction_required, consent_required), and `EntraError` when the user may not sign in there.
 */
export function nextStep(
  exchange: Exchange,
  request: AuthorizationRequest,
  session: UserSession | undefined,
  done: JustDone = {},
): SignInStep {
  const step = (): SignInStep => visibleStep(exchange, request, session, done);
  return request.prompt.includes("none") ? silently(request, step) : step();
}

/** The scopes that the user has not consented to yet. */
export function needsConsent(
  exchange: Exchange,
  { app, scopes, dialect }: AuthorizationRequest,
  user: User,
): readonly string[] {
  const { directory, consents } = exchange.services;
  return consents.missing(app, user, readScopes(directory, app, scopes, dialect));
}

/** Remembers that the user consented to all scopes of the request. */
export function recordConsent(
  exchange: Exchange,
  { app, scopes, dialect }: AuthorizationRequest,
  user: User,
): void {
  const { directory, consents } = exchange.services;
  consents.record(app, user, readScopes(directory, app, scopes, dialect));
}

/** Makes the code, and the parameters of the answer: code, client_info, state, session_state. */
export function approve(
  exchange: Exchange,
  request: AuthorizationRequest,
  session: UserSession,
): Promise<URLSearchParams> {
  const { grants } = exchange.services;
  const { user } = session;
  const tenant = tenantFor(exchange, request.app, request.tenantSegment, user);
  noteApp(session, request.app, tenant);
  const code = grants.addCode({
    grant: grantFor(
      exchange,
      request.app,
      session,
      request.scopes,
      asksForAuthTime(request),
      request.place,
    ),
    redirectUri: request.redirectUri,
    tenantId: tenant.id,
    nonce: request.nonce,
    codeChallenge: request.codeChallenge,
    jkt: exchange.services.dpop && (request.parameters.get("dpop_jkt") ?? undefined),
    claims: request.claims ?? NO_CLAIMS,
    used: false,
  }, CODE_LIFETIME_SECONDS);
  const answer = new URLSearchParams({ code });
  if (request.parameters.get("client_info") === "1") answer.set("client_info", clientInfoOf(user));
  if (request.state !== undefined) answer.set("state", request.state);
  answer.set("session_state", session.sid);
  // A promise, so that an answer may come to need a signature.
  return Promise.resolve(answer);
}

/** The parameters of an answer that refuses. */
export function refuse(target: AnswerTarget, error: string, description: string): URLSearchParams {
  const answer = new URLSearchParams({ error, error_description: description });
  if (target.state !== undefined) answer.set("state", target.state);
  return answer;
}

function asEntraError({ error, code, message }: Redirectable): EntraError {
  return new EntraError(400, error, code, message);
}

/** The parameters of the answer that tells the client of a {@linkcode RedirectableError}. */
export function refusalParameters(exchange: Exchange, failure: Redirectable): URLSearchParams {
  const { dialect } = exchange.route.shape ?? {};
  if (dialect) {
    const { error, description } = dialectRefusal(exchange, dialect, asEntraError(failure));
    return refuse(failure.target, error, description);
  }
  const description = errorDescription(exchange, failure.code, failure.message);
  const answer = refuse(failure.target, failure.error, description);
  answer.set("error_uri", `${exchange.origin}/error?code=${failure.code}`);
  return answer;
}

/** The answer when the user says no. */
export function declined(target: AnswerTarget): RedirectableError {
  return new RedirectableError(target, "access_denied", 65004, "User declined to consent to access the app.");
}

/** Where a browser is sent with an answer that is not posted. */
export function answerUrl({ redirectUri, responseMode }: AnswerTarget, parameters: URLSearchParams): URL {
  const url = new URL(redirectUri);
  if (responseMode === "fragment") url.hash = parameters.toString();
  else for (const [name, value] of parameters) url.searchParams.set(name, value);
  return url;
}
