/**
 * Reads what the browser brings back from a sign-in, RFC 6749 section 4.1.2, in whatever form an application has it.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import type { AuthResponseErrorCode } from "../errors/auth_response_codes.ts";
import { ClientAuthError } from "../errors/errors.ts";
import type { ResponseMode } from "./authorization_request.ts";

/**
 * The answer to an authorization request: the `Request` that brought it, its URL, its `URLSearchParams` or `FormData`, or
 * an object of its parameters. `Request` and URL are held against the redirect URI and the response mode.
 */
export type AuthorizationResponse =
  | string
  | URL
  | Request
  | URLSearchParams
  | FormData
  | Readonly<Record<string, string | undefined>>;

/** What the sign-in was begun with. */
export interface AuthorizationResponseRules {
  /** Where the answer goes. */
  readonly redirectUri: string;
  /** How the answer comes back. */
  readonly responseMode?: ResponseMode | undefined;
}

/** What an object of any of these kinds may have; nothing is known of it. */
interface Given extends Partial<Iterable<[unknown, unknown]>> {
  readonly href?: unknown;
  readonly url?: unknown;
  readonly method?: unknown;
  readonly headers?: { get?(name: string): string | null };
  readonly body?: AsyncIterable<Uint8Array<ArrayBuffer>> | null;
  readonly bodyUsed?: boolean;
}

type Pairs = Iterable<readonly [unknown, unknown]>;

const MAX_BYTES = 65_536;
/** What no answer to a request for a code holds. */
const UNEXPECTED = /^(?:(?:id_|access_)?token|response)$/;

function fail(why: string, code: AuthResponseErrorCode = "invalid_auth_response"): never {
  throw new ClientAuthError(code, `Cannot read the sign-in's answer: ${why}`);
}

async function readForm({ body, bodyUsed, headers }: Given): Promise<Pairs> {
  if (!/^\s*application\/x-www-form-urlencoded\s*(?:;|$)/i.test(headers?.get?.("content-type") ?? "")) {
    fail("its content type is not that of a form");
  }
  if (bodyUsed) fail("its body was read already: pass its URLSearchParams");
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  // Leaving the loop cancels the body.
  for await (const chunk of body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > MAX_BYTES) fail(`its body is larger than ${MAX_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return new URLSearchParams(text + decoder.decode());
}

function requirePath({ pathname }: URL, { redirectUri }: AuthorizationResponseRules): void {
  if (pathname === new URL(redirectUri).pathname) return;
  fail(
    "its path is not the redirect URI's; behind a proxy pass its URLSearchParams",
    "auth_flow_mismatch",
  );
}

function readUrl(href: string, rules: AuthorizationResponseRules): Pairs {
  const url = new URL(href);
  requirePath(url, rules);
  if (/[#&](?:code|error|state|response|(?:id_|access_)?token)=/.test(url.hash)) {
    fail("it is in the fragment: do not ask for response_mode=fragment");
  }
  // A code that was to come as a form may have been put into a link; an error may come by redirection.
  if (rules.responseMode === "form_post" && url.searchParams.has("code")) {
    fail("it came in the URL, but responseMode is form_post");
  }
  return url.searchParams;
}

async function readPairs(response: unknown, rules: AuthorizationResponseRules): Promise<Pairs> {
  if (typeof response === "string") {
    return URL.canParse(response)
      ? readUrl(response, rules)
      : fail("the text is no absolute URL; pass its URLSearchParams");
  }
  const given = (Object(response) === response ? response : fail("it is no object")) as Given;
  if (typeof given.href === "string") return readUrl(given.href, rules);
  if (typeof given.url === "string" && typeof given.headers?.get === "function") {
    if (given.method === "GET") return readUrl(given.url, rules);
    if (given.method !== "POST") fail("it is neither GET nor POST");
    requirePath(new URL(given.url), rules);
    return rules.responseMode === "form_post"
      ? await readForm(given)
      : fail("it came as a form, but responseMode is not form_post");
  }
  return typeof given[Symbol.iterator] === "function" ? given as Pairs : Object.entries(given);
}

function collect(pairs: Pairs): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of pairs) {
    if (value === undefined) continue;
    if (typeof name !== "string" || Array.isArray(value) || found.has(name)) {
      fail("a parameter is there more than once", "duplicate_parameter");
    }
    if (typeof value !== "string") fail("a parameter is no text");
    if (UNEXPECTED.test(name)) fail(`it holds ${name}, which was not asked for`, "unexpected_token");
    found.set(name, value);
  }
  return found;
}

/**
 * Reads an answer. What it says is not checked yet.
 *
 * @param response The answer.
 * @param rules What the sign-in was begun with.
 * @returns The parameters, each once.
 * @throws {ClientAuthError} for an answer that came another way than was asked, holds a parameter twice, or holds a token;
 * nothing of it is in the message.
 */
export async function readAuthorizationResponse(
  response: unknown,
  rules: AuthorizationResponseRules,
): Promise<ReadonlyMap<string, string>> {
  try {
    return collect(await readPairs(response, rules));
  } catch (error) {
    if (isAuthError(error)) throw error;
    // Somebody else's object threw; its message may quote the answer.
    fail("it cannot be read");
  }
}
