/**
 * The authorization endpoint.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.1 | RFC 6749 section 3.1}
 */
import {
  approve,
  type AuthorizationRequest,
  declined,
  readAuthorizationRequest,
  refuse,
} from "../authorization.ts";
import type { Exchange } from "../exchange.ts";
import { withPushed } from "../pushed_requests.ts";
import { appResponse, parametersOf, withErrorPages } from "./answers.ts";
import { Browser } from "./browser.ts";
import { isOwnForm, readFormState } from "./form_state.ts";
import { type Journey, take, walk } from "./sign_in.ts";

async function cancelled(
  exchange: Exchange,
  browser: Browser,
  request: AuthorizationRequest,
  step: string,
): Promise<Response> {
  if (step === "consent") throw declined(request);
  const parameters = refuse(request, "access_denied", "The user cancelled the sign-in.");
  parameters.set("error_subcode", "cancel");
  return await appResponse(exchange, request, parameters, browser.cookies);
}

function journeyOf(exchange: Exchange, browser: Browser, parameters: URLSearchParams): Journey {
  const request = readAuthorizationRequest(exchange, parameters);
  return {
    exchange,
    browser,
    request,
    arrive: async (session) =>
      await appResponse(exchange, request, await approve(exchange, request, session), browser.cookies),
    cancel: (step) => cancelled(exchange, browser, request, step),
  };
}

async function authorize(exchange: Exchange): Promise<Response> {
  const parameters = parametersOf(exchange);
  const browser = new Browser(exchange);
  if (exchange.incoming.method === "POST" && isOwnForm(parameters)) {
    const state = await readFormState(exchange, browser, "authorize", parameters);
    const journey = journeyOf(exchange, browser, new URLSearchParams(state.request));
    return await take(journey, state, parameters);
  }
  const request = withPushed(exchange, parameters);
  const journey = journeyOf(exchange, browser, request);
  return await walk(journey, { page: "authorize", request: request.toString(), done: [] });
}

/** Answers the authorization endpoint: a page, or the answer to the app. */
export async function answerAuthorize(exchange: Exchange): Promise<Response> {
  return await withErrorPages(exchange, () => authorize(exchange));
}
