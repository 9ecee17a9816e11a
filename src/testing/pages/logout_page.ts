/**
 * The sign-out page.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-frontchannel-1_0.html | Front-Channel Logout}
 */
import type { Exchange } from "../exchange.ts";
import { readLogoutRequest } from "../logout.ts";
import { frontChannelAddresses, tellServers } from "../logout_notices.ts";
import type { UserSession } from "../sessions.ts";
import { actionOf, parametersOf, redirectResponse, safeAddress, withErrorPages } from "./answers.ts";
import { Browser } from "./browser.ts";
import { signedOutView } from "./end_views.ts";
import { hiddenFields, isOwnForm, readFormState } from "./form_state.ts";
import { markup } from "./html.ts";
import { pageResponse } from "./page.ts";
import { accountsView } from "./sign_in_views.ts";

async function showAccounts(
  exchange: Exchange,
  browser: Browser,
  parameters: URLSearchParams,
): Promise<Response> {
  const state = { page: "logout", request: parameters.toString(), done: [] } as const;
  const target = { action: actionOf(exchange), hidden: await hiddenFields(exchange, browser, state) };
  const users = browser.sessions.map(({ user }) => user);
  const title = "Sign out";
  const texts = { title, purpose: markup`Which account do you want to sign out of?`, other: "All of them" };
  const { redirectTo } = readLogoutRequest(exchange, parameters);
  return await pageResponse(exchange, {
    title,
    body: accountsView(target, users, texts),
    formTargets: redirectTo === undefined ? [] : [redirectTo],
    cookies: browser.cookies,
  });
}

/** Ends sessions, tells the apps, and sends the browser where the app wants it. */
async function signOut(
  exchange: Exchange,
  browser: Browser,
  parameters: URLSearchParams,
  ended: readonly UserSession[],
): Promise<Response> {
  const { redirectTo } = readLogoutRequest(exchange, parameters);
  const onwards = redirectTo === undefined ? undefined : safeAddress(redirectTo);
  const frames = frontChannelAddresses(exchange, ended).map(safeAddress);
  browser.signOut(ended);
  await tellServers(exchange, ended);
  const { cookies } = browser;
  if (onwards !== undefined && frames.length === 0) return redirectResponse(exchange, onwards, cookies);
  const body = signedOutView(frames, onwards);
  return await pageResponse(exchange, { title: "Signed out", body, frames, onwards, cookies });
}

async function logout(exchange: Exchange): Promise<Response> {
  const sent = parametersOf(exchange);
  const browser = new Browser(exchange);
  const { sessions } = browser;
  if (exchange.incoming.method === "POST" && isOwnForm(sent)) {
    const state = await readFormState(exchange, browser, "logout", sent);
    const id = sent.get("user") ?? "";
    const ended = sessions.filter(({ user }) => id === "" || user.id === id);
    return await signOut(exchange, browser, new URLSearchParams(state.request), ended);
  }
  const { logoutHint } = readLogoutRequest(exchange, sent);
  const hint = logoutHint?.toLowerCase();
  const meant = sessions.filter(({ user }) => user.username === hint || user.id === hint);
  if (meant.length > 0) return await signOut(exchange, browser, sent, meant);
  // Whoever else is signed in was not meant.
  if (sessions.length > 1 || (hint !== undefined && sessions.length > 0)) {
    return await showAccounts(exchange, browser, sent);
  }
  return await signOut(exchange, browser, sent, sessions);
}

/** Answers the sign-out page. */
export async function answerLogout(exchange: Exchange): Promise<Response> {
  return await withErrorPages(exchange, () => logout(exchange));
}
