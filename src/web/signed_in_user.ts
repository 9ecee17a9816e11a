/**
 * A signed-in user, as handlers get them.
 *
 * @module
 */

import { createAuthorizedFetch } from "../client/authorized_fetch.ts";
import { isAuthError } from "../errors/auth_error.ts";
import type { SilentRequest } from "../request/user_requests.ts";
import type { RequestContext } from "./options.ts";
import type { ApiFetchOptions, Session, SessionUser, UserAuth } from "./user_auth.ts";
import type { WebKit } from "./web_kit.ts";

/** What a token is asked for with. */
export type UserTokenRequest = Omit<SilentRequest, "account">;

/** A signed-in user. */
export class SignedInUser implements UserAuth {
  /** Who is signed in. */
  readonly user: SessionUser;
  readonly #kit: WebKit;
  readonly #request: Request;
  readonly #context: RequestContext;
  readonly #session: Session;
  /** What was asked for in vain; of most requests, nothing. */
  #failed: Map<unknown, UserTokenRequest> | undefined;
  #failedLast: UserTokenRequest | undefined;
  #adopted: Promise<boolean> | undefined;
  #renewed: Promise<boolean> | undefined;

  /**
   * Takes what handlers are told.
   *
   * @param kit The parts.
   * @param request The request.
   * @param context What came with it.
   * @param session The session.
   */
  constructor(kit: WebKit, request: Request, context: RequestContext, session: Session) {
    this.user = session.user;
    this.#kit = kit;
    this.#request = request;
    this.#context = context;
    this.#session = session;
  }

  /** When the session ends if nobody comes, and in any case. */
  get session(): { readonly issuedAt: Date; readonly idleUntil: Date; readonly expiresAt: Date } {
    const { issuedAt, idleUntil, expiresAt } = this.#session;
    const date = (seconds: number): Date => new Date(seconds * 1000);
    return { issuedAt: date(issuedAt), idleUntil: date(idleUntil), expiresAt: date(expiresAt) };
  }

  // Fields, so that handlers may take them out of the object.
  /** A token for an API. */
  readonly acquireToken: UserAuth["acquireToken"] = async (asked) => {
    const { carried, settings: { app } } = this.#kit;
    const { homeAccountId: account } = this.user;
    // What the browser carries is looked at once, and only where a token is wanted.
    await (this.#adopted ??= carried.adopt(app, this.#request, this.user));
    const request = { waitUntil: this.#context.waitUntil, ...asked, account };
    try {
      try {
        return await app.acquireTokenSilent(request);
      } catch (error) {
        if (!isAuthError(error) || error.name !== "InteractionRequiredAuthError") throw error;
        // The user may just have done it, in an isolate whose writing the store does not show here yet.
        if (!await (this.#renewed ??= carried.adopt(app, this.#request, this.user, true))) throw error;
        return await app.acquireTokenSilent(request);
      }
    } catch (error) {
      (this.#failed ??= new Map()).set(error, this.#failedLast = { ...asked });
      throw error;
    }
  };

  /** A `fetch` for an API that has the user's token. */
  readonly fetch: UserAuth["fetch"] = ({ scopes, origins, fetch }: ApiFetchOptions) =>
    createAuthorizedFetch({
      origins,
      fetch: fetch ?? this.#kit.settings.configuration.fetch,
      acquireToken: ({ claims, signal }) => this.acquireToken({ scopes, claims, signal }),
    });

  /**
   * What was asked for when an error came.
   *
   * @param error The error.
   * @returns The request; the latest that failed where the error is of somebody else.
   */
  askedFor(error: unknown): UserTokenRequest | undefined {
    return this.#failed?.get(error) ?? this.#failedLast;
  }
}
