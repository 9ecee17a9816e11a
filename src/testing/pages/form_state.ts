/**
 * What travels from form to form: the request, who was chosen, what was done, and a token that binds it all.
 *
 * @module
 */
import { base64url } from "jose";
import { EntraError } from "../entra_error.ts";
import type { Exchange, Services } from "../exchange.ts";
import type { Browser } from "./browser.ts";

/** Things that a person did in this sign-in, so that they are not asked again. */
export type Deed = "signedIn" | "picked" | "consented" | "confirmed";

/** The state of one sign-in. */
export interface FormState {
  /** Whose form it is: one page's token is of no use on another. */
  readonly page: "authorize" | "device" | "logout";
  /** The parameters that it began with; they are read and checked again at each step. */
  readonly request: string;
  /** The object id of the chosen user. */
  readonly account?: string | undefined;
  readonly done: readonly Deed[];
}

const LIFETIME_SECONDS = 3600;
const DEEDS: readonly Deed[] = ["signedIn", "picked", "consented", "confirmed"];

/** One secret for each authority, made when it is first needed. */
const secrets = new WeakMap<Services, Uint8Array<ArrayBuffer>>();

/** Imported each time: on Workers, a promise of one request must not be awaited in another. */
async function keyOf(services: Services): Promise<CryptoKey> {
  const secret = secrets.get(services) ?? crypto.getRandomValues(new Uint8Array(32));
  secrets.set(services, secret);
  return await crypto.subtle.importKey("raw", secret, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
    "verify",
  ]);
}

function signedText(secret: string, { page, request, account, done }: FormState, expiresAt: string): string {
  return JSON.stringify([secret, page, request, account ?? "", done.join(" "), expiresAt]);
}

function nowSeconds(exchange: Exchange): number {
  return Math.floor(exchange.services.clock.now() / 1000);
}

/** The hidden fields of a form. */
export async function hiddenFields(
  exchange: Exchange,
  browser: Browser,
  state: FormState,
): Promise<Readonly<Record<string, string>>> {
  const expiresAt = String(nowSeconds(exchange) + LIFETIME_SECONDS);
  const text = new TextEncoder().encode(signedText(browser.requireFormSecret(), state, expiresAt));
  const mac = await crypto.subtle.sign("HMAC", await keyOf(exchange.services), text);
  return {
    request: state.request,
    account: state.account ?? "",
    done: state.done.join(" "),
    "client-request-id": exchange.correlationId,
    form_token: `${expiresAt}.${base64url.encode(new Uint8Array(mac))}`,
  };
}

function strangeForm(): EntraError {
  const text =
    "The form is too old, was changed, or is not from this browser. Let the browser keep cookies, " +
    "go back to the app and sign in again.";
  return new EntraError(400, "invalid_request", 165000, text);
}

function decoded(mac: string): Uint8Array<ArrayBuffer> {
  try {
    return new Uint8Array(base64url.decode(mac));
  } catch {
    throw strangeForm();
  }
}

function single(form: URLSearchParams, name: string): string {
  const [value = "", ...others] = form.getAll(name);
  if (others.length > 0) throw strangeForm();
  return value;
}

/** Whether a form is one of ours, or claims to be. */
export function isOwnForm(form: URLSearchParams): boolean {
  return form.has("form_token") || form.has("step");
}

/** Reads the state that a form carries. Throws AADSTS165000 unless this authority wrote it for this browser. */
export async function readFormState(
  exchange: Exchange,
  browser: Browser,
  page: FormState["page"],
  form: URLSearchParams,
): Promise<FormState> {
  const done = single(form, "done").split(" ");
  const state: FormState = {
    page,
    request: single(form, "request"),
    account: single(form, "account") || undefined,
    done: DEEDS.filter((deed) => done.includes(deed)),
  };
  const [expiresAt = "", mac = ""] = single(form, "form_token").split(".");
  const text = new TextEncoder().encode(signedText(browser.formSecret ?? "", state, expiresAt));
  const valid = await crypto.subtle.verify("HMAC", await keyOf(exchange.services), decoded(mac), text);
  if (!valid || browser.formSecret === undefined || Number(expiresAt) < nowSeconds(exchange)) {
    throw strangeForm();
  }
  return state;
}
