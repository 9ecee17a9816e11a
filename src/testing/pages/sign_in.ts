/**
 * The walk through a sign-in: which page is next, and what a form that comes back does.
 *
 * @module
 */
import {
  type AuthorizationRequest,
  checkMfaCode,
  needsConsent,
  nextStep,
  recordConsent,
  RedirectableError,
  type SignInStep,
  usersFor,
} from "../authorization.ts";
import type { User } from "../declared.ts";
import { EntraError } from "../entra_error.ts";
import type { Exchange } from "../exchange.ts";
import type { UserSession } from "../sessions.ts";
import { actionOf } from "./answers.ts";
import { authenticate } from "./authenticate.ts";
import type { Browser } from "./browser.ts";
import type { FormTarget, Mishap } from "./form_parts.ts";
import { type Deed, type FormState, hiddenFields } from "./form_state.ts";
import { type Markup, markup } from "./html.ts";
import { pageResponse } from "./page.ts";
import { accountsView, consentView, mfaView, passwordView } from "./sign_in_views.ts";

/** A sign-in, and what is at its ends. */
export interface Journey {
  readonly exchange: Exchange;
  readonly browser: Browser;
  readonly request: AuthorizationRequest;
  /** The code of the device to sign in on; it is confirmed before anything is given to it. */
  readonly device?: { readonly confirmView: (target: FormTarget, user: User) => Markup };
  /** There is nothing more to ask. */
  readonly arrive: (session: UserSession) => Promise<Response>;
  /** The person does not want to. */
  readonly cancel: (step: string) => Promise<Response>;
}

/** Shows a page of the sign-in. */
async function show(
  { exchange, browser, request }: Journey,
  state: FormState,
  title: string,
  view: (target: FormTarget) => Markup,
): Promise<Response> {
  const hidden = await hiddenFields(exchange, browser, state);
  return await pageResponse(exchange, {
    title,
    body: view({ action: actionOf(exchange), hidden }),
    place: placeOf(exchange, request),
    formTargets: request.redirectUri === "" ? [] : [request.redirectUri],
    cookies: browser.cookies,
  });
}

function placeOf(exchange: Exchange, { tenantSegment }: AuthorizationRequest): string | undefined {
  return exchange.services.directory.tenant(tenantSegment)?.name;
}

function and(state: FormState, ...deeds: readonly Deed[]): FormState {
  return { ...state, done: [...new Set([...state.done, ...deeds])] };
}

/** The sessions of this browser that the request could be answered with. */
function usableSessions({ exchange, browser, request }: Journey): readonly UserSession[] {
  const users = usersFor(exchange, request);
  return browser.sessions.filter(({ user }) => users.includes(user));
}

/** The session to go on with: none if somebody has to sign in, several if a person has to choose. */
function candidates(journey: Journey, state: FormState): readonly UserSession[] {
  const { prompt, loginHint } = journey.request;
  const sessions = usableSessions(journey);
  if (state.account !== undefined) return sessions.filter(({ user }) => user.id === state.account);
  if (state.done.includes("picked")) return [];
  if (prompt.includes("select_account")) return sessions;
  if (loginHint !== undefined) {
    const meant = journey.exchange.services.directory.user(loginHint);
    return sessions.filter(({ user }) => user === meant);
  }
  if (prompt.includes("login") && sessions.length > 1) return [];
  const sameDomain = sessions.filter(({ user }) => isOfDomain(user, journey.request.domainHint));
  return sameDomain.length > 0 ? sameDomain : sessions;
}

/** Whether a domain hint means the user; `consumers` and `organizations` are hints too. */
function isOfDomain({ username, personal }: User, domainHint = ""): boolean {
  const hint = domainHint.toLowerCase();
  if (hint === "consumers" || hint === "organizations") return personal === (hint === "consumers");
  return username.endsWith(`@${hint}`);
}

function mustPick({ request }: Journey, state: FormState, count: number): boolean {
  if (state.done.includes("picked") || count === 0) return false;
  if (count > 1 && request.prompt.includes("none")) {
    const text = "Several accounts are signed in, and nobody may be asked which one to use.";
    throw new RedirectableError(request, "interaction_required", 16000, text);
  }
  return count > 1 || request.prompt.includes("select_account");
}

function stepOf(
  { exchange, request }: Journey,
  state: FormState,
  session: UserSession | undefined,
): SignInStep {
  const has = (deed: Deed): boolean => state.done.includes(deed);
  const done = { signedIn: has("signedIn"), picked: has("picked"), consented: has("consented") };
  return nextStep(exchange, request, session, done);
}

