/**
 * One request on its way through the application.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import { claimsText } from "../request/claims.ts";
import { json, redirect } from "./answers.ts";
import { isNavigation, wayBack } from "./callers.ts";
import type { RequestContext } from "./options.ts";
import { forSession } from "./session_headers.ts";
import type { FoundSession } from "./sessions.ts";
import type { SignIns } from "./sign_ins.ts";
import { SignedInUser } from "./signed_in_user.ts";
import type { Step } from "./step_links.ts";
import { SESSION_OVER, STEP_UP_FIRST, STILL_MISSING, type Trouble } from "./trouble.ts";
import type { SignInRequest, UserAuth } from "./user_auth.ts";
import type { Visit } from "./visit.ts";
import type { WebKit } from "./web_kit.ts";

/** What the user must do, as another copy of this package may say it, too. */
interface InteractionError extends AuthError {
  readonly claims?: string | undefined;
}

function isInteractionRequired(error: AuthError): error is InteractionError {
  return error.name === "InteractionRequiredAuthError";
}

/** One request. */
export class OneVisit implements Visit {
  /** Who is signed in. */
  readonly auth: UserAuth | null;
  readonly #kit: WebKit;
  readonly #signIns: SignIns;
  readonly #request: Request;
  readonly #found: FoundSession | undefined;
  readonly #user: SignedInUser | undefined;

  /**
   * Joins what a request is made of.
   *
   * @param kit The parts.
   * @param signIns Begins sign-ins.
   * @param request The request.
   * @param context What came with it.
   * @param found Its session.
   */
  constructor(
    kit: WebKit,
    signIns: SignIns,
    request: Request,
    context: RequestContext,
    found: FoundSession | undefined,
  ) {
    this.#kit = kit;
    this.#signIns = signIns;
    this.#request = request;
    this.#found = found;
    this.#user = found && new SignedInUser(kit, request, context, found.session);
    this.auth = this.#user ?? null;
  }

  /** The answer for somebody who is not signed in. */
  challenge({ returnTo, ...ask }: SignInRequest = {}): Promise<Response> {
    return this.#safely(() => this.#signInFor({ ask, returnTo: this.#wayBack(returnTo) }, SESSION_OVER));
  }

  /** Turns what a handler threw into an answer. */
  async recover(error: unknown): Promise<Response> {
    if (!isAuthError(error)) throw error;
    if (isInteractionRequired(error)) return await this.#safely(() => this.#stepUp(error));
    return await this.#fail(error);
  }

  /** Adds to an answer what the session needs. */
  finish(response: Response): Response {
    return forSession(response, this.#found?.headers ?? []);
  }

  /** Nothing of ours that fails may look like an answer of the application. */
  async #safely(answer: () => Promise<Response>): Promise<Response> {
    try {
      return await answer();
    } catch (error) {
      return await this.#fail(error);
    }
  }

  #fail(error: unknown): Promise<Response> {
    return this.#kit.failOnTheWay(this.#request, error);
  }

  #wayBack(given?: string): string {
    return wayBack(this.#request, this.#kit.settings.returns, given);
  }

  async #stepUp(error: InteractionError): Promise<Response> {
    const { guard, nowSeconds } = this.#kit;
    const user = this.#user;
    const asked = user?.askedFor(error);
    const given = error.claims ?? asked?.claims;
    const claims = given === undefined ? undefined : claimsText(given, "claims");
    const ask = { scopes: asked?.scopes, claims, loginHint: user?.user.loginHint ?? user?.user.username };
    const what = JSON.stringify([user?.user.homeAccountId, [...asked?.scopes ?? []].sort(), claims]);
    const mark = await sha256(what);
    if (guard.hasJustDone(await guard.read(this.#request), mark, nowSeconds)) {
      const asJson = !isNavigation(this.#request);
      return await this.#kit.refuse(this.#request, { ...STILL_MISSING, reference: referenceOf(error) }, {
        asJson,
      });
    }
    return await this.#signInFor({ ask, returnTo: this.#wayBack(), mark }, STEP_UP_FIRST);
  }

  /** Sends a browser to sign in; tells others where that could be done. */
  async #signInFor(step: Step, whereLost: Trouble): Promise<Response> {
    const { links, nowSeconds } = this.#kit;
    const isPage = isNavigation(this.#request);
    if (isPage && this.#request.method === "GET") return await this.#signIns.begin(this.#request, step);
    const isPlain = Object.values(step.ask).every((value) => value === undefined);
    const href = isPlain
      ? links.plain(step.returnTo)
      : await links.make(step, this.#user?.user.homeAccountId, nowSeconds);
    if (!isPage) return json(401, { error: `${whereLost.reference}`, signInUrl: href });
    if (this.#request.method === "HEAD") return redirect(href);
    return await this.#kit.refuse(this.#request, whereLost, { action: { label: "Sign in", href } });
  }
}

/** What support asks for; the reason is the same for all that sign in again and again. */
function referenceOf({ code, correlationId }: AuthError): string {
  return correlationId ? `${code}, ${correlationId}` : code;
}
