/**
 * What people and programs are told when something fails: never the authority's own words.
 *
 * @module
 */

import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import type { AnyAuthError } from "../errors/errors.ts";

/** What a page says, and what helps. */
export interface Trouble {
  /** The status to answer with. */
  readonly status: number;
  /** The heading. */
  readonly title: string;
  /** What happened and what to do. */
  readonly text: string;
  /** For support. */
  readonly reference: string | undefined;
  /** What to offer: the same once more, another account, or the start page. */
  readonly remedy: "again" | "other_account" | "home";
  /** When to try again, in seconds. */
  readonly retryAfterSeconds?: number | undefined;
}

type Words = Pick<Trouble, "status" | "title" | "text" | "remedy">;

const OVER: Words = {
  status: 400,
  title: "This sign-in is over",
  text:
    "It was finished before, took longer than an hour, or was begun in another browser. If this happens every time, " +
    "allow cookies for this site. Please start again.",
  remedy: "again",
};
const FAULT: Words = {
  status: 500,
  title: "Something went wrong",
  text: "The fault is on our side, and nothing that you can change. Please try again later.",
  remedy: "home",
};
const OUTAGE: Words = {
  status: 503,
  title: "Please wait a moment",
  text:
    "A service that we need cannot be reached just now. You need not do anything but try again in a minute.",
  remedy: "again",
};
const DECLINED: Words = {
  status: 403,
  title: "You are not signed in",
  text:
    "The sign-in was declined, or your account may not use this application. Try again, or ask whoever looks after it.",
  remedy: "other_account",
};
const OTHER_TENANT: Words = {
  status: 403,
  title: "This account cannot be used here",
  text:
    "Only accounts of certain organizations may use this application. Please sign in with another account.",
  remedy: "other_account",
};
const REFUSED: Words = {
  status: 400,
  title: "The sign-in did not work",
  text:
    "What came back from the sign-in service could not be accepted, so nobody was signed in. Please try again.",
  remedy: "again",
};
const UNFINISHED: Words = {
  status: 403,
  title: "The sign-in is not complete",
  text:
    "The sign-in service asks for something that was not done, such as a consent or a second proof. Please try again.",
  remedy: "again",
};

const OVER_CODES = [
  "auth_flow_expired",
  "auth_flow_mismatch",
  "auth_flow_used",
  "state_mismatch",
  "state_not_found",
];
const OUTAGE_CODES = ["endpoints_resolution_error", "request_aborted", "throttled"];

/** For how long an outage is left alone where nobody says. */
const RETRY_SECONDS = 30;

function wordsOf(error: AnyAuthError): Words {
  const { name, code } = error;
  // A session that no cookie holds: trying again changes nothing.
  if (code === "value_too_large") return FAULT;
  if (name === "NetworkError" || name === "CacheError" || OUTAGE_CODES.includes(code)) return OUTAGE;
  if (
    name === "ClientConfigurationError" || code === "unexpected_error" || code === "client_credential_failed"
  ) {
    return FAULT;
  }
  if (OVER_CODES.includes(code)) return OVER;
  if (code === "tenant_not_allowed" || code === "id_token_tenant_mismatch") return OTHER_TENANT;
  if (name === "InteractionRequiredAuthError") return UNFINISHED;
  if (name === "ServerError") {
    if (error.error === "access_denied") return DECLINED;
    if (error.retryable || error.status >= 500) return OUTAGE;
    // What the client sent was wrong: its secret, its redirect URI.
    if (error.error === "invalid_client" || error.error === "unauthorized_client") return FAULT;
  }
  return REFUSED;
}

/** The error's code and the id to ask the authority's operator about; both are the library's own texts. */
function referenceOf({ code, correlationId }: AuthError): string {
  return correlationId ? `${code}, ${correlationId}` : code;
}

/**
 * What to tell of an error.
 *
 * @param error The error.
 */
export function troubleOf(error: unknown): Trouble {
  if (!isAuthError(error)) return { ...FAULT, reference: "unexpected_error" };
  const words = wordsOf(error as AnyAuthError);
  const { retryAfterSeconds = RETRY_SECONDS } = error as { readonly retryAfterSeconds?: number };
  return {
    ...words,
    reference: referenceOf(error),
    retryAfterSeconds: words === OUTAGE ? retryAfterSeconds : undefined,
  };
}

/** The sign-in that an answer belongs to is unknown: nothing that the answer says counts. */
export const UNKNOWN_SIGN_IN: Trouble = { ...OVER, reference: "auth_flow_mismatch" };

/** Signing in once more did not give what is missing. */
export const STILL_MISSING: Trouble = {
  status: 403,
  title: "You may not do this yet",
  text:
    "You have just signed in for this, and the sign-in service asks for more all the same. Your account may lack a " +
    "permission: ask whoever looks after this application.",
  reference: "interaction_required",
  remedy: "home",
};

/** A form was sent without a session. */
export const SESSION_OVER: Trouble = {
  status: 401,
  title: "Please sign in first",
  text:
    "You are not signed in any more, so what you sent was not saved. Sign in, go back to the page and send it again.",
  reference: "login_required",
  remedy: "again",
};

/** A form was sent, and more is needed before it can be done. */
export const STEP_UP_FIRST: Trouble = {
  status: 401,
  title: "Please confirm who you are",
  text:
    "What you sent was not saved, because it needs a new sign-in first. Sign in, go back to the page and send it again.",
  reference: "interaction_required",
  remedy: "again",
};

/** Another site sent the request. */
export const OTHER_SITE: Trouble = {
  status: 403,
  title: "This did not come from our pages",
  text: "Nothing was done. Please use the button on our own page.",
  reference: undefined,
  remedy: "home",
};

/** There is no such method here. */
export const WRONG_METHOD: Trouble = {
  status: 405,
  title: "There is nothing to see here",
  text: "This address is for the sign-in itself. Please go to the start page.",
  reference: undefined,
  remedy: "home",
};

/** One sign-in follows another. */
export const LOOP: Trouble = {
  status: 429,
  title: "The sign-in goes round in circles",
  text:
    "You were signed in several times within a minute, and each time this site forgot you again. Allow cookies for this " +
    "site, check that the clock of your device is right, and open the site by its usual address, with https. Wait a minute, " +
    "then try again. Whoever looks after this site: check that baseUrl is the address that browsers see, that nothing removes " +
    "or shares the session cookie, and that all instances have the same cookieSecret.",
  reference: "sign_in_loop",
  remedy: "home",
  retryAfterSeconds: 60,
};