/** Shows what is next, or arrives. */
export async function walk(journey: Journey, state: FormState): Promise<Response> {
  const sessions = candidates(journey, state);
  if (mustPick(journey, state, sessions.length)) return await showAccounts(journey, state, sessions);
  const [session] = sessions;
  const step = stepOf(journey, state, session);
  if (!session || step === "password") {
    return await showPassword(journey, state, session?.user.username ?? journey.request.loginHint ?? "");
  }
  const chosen = { ...state, account: session.user.id };
  if (step === "mfa") return await showMfa(journey, chosen, session.user);
  if (journey.device && !state.done.includes("confirmed")) {
    const { confirmView } = journey.device;
    return await show(journey, chosen, "Confirm", (target) => confirmView(target, session.user));
  }
  return step === "consent"
    ? await showConsent(journey, chosen, session.user)
    : await journey.arrive(session);
}

function showAccounts(
  journey: Journey,
  state: FormState,
  sessions: readonly UserSession[],
): Promise<Response> {
  const users = sessions.map(({ user }) => user);
  const texts = {
    title: "Pick an account",
    purpose: markup`to continue to <bdi>${journey.request.app.name}</bdi>`,
    other: "Use another account",
  };
  return show(journey, state, texts.title, (target) => accountsView(target, users, texts));
}

function showPassword(
  journey: Journey,
  state: FormState,
  username: string,
  mishap?: Mishap,
): Promise<Response> {
  const appName = journey.request.app.name;
  const title = mishap ? "Error: Sign in" : "Sign in";
  return show(journey, state, title, (target) => passwordView(target, { appName, username, mishap }));
}

function showMfa(journey: Journey, state: FormState, { username }: User, mishap?: Mishap): Promise<Response> {
  const title = mishap ? "Error: Enter the code" : "Enter the code";
  return show(journey, state, title, (target) => mfaView(target, username, mishap));
}

function showConsent(journey: Journey, state: FormState, user: User): Promise<Response> {
  const { exchange, request } = journey;
  const missing = needsConsent(exchange, request, user);
  // prompt=consent asks again for what was consented to.
  const scopes = missing.length > 0 ? missing : request.scopes;
  const { username } = user;
  const appName = request.app.name;
  const view = (target: FormTarget): Markup => consentView(target, { appName, username, scopes });
  return show(journey, state, "Permissions requested", view);
}

/** Does what a form says, and goes on. */
export async function take(journey: Journey, state: FormState, form: URLSearchParams): Promise<Response> {
  const step = form.get("step") ?? "";
  if (form.get("decision") === "cancel") return await journey.cancel(step);
  if (step === "account") {
    return await walk(journey, { ...and(state, "picked"), account: form.get("user") || undefined });
  }
  if (step === "password") return await takePassword(journey, state, form);
  const [session] = candidates(journey, state);
  // A form of a step that is not due changes nothing.
  if (!session || state.account === undefined) return await walk(journey, state);
  const due = stepOf(journey, state, session);
  if (step === "mfa" && due === "mfa") return await takeMfa(journey, state, form, session);
  if (due !== "consent" && due !== "approve") return await walk(journey, state);
  if (step === "confirm") return await walk(journey, and(state, "confirmed"));
  if (step !== "consent" || due !== "consent") return await walk(journey, state);
  recordConsent(journey.exchange, journey.request, session.user);
  return await walk(journey, and(state, "consented"));
}

/** Authentication failed during strong authentication. */
const WRONG_CODE = 500121;

/** What a wrong answer is told about; anything else goes on as an error. */
function mishapOf(cause: unknown, { exchange }: Journey): Mishap {
  if (!(cause instanceof EntraError)) throw cause;
  const text = cause.code === WRONG_CODE ? "The code is wrong." : cause.message;
  // Only Entra ID has these numbers.
  return exchange.route.shape?.dialect ? { text } : { code: cause.code, text };
}

async function takePassword(journey: Journey, state: FormState, form: URLSearchParams): Promise<Response> {
  const username = (form.get("username") ?? "").trim();
  let user: User;
  try {
    user = authenticate(journey.exchange, journey.request, username, form.get("password") ?? "");
  } catch (cause) {
    return await showPassword(journey, state, username, mishapOf(cause, journey));
  }
  journey.browser.signIn(user);
  return await walk(journey, { ...and(state, "signedIn", "picked"), account: user.id });
}

async function takeMfa(
  journey: Journey,
  state: FormState,
  form: URLSearchParams,
  session: UserSession,
): Promise<Response> {
  try {
    checkMfaCode(session.user, (form.get("code") ?? "").replaceAll(/\s/g, ""));
  } catch (cause) {
    return await showMfa(journey, state, session.user, mishapOf(cause, journey));
  }
  journey.browser.passMfa(session);
  return await walk(journey, state);
}
