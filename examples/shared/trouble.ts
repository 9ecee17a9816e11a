/**
 * What visitors are told when something fails.
 *
 * @module
 */
import { type AnyAuthError, isAuthError } from "@msal-edge/msal";

/** What a page says, and its status. */
export interface Trouble {
  readonly title: string;
  readonly text: string;
  readonly status: number;
}

/** An answer to a sign-in that was finished, given up, or begun in another browser. */
export const SIGN_IN_OVER: Trouble = {
  title: "This sign-in is over",
  text: "It was finished, took too long, or was begun in another browser. Please start again.",
  status: 400,
};

const OURS: Trouble = { title: "Something went wrong", text: "Please try again later.", status: 500 };
const OVER = [
  "auth_flow_expired",
  "auth_flow_mismatch",
  "auth_flow_used",
  "state_mismatch",
  "state_not_found",
];

/** What to tell a visitor. The log gets the rest. */
export function troubleOf(error: unknown): Trouble {
  if (!isAuthError(error)) {
    console.error(error);
    return OURS;
  }
  // The library's errors hold no secrets.
  console.error(`${error.code}: ${error.message} [${error.correlationId ?? "nothing was sent"}]`);
  const known = error as AnyAuthError;
  if (known.name === "ClientConfigurationError") return OURS;
  if (OVER.includes(known.code)) return SIGN_IN_OVER;
  if ("error" in known && known.error === "access_denied") {
    return { title: "You are not signed in", text: "You declined, or may not use this app.", status: 403 };
  }
  const isOutage = known.name === "NetworkError" || known.code === "endpoints_resolution_error" ||
    (known.name === "ServerError" && known.retryable);
  if (isOutage) {
    const text = "The sign-in service cannot be reached just now. Please try again later.";
    return { title: "Please wait", text, status: 503 };
  }
  const id = error.correlationId ?? "none";
  return { title: "That did not work", text: `Please try again. ${error.code}, id ${id}`, status: 400 };
}
