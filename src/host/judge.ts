/**
 * Decides what a request to the loopback receiver is: the answer, or something that does not end the wait.
 *
 * Every web page and every program of the machine can send requests here. Only what carries the state of the
 * authorization request counts. MSAL Python stops waiting at the first wrong state (row R9); here it goes on, so that a
 * stranger who finds the port cannot end a sign-in.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-8.3 | RFC 8252, 8.3: loopback redirects}
 */
import type { PageName } from "./pages.ts";

/** What of a request counts. */
export interface LoopbackRequest {
  readonly method: string;
  /** The request target as it came. */
  readonly target: string;
  readonly host: string | undefined;
  readonly contentType: string | undefined;
  /** The body as text; `undefined` where it is too large. */
  readonly body: string | undefined;
}

/** What the receiver expects. */
export interface Expectation {
  readonly port: number;
  readonly path: string;
  readonly responseMode: "query" | "form_post";
  /** Whether this is the awaited state; `undefined` while nobody waits. */
  readonly isExpected: ((state: string) => boolean) | undefined;
}

/** What to send back, and the answer where this is it. */
export interface Verdict {
  readonly status: number;
  readonly page: PageName;
  readonly answer?: URLSearchParams;
}

/**
 * Judges a request.
 *
 * @param request The request.
 * @param expected What is waited for.
 */
export function judge(request: LoopbackRequest, expected: Expectation): Verdict {
  const { method, target } = request;
  const { path, responseMode } = expected;
  // A page whose name was rebound to this address sends its own name (DNS rebinding).
  if (!isOurHost(request.host, expected.port) || !target.startsWith("/")) {
    return { status: 421, page: "misdirected" };
  }
  const formPost = responseMode === "form_post";
  if (!(formPost ? ["GET", "HEAD", "POST"] : ["GET", "HEAD"]).includes(method)) {
    return { status: 405, page: "misdirected" };
  }
  const [pathname, ...query] = target.split("?");
  if (pathname !== path) return { status: 404, page: "waiting" };
  if (method === "POST") return judgeForm(request, expected);
  const params = new URLSearchParams(query.join("?"));
  // A link checker's HEAD must not use up the answer.
  if (method === "HEAD" || !isAnswer(params)) return { status: 200, page: "waiting" };
  if (formPost && params.has("code")) return { status: 400, page: "unsupported" };
  return judgeAnswer(params, expected);
}

function judgeForm({ contentType = "", body }: LoopbackRequest, expected: Expectation): Verdict {
  if (body === undefined) return { status: 413, page: "tooLarge" };
  const params = new URLSearchParams(body);
  const isForm = /^application\/x-www-form-urlencoded\s*(?:;|$)/i.test(contentType);
  return isForm && isAnswer(params) ? judgeAnswer(params, expected) : { status: 400, page: "invalid" };
}

function judgeAnswer(answer: URLSearchParams, { isExpected }: Expectation): Verdict {
  if (!isExpected) return { status: 200, page: "waiting" };
  const states = answer.getAll("state");
  if (states.length !== 1 || !isExpected(states[0]!)) return { status: 400, page: "mismatch" };
  return answer.has("error")
    ? { status: 400, page: "error", answer }
    : { status: 200, page: "success", answer };
}

function isAnswer(params: URLSearchParams): boolean {
  return params.has("code") || params.has("error");
}

function isOurHost(host: string | undefined, port: number): boolean {
  const [, name, digits = "80"] = host?.match(/^(localhost|127\.0\.0\.1)(?::(\d{1,5}))?$/i) ?? [];
  return name !== undefined && Number(digits) === port;
}

/**
 * Tells whether an address is this machine's own.
 *
 * @param address As a socket names its peer; absent where the peer has gone.
 */
export function isLoopbackAddress(address: string | undefined): boolean {
  return address !== undefined && /^(?:::ffff:)?127(?:\.\d{1,3}){3}$|^::1$/i.test(address);
}
