/**
 * Sessions that are a sealed cookie, and nothing else.
 *
 * @module
 */

import type { SealedCookie } from "./sealed_cookie.ts";
import type { EndedElsewhere, FoundSession, HeaderList, SessionMark, Sessions } from "./sessions.ts";
import { type Lifetimes, newSession, sessionOf } from "./session_life.ts";
import type { Session, SessionUser } from "./user_auth.ts";

/** The name of the session's cookie, without what all names begin with. */
export const SESSION = "session";

/** Keeps sessions in the browser: who has the cookie has the session until it ends. */
export class BrowserSessions implements Sessions {
  readonly #cookie: SealedCookie;
  readonly #life: Lifetimes;

  /**
   * Joins the parts.
   *
   * @param cookie The cookies of sessions.
   * @param life How long they live.
   */
  constructor(cookie: SealedCookie, life: Lifetimes) {
    this.#cookie = cookie;
    this.#life = life;
  }

  /** The session of a request, renewed where it is time. Its id stays: what other answers renew at the same time counts, too. */
  async read(request: Request): Promise<FoundSession | undefined> {
    const found = await this.#cookie.open(request, SESSION, (value) => this.#live(value));
    if (found === undefined) return undefined;
    const times = this.#life.renew(found.value, found.isOld);
    if (times === undefined) return { session: found.value, headers: [] };
    const session = { ...found.value, ...times };
    return { session, headers: await this.#write(request, session) };
  }

  /** Nothing but its cookie ends one. */
  marksOf(_request: Request): Promise<readonly SessionMark[]> {
    return Promise.resolve([]);
  }

  /** Begins a session: its cookie takes the place of whichever the request brought. */
  async begin(
    request: Request,
    user: SessionUser,
  ): Promise<{ readonly session: Session; readonly headers: HeaderList }> {
    const session = newSession(user, this.#life.begin());
    return { session, headers: await this.#write(request, session) };
  }

  /** Deletes the cookies. */
  end(request: Request): Promise<HeaderList> {
    return Promise.resolve(this.#cookie.clear(request, SESSION));
  }

  /** Nobody but the browser has its session. */
  endElsewhere(_ended: EndedElsewhere): Promise<boolean> {
    return Promise.resolve(false);
  }

  #live(value: unknown): Session | undefined {
    const session = sessionOf(value);
    return session && this.#life.isLive(session) ? session : undefined;
  }

  #write(request: Request, session: Session): Promise<HeaderList> {
    const maxAgeSeconds = session.idleUntil - this.#life.now;
    return this.#cookie.write(request, SESSION, session, { maxAgeSeconds });
  }
}
