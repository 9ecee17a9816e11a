/**
 * How an answer leaves: to the app by one of the response modes, or as a page about an error.
 *
 * @module
 * @see {@link https://openid.net/specs/oauth-v2-form-post-response-mode-1_0.html | Form post response mode}
 */
import { type AnswerTarget, RedirectableError, refusalParameters } from "../authorization.ts";
import { dialectRefusal } from "../error_answer.ts";
import { EntraError, wrongMethod } from "../entra_error.ts";
import { type Exchange, timestampOf } from "../exchange.ts";
import { formOf } from "../incoming.ts";
import { errorView, formPostView, SUBMIT_SCRIPT } from "./end_views.ts";
import { browserHeaders, pageResponse } from "./page.ts";

/** Schemes that a browser would run, or open from the disk. */
const DANGEROUS = /^(javascript|data|vbscript|blob|file|about|filesystem):/i;

/** An address that may be in a header, and that no browser runs. */
export function safeAddress(uri: string): string {
  const { href } = new URL(uri);
  if (DANGEROUS.test(href)) {
    const text = "The redirect URI has a scheme that browsers run or read files with.";
    throw new EntraError(400, "invalid_request", 50011, text);
  }
  // What was asked for stays as it is, unless a header cannot hold it.
  return /^[\x21-\x7e]+$/.test(uri) ? uri : href;
}

/** Sends a browser elsewhere. */
export function redirectResponse(
  exchange: Exchange,
  location: string,
  cookies: readonly string[],
): Response {
  const headers = browserHeaders(exchange, cookies);
  headers.set("location", location);
  return new Response(null, { status: 302, headers });
}

/** Takes the browser back to the app. */
export async function appResponse(
  exchange: Exchange,
  target: AnswerTarget,
  parameters: URLSearchParams,
  cookies: readonly string[],
): Promise<Response> {
  const uri = safeAddress(target.redirectUri);
  if (target.responseMode !== "form_post") {
    const mark = target.responseMode === "fragment" ? "#" : uri.includes("?") ? "&" : "?";
    return redirectResponse(exchange, `${uri}${mark}${parameters}`, cookies);
  }
  return await pageResponse(exchange, {
    title: "Back to the app",
    body: formPostView(uri, parameters),
    script: SUBMIT_SCRIPT,
    formTargets: [uri],
    cookies,
  });
}

async function errorResponse(exchange: Exchange, failure: EntraError): Promise<Response> {
  const timestamp = timestampOf(exchange.services.clock.now());
  const { traceId, correlationId } = exchange;
  const { dialect } = exchange.route.shape ?? {};
  const told = dialect && dialectRefusal(exchange, dialect, failure).description;
  const code = told?.split(":", 1)[0] ?? `AADSTS${failure.code}`;
  const { message: text } = failure;
  const page = {
    title: "Error",
    body: errorView({ code, text, traceId, correlationId, timestamp }),
    status: failure.status,
  };
  const response = await pageResponse(exchange, page);
  if (failure.status === 405) response.headers.set("allow", "GET, POST");
  return response;
}

/** Answers, and turns errors into an answer to the app or a page. */
export async function withErrorPages(exchange: Exchange, answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (cause) {
    if (cause instanceof EntraError) return await errorResponse(exchange, cause);
    if (!(cause instanceof RedirectableError)) throw cause;
    return await redirected(exchange, cause);
  }
}

async function redirected(exchange: Exchange, failure: RedirectableError): Promise<Response> {
  try {
    return await appResponse(exchange, failure.target, refusalParameters(exchange, failure), []);
  } catch (cause) {
    if (!(cause instanceof EntraError)) throw cause;
    return await errorResponse(exchange, cause);
  }
}

/** The parameters of a request by `GET` or by a form. Throws for another method, and for another body. */
export function parametersOf(exchange: Exchange): URLSearchParams {
  const { incoming } = exchange;
  if (incoming.method === "GET") return incoming.url.searchParams;
  if (incoming.method !== "POST") throw wrongMethod("GET and POST", incoming.method);
  const form = formOf(incoming);
  if (form) return form;
  const text = "The request has no form that can be read, or one that is too large.";
  throw new EntraError(incoming.body ? 400 : 413, "invalid_request", 9002313, text);
}

/** The path that forms are sent to. Two slashes at its beginning would name a host. */
export function actionOf(exchange: Exchange): string {
  return exchange.incoming.url.pathname.replace(/^\/+/, "/");
}
