/**
 * Keeps sessions, in the browser or on the server.
 *
 * @module
 */

import type { Session, SessionUser } from "./user_auth.ts";

/** Response headers, in order; several `set-cookie` among them. */
export type HeaderList = readonly (readonly [name: string, value: string])[];

/** A session that a request brought. */
export interface FoundSession {
  /** The session: sealed by us, live, and not ended from elsewhere. */
  readonly session: Session;
  /** What the answer must carry: the renewed cookie, if it is time. */
  readonly headers: HeaderList;
}

/** What ends a session without its cookie. */
export interface SessionMark {
  /** The key of its record. */
  readonly key: string;
  /** The lists that it is on. */
  readonly lists: readonly string[];
}

/** Whose sessions to end: of one session at the authority, or all of a user's; both end also those of that user without a `sid`. */
export interface EndedElsewhere {
  /** The issuer, exactly. */
  readonly issuer: string;
  /** The session at the authority. */
  readonly sid?: string | undefined;
  /** The user's `sub`. */
  readonly subject?: string | undefined;
}

/** Keeps sessions. What is not ours in a cookie is ignored, never an error. */
export interface Sessions {
  /**
   * The session of a request; `undefined` for none.
   *
   * @throws {CacheError} where the server's store cannot be read: an outage is no sign-out.
   */
  read(request: Request): Promise<FoundSession | undefined>;
  /** The sessions that a request brought, for a later request that cannot bring them; none where they are in the browser. */
  marksOf(request: Request): Promise<readonly SessionMark[]>;
  /** Begins a session with a new id, and ends those that the request brought, and the marked ones. */
  begin(
    request: Request,
    user: SessionUser,
    marks?: readonly SessionMark[],
  ): Promise<{ readonly session: Session; readonly headers: HeaderList }>;
  /** Ends the session of a request: cookies of every form that we set are deleted, and the server's record. */
  end(request: Request): Promise<HeaderList>;
  /** Ends sessions by what the authority calls them; `false` where sessions are in the browser alone, so that none can be ended. */
  endElsewhere(ended: EndedElsewhere): Promise<boolean>;
}
