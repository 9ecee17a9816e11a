/**
 * Ends sessions that the authority says have ended: in a hidden frame, or by a token.
 *
 * @module
 */

import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { readAuthorizationResponse } from "../request/authorization_response.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { CLOSED, headersOf, json } from "./answers.ts";
import { readLogoutToken } from "./logout_token.ts";
import type { RequestContext } from "./options.ts";
import { fail } from "./session_records.ts";
import type { HeaderList } from "./sessions.ts";
import { troubleOf } from "./trouble.ts";
import type { WebKit } from "./web_kit.ts";

const MAX_CHARS = 512;

/** Takes the authority's notices. */
export class LogoutNotices {
  readonly #kit: WebKit;
  /** Where tokens are noted that came. */
  readonly #store: GuardedStore | undefined;

  /**
   * Takes the parts.
   *
   * @param kit The parts.
   */
  constructor(kit: WebKit) {
    this.#kit = kit;
    const { configuration: { clock, emit }, store } = kit.settings;
    this.#store = store &&
      new GuardedStore(store, "sessionStore", clock, (error) => emit?.({ type: "cache_failed", error }));
  }

  /**
   * Front-channel logout: a hidden frame, whose request brings no cookies. Whatever it says, the answer is the same, so that
   * nobody learns by it who is signed in.
   *
   * @param request The request.
   */
  async frontChannel(request: Request): Promise<Response> {
    const { searchParams } = new URL(request.url);
    const [issuer, ...issuers] = searchParams.getAll("iss");
    const [sid, ...sids] = searchParams.getAll("sid");
    const isWhole = [issuer, sid].every((text) => text && text.length <= MAX_CHARS) &&
      issuers.length + sids.length === 0;
    let cookies: HeaderList = [];
    if (issuer !== undefined && sid !== undefined && isWhole) {
      try {
        cookies = await this.#endOwn(request, issuer, sid);
        await this.#kit.sessions.endElsewhere({ issuer, sid });
      } catch (error) {
        this.#kit.report(error);
      }
    }
    const policy = `default-src 'none'; frame-ancestors ${this.#frames().join(" ")}`;
    const headers: HeaderList = [["content-type", "text/plain"], ["content-security-policy", policy]];
    return new Response("ok", { status: 200, headers: headersOf(CLOSED, headers, cookies) });
  }

  /**
   * Back-channel logout: the authority's own request, which a token proves.
   *
   * @param request The request.
   * @param context Keeps work alive after the answer.
   */
  async backChannel(request: Request, { waitUntil }: RequestContext): Promise<Response> {
    const { sessions, settings: { parts } } = this.#kit;
    const store = this.#store;
    if (store === undefined) {
      const why = "Sessions are in the browser here: nobody else can end them. Give sessionStore";
      return json(501, { error: "unsupported", error_description: why });
    }
    try {
      const form = { redirectUri: request.url, responseMode: "form_post" } as const;
      const parameters = await readAuthorizationResponse(request, form);
      const notice = await readLogoutToken(parts.engine, parameters.get("logout_token") ?? "", waitUntil);
      const key = `msal-edge.logout.v1.${await sha256(lengthPrefixed([notice.issuer, notice.id]))}`;
      const seen = await store.read(key);
      if (seen === null) fail("cache_read_failed", "end");
      if (seen !== undefined) return refused("Cannot accept the logout token: it came before");
      await sessions.endElsewhere(notice);
      // Last: where the sessions could not be ended, the authority may say so once more. Two at once end the same, and where this
      // fails, all that can be done with the token is to end its sessions again.
      await store.set(key, "1", { expiresAtMs: (notice.expiresAt + 600) * 1000, hints: { kind: "http" } });
      return json(200, {});
    } catch (error) {
      this.#kit.report(error);
      const { status } = troubleOf(error);
      if (isAuthError(error) && status < 500) return refused(error.message);
      return json(503, { error: "temporarily_unavailable" });
    }
  }

  /** Where the request does bring the session: the only way to end one that is in the browser alone. */
  async #endOwn(request: Request, issuer: string, sid: string): Promise<HeaderList> {
    const { sessions, carried } = this.#kit;
    const user = (await this.#kit.sessionIfAny(request))?.session.user;
    if (user?.issuer !== issuer || user.sid !== sid) return [];
    return [...await sessions.end(request), ...carried.clear(request)];
  }

  /** The authority's origins, under each name that it has. */
  #frames(): readonly string[] {
    const { base, environment } = this.#kit.settings.configuration.authority;
    const { origin, protocol } = new URL(base);
    return [...new Set([origin, `${protocol}//${environment}`])];
  }
}

function refused(why: string): Response {
  return json(400, { error: "invalid_request", error_description: why });
}
