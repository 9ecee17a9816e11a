/**
 * The page where a person types the code that a device shows.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8628#section-3.3 | RFC 8628 section 3.3}
 */
import { RedirectableError } from "../authorization.ts";
import { approveDevice, declineDevice, findDevice, type PendingDevice } from "../device.ts";
import { EntraError } from "../entra_error.ts";
import type { Exchange } from "../exchange.ts";
import { actionOf, parametersOf, withErrorPages } from "./answers.ts";
import { Browser } from "./browser.ts";
import { codeView, confirmView, deviceDeclinedView, deviceDoneView } from "./device_views.ts";
import type { Mishap } from "./form_parts.ts";
import { type FormState, hiddenFields, isOwnForm, readFormState } from "./form_state.ts";
import { pageResponse } from "./page.ts";
import { type Journey, take, walk } from "./sign_in.ts";

const MAX_CODE_LENGTH = 64;

async function showCode(
  exchange: Exchange,
  browser: Browser,
  userCode: string,
  mishap?: Mishap,
): Promise<Response> {
  const hidden = await hiddenFields(exchange, browser, { page: "device", request: "", done: [] });
  const shown = userCode.slice(0, MAX_CODE_LENGTH).toUpperCase();
  return await pageResponse(exchange, {
    title: mishap ? "Error: Enter the code" : "Enter the code",
    body: codeView({ action: actionOf(exchange), hidden }, shown, mishap),
    cookies: browser.cookies,
  });
}

function journeyOf(exchange: Exchange, browser: Browser, { userCode, request }: PendingDevice): Journey {
  const appName = request.app.name;
  const { cookies } = browser;
  return {
    exchange,
    browser,
    request,
    device: {
      confirmView: (target, { username }) => confirmView(target, { appName, username, userCode }),
    },
    arrive: async (session) => {
      approveDevice(exchange, userCode, session);
      return await pageResponse(exchange, { title: "Signed in", body: deviceDoneView(appName), cookies });
    },
    cancel: async () => {
      declineDevice(exchange, userCode);
      return await pageResponse(exchange, { title: "Declined", body: deviceDeclinedView(appName), cookies });
    },
  };
}

async function takeForm(exchange: Exchange, browser: Browser, form: URLSearchParams): Promise<Response> {
  const state = await readFormState(exchange, browser, "device", form);
  const typed = form.get("step") === "code";
  const userCode = typed ? form.get("otc") ?? "" : state.request;
  const device = findDevice(exchange, userCode);
  if (!device) {
    const text = "This code is wrong, has expired or was used. Look at the device again.";
    return await showCode(exchange, browser, userCode, { text });
  }
  const journey = journeyOf(exchange, browser, device);
  const begun: FormState = { page: "device", request: device.userCode, done: [] };
  return typed ? await walk(journey, begun) : await take(journey, state, form);
}

/** A device has no address, so what would be told to an app is told to the person. */
async function withoutRedirects(answer: () => Promise<Response>): Promise<Response> {
  try {
    return await answer();
  } catch (cause) {
    if (!(cause instanceof RedirectableError)) throw cause;
    throw new EntraError(400, cause.error, cause.code, cause.message);
  }
}

async function devicePage(exchange: Exchange): Promise<Response> {
  const parameters = parametersOf(exchange);
  const browser = new Browser(exchange);
  if (exchange.incoming.method === "POST" && isOwnForm(parameters)) {
    return await takeForm(exchange, browser, parameters);
  }
  return await showCode(exchange, browser, parameters.get("otc") ?? parameters.get("user_code") ?? "");
}

/** Answers the page where a device's code is typed. */
export async function answerDevicePage(exchange: Exchange): Promise<Response> {
  return await withErrorPages(exchange, () => withoutRedirects(() => devicePage(exchange)));
}
