/**
 * Begins sign-ins, and ends them.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import { readAuthorizationResponse } from "../request/authorization_response.ts";
import { json, redirect } from "./answers.ts";
import { isFromSite, isNavigation, pageBefore } from "./callers.ts";
import type { RequestContext } from "./options.ts";
import { isReturnPath, returnPath } from "./return_path.ts";
import { sessionUserOf } from "./session_user.ts";
import type { HeaderList } from "./sessions.ts";
import type { Step } from "./step_links.ts";
import type { Transaction } from "./transactions.ts";
import { LOOP, OTHER_SITE, UNKNOWN_SIGN_IN } from "./trouble.ts";
import type { WebKit } from "./web_kit.ts";

/** Begins sign-ins, and ends them. */
export class SignIns {
  readonly #kit: WebKit;

  /**
   * Takes the parts.
   *
   * @param kit The parts.
   */
  constructor(kit: WebKit) {
    this.#kit = kit;
  }

  /**
   * Sends the browser to the authority.
   *
   * @param request The request that asks for it.
   * @param step What to ask for, and where to come back to: checked.
   * @param isChosen Whether the user pressed a button for it, which nobody does in circles.
   */
  async begin(request: Request, step: Step, isChosen = false): Promise<Response> {
    const { guard, nowSeconds, sessions, settings, transactions } = this.#kit;
    const trail = await guard.read(request);
    const rounds = isChosen ? [] : guard.next(trail, nowSeconds);
    if (rounds === undefined) return await this.#kit.refuse(request, LOOP);
    const { app, isStrict, redirectUri, responseMode } = settings;
    const { ask: { scopes = settings.scopes, ...ask }, returnTo, mark } = step;
    const flow = await app.initiateAuthCodeFlow({ ...ask, scopes, redirectUri, responseMode });
    // what the answer will not bring is written down.
    const marks = isStrict || responseMode === "form_post" ? await sessions.marksOf(request) : undefined;
    const transaction: Transaction = { flow, returnTo, rounds, step: mark, marks };
    return redirect(flow.authUri, await transactions.keep(request, transaction, nowSeconds));
  }

