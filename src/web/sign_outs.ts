/**
 * Signs out: here first, then at the authority.
 *
 * @module
 */

import { randomToken } from "../crypto/pkce.ts";
import { redirect } from "./answers.ts";
import { isFromSite } from "./callers.ts";
import { SealedCookie } from "./sealed_cookie.ts";
import type { HeaderList } from "./sessions.ts";
import { OTHER_SITE } from "./trouble.ts";
import type { SessionUser } from "./user_auth.ts";
import type { WebKit } from "./web_kit.ts";

const NAME = "out";
const SECONDS = 600;

/** Signs users out. */
export class SignOuts {
  readonly #kit: WebKit;
  readonly #state: SealedCookie;

  /**
   * Takes the parts.
   *
   * @param kit The parts.
   * @param secret Seals what the browser brings back.
   */
  constructor(kit: WebKit, secret: string | readonly string[]) {
    this.#kit = kit;
    this.#state = new SealedCookie(kit.settings.cookies.hostOnly, secret, "sign-out");
  }

  /** Asks whether the user means it, or signs them out where a page of this site says so. */
  async signOut(request: Request): Promise<Response> {
    const { carried, guard, sessions, settings } = this.#kit;
    if (request.method !== "POST") return await this.#ask(request);
    if (!isFromSite(request, settings.origin)) return await this.#kit.refuse(request, OTHER_SITE);
    const found = await this.#kit.sessionIfAny(request);
    // nothing that fails from here on keeps anybody signed in on this site.
    const gone = [...await sessions.end(request), ...carried.clear(request), ...guard.forget(request)];
    if (found !== undefined) await this.#forgetTokens(found.session.user);
    const state = randomToken(16);
    const url = await this.#signOutUrl(found?.session.user, state);
    if (url === undefined) return redirect(settings.paths.signedOut, gone);
    const options = { sameSite: "Lax", maxAgeSeconds: SECONDS } as const;
    return redirect(url, [...gone, ...await this.#state.write(request, NAME, state, options)]);
  }

  /** Where the browser comes back to. What it brings changes nothing but a word. */
  async signedOut(request: Request): Promise<Response> {
    const { pages, paths, returns } = this.#kit.settings;
    const wanted = await this.#state.read(request, NAME);
    const headers: HeaderList = wanted === undefined
      ? []
      : this.#state.clear(request, NAME, { sameSite: "Lax" });
    const found = await this.#kit.sessionIfAny(request);
    // Somebody else's link, or a sign-in in another tab: nobody is told what is not so.
    if (found !== undefined) return redirect(returns.homePath, [...headers, ...found.headers]);
    const isOurs = wanted !== undefined && new URL(request.url).searchParams.get("state") === wanted;
    const text = isOurs
      ? "You are signed out of this site and of the sign-in service. On a shared device, close the browser, too."
      : "You are signed out of this site. On a shared device, close the browser, too.";
    const action = { label: "Sign in again", href: paths.signIn };
    return await pages.show(
      request,
      { kind: "signed_out", status: 200, title: "You are signed out", text, action },
      headers,
    );
  }

  async #ask(request: Request): Promise<Response> {
    const { pages, paths } = this.#kit.settings;
    return await pages.show(request, {
      kind: "sign_out",
      status: 200,
      title: "Sign out?",
      text: "You will be signed out of this site and of the sign-in service.",
      action: { label: "Sign out", href: paths.signOut, method: "post" },
    });
  }

  async #forgetTokens({ homeAccountId }: SessionUser): Promise<void> {
    try {
      await this.#kit.settings.app.removeAccount(homeAccountId);
    } catch (error) {
      this.#kit.report(error);
    }
  }

  /** Where the authority signs the user out; `undefined` where it cannot, or cannot be asked. */
  async #signOutUrl(user: SessionUser | undefined, state: string): Promise<string | undefined> {
    const { app, origin, paths } = this.#kit.settings;
    try {
      const postLogoutRedirectUri = origin + paths.signedOut;
      return await app.getSignOutUrl({ postLogoutRedirectUri, logoutHint: user?.loginHint, state });
    } catch (error) {
      this.#kit.report(error);
      return undefined;
    }
  }
}