  /** Begins a sign-in by its address. What it asks for comes from the application's code alone, never from the URL. */
  async signIn(request: Request): Promise<Response> {
    const { links, nowSeconds, settings: { returns } } = this.#kit;
    const { searchParams } = new URL(request.url);
    const asked = onlyOne(searchParams.getAll("return_to"));
    const sealed = onlyOne(searchParams.getAll("step"));
    if (request.headers.has("sec-fetch-mode") && !isNavigation(request)) {
      const signInUrl = links.plain(returnPath(asked, returns));
      return json(401, { error: "login_required", signInUrl });
    }
    const step = sealed === undefined
      ? undefined
      : await links.open(sealed, await this.#userOf(request), nowSeconds);
    const returnTo = isReturnPath(asked, returns) ? asked : step?.returnTo ?? returns.homePath;
    return await this.begin(request, { ask: {}, ...step, returnTo });
  }

  /** Signs in as somebody else. */
  async switchAccount(request: Request): Promise<Response> {
    const { settings: { origin, returns } } = this.#kit;
    if (!isFromSite(request, origin)) return await this.#kit.refuse(request, OTHER_SITE);
    const asked = new URL(request.url).searchParams.get("return_to") ?? pageBefore(request, origin);
    const step = { ask: { prompt: "select_account" }, returnTo: returnPath(asked, returns) } as const;
    return await this.begin(request, step, true);
  }

  /**
   * Takes the authority's answer.
   *
   * @param request The request that brings it.
   * @param context Keeps work alive after the answer.
   */
  async callback(request: Request, context: RequestContext): Promise<Response> {
    const { settings: { redirectUri, responseMode }, transactions } = this.#kit;
    let parameters: ReadonlyMap<string, string>;
    try {
      parameters = await readAuthorizationResponse(request, { redirectUri, responseMode });
    } catch (error) {
      // What was meant by it is known where its name is there once; then that sign-in is over, too.
      const states = new URL(request.url).searchParams.getAll("state");
      const taken = states.length === 1 ? await transactions.take(request, `${states[0]}`) : undefined;
      const returnTo = taken?.transaction?.returnTo;
      return await this.#kit.fail(request, error, { headers: taken?.headers, returnTo });
    }
    const taken = await transactions.take(request, parameters.get("state") ?? "");
    const { transaction, headers } = taken;
    if (transaction === undefined) return await this.#unknown(request, parameters, headers);
    try {
      const begun = await this.#finish(request, transaction, parameters, context);
      return await this.#arrive(request, transaction.returnTo, [...headers, ...begun]);
    } catch (error) {
      const user = (await this.#kit.sessionIfAny(request))?.session.user.homeAccountId;
      return await this.#kit.fail(request, error, { headers, returnTo: transaction.returnTo, user });
    }
  }

  /** Redeems the code, and begins the session. */
  async #finish(
    request: Request,
    transaction: Transaction,
    parameters: ReadonlyMap<string, string>,
    { waitUntil }: RequestContext,
  ): Promise<HeaderList> {
    const { carried, guard, nowSeconds, sessions, settings } = this.#kit;
    const { flow } = transaction;
    // the client is looked at by the application.
    const { engine } = settings.parts;
    if (
      flow.redirectUri !== settings.redirectUri || flow.responseMode !== settings.responseMode ||
      flow.authority !== engine.authorityOf(settings.configuration.authority.tenant)
    ) {
      const why =
        "Cannot sign in: the sign-in was begun with another authority, redirect URI or response mode";
      throw new ClientAuthError("auth_flow_mismatch", why, flow.correlationId);
    }
    const answer = new URLSearchParams([...parameters]);
    const result = await settings.app.acquireTokenByAuthCodeFlow(flow, answer, { waitUntil });
    const user = sessionUserOf(result, settings.sessionClaims);
    const [begun, tokens, trail] = await Promise.all([
      sessions.begin(request, user, transaction.marks),
      carried.carry(settings.app, user, request),
      guard.done(request, transaction, nowSeconds),
    ]);
    return [...begun.headers, ...tokens, ...trail];
  }

  /** Sends the browser to its page, so that the code leaves the address bar. */
  async #arrive(request: Request, path: string, headers: HeaderList): Promise<Response> {
    const { isStrict, pages } = this.#kit.settings;
    if (!isStrict) return redirect(path, headers);
    // Of what another site began such cookies are withheld, redirects included: a page of our own has to go on.
    const action = { label: "Go on", href: path };
    const text = "You are signed in. If nothing happens, go on to the page that you came for.";
    const content = { kind: "signed_in", status: 200, title: "Signed in", text, action } as const;
    return await pages.show(request, content, [...headers, ["refresh", `0;url=${path}`]]);
  }

  /** An answer to a sign-in that is over, or that nobody began here: a reload, the back button, or somebody else's. */
  async #unknown(
    request: Request,
    parameters: ReadonlyMap<string, string>,
    headers: HeaderList,
  ): Promise<Response> {
    const { guard, settings: { returns } } = this.#kit;
    const found = parameters.has("code") ? await this.#kit.sessionIfAny(request) : undefined;
    if (found === undefined) return await this.#kit.refuse(request, UNKNOWN_SIGN_IN, { headers });
    const path = await guard.pathOf(await guard.read(request), parameters.get("state") ?? "");
    return redirect(path ?? returns.homePath, [...headers, ...found.headers]);
  }

  async #userOf(request: Request): Promise<string | undefined> {
    return (await this.#kit.sessionIfAny(request))?.session.user.homeAccountId;
  }
}

/** what comes twice is nothing. */
function onlyOne(values: readonly string[]): string | undefined {
  return values.length === 1 ? values[0] : undefined;
}
