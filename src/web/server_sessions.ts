/**
 * Sessions in a store; the cookie holds their names.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import { SESSION } from "./browser_sessions.ts";
import type { SealedCookie } from "./sealed_cookie.ts";
import type { SessionIndex } from "./session_index.ts";
import { fail, type SessionRecords } from "./session_records.ts";
import {
  isSessionId,
  type Lifetimes,
  newSession,
  sessionOf,
  type SessionTimes,
  timesOf,
} from "./session_life.ts";
import type { EndedElsewhere, FoundSession, HeaderList, SessionMark, Sessions } from "./sessions.ts";
import type { Session, SessionUser } from "./user_auth.ts";

/**
 * What the cookie holds. The times that move are here: a record is written once, so that no renewal can bring back a session
 * that was ended meanwhile.
 */
interface Ticket extends SessionTimes, SessionMark {
  readonly version: 1;
  /** The session's id; the key of the record is of its hash. */
  readonly id: string;
}

/** A session, and what the cookie says of it. */
interface Found {
  readonly ticket: Ticket;
  readonly session: Session;
}

/** Keeps sessions on the server. */
export class ServerSessions implements Sessions {
  readonly #cookie: SealedCookie;
  readonly #life: Lifetimes;
  readonly #records: SessionRecords;
  readonly #index: SessionIndex;

  /**
   * Joins the parts.
   *
   * @param cookie The cookies of sessions.
   * @param life How long they live.
   * @param records Where they are kept.
   * @param index What finds them by other names.
   */
  constructor(cookie: SealedCookie, life: Lifetimes, records: SessionRecords, index: SessionIndex) {
    this.#cookie = cookie;
    this.#life = life;
    this.#records = records;
    this.#index = index;
  }

  /** The session of a request: one read of the store. */
  async read(request: Request): Promise<FoundSession | undefined> {
    const found = await this.#cookie.open(request, SESSION, (value) => this.#find(value));
    if (found === undefined) return undefined;
    const { ticket, session } = found.value;
    const times = this.#life.renew(ticket, found.isOld);
    if (times === undefined) return { session, headers: [] };
    return {
      session: { ...session, ...times },
      headers: await this.#write(request, { ...ticket, ...times }),
    };
  }

  /** What ends the sessions that a request brought. */
  async marksOf(request: Request): Promise<readonly SessionMark[]> {
    const marks: SessionMark[] = [];
    await this.#cookie.open(request, SESSION, (value) => {
      const { key, lists } = ticketOf(value) ?? {};
      if (key !== undefined && lists !== undefined) marks.push({ key, lists });
      return undefined;
    });
    return marks;
  }

  /** Begins a session, and ends those that the request brought, and the marked ones. */
  async begin(
    request: Request,
    user: SessionUser,
    marks: readonly SessionMark[] = [],
  ): Promise<{ readonly session: Session; readonly headers: HeaderList }> {
    const session = newSession(user, this.#life.begin());
    const { version, id, issuedAt, renewedAt, idleUntil, expiresAt } = session;
    const [key, lists] = await Promise.all([recordKey(id), this.#index.namesOf(user)]);
    const ticket: Ticket = { version, id, key, lists, issuedAt, renewedAt, idleUntil, expiresAt };
    const headers = await this.#write(request, ticket);
    const written = await Promise.allSettled([
      this.#records.write(key, session, expiresAt),
      ...lists.map((name) => this.#index.add(name, key, expiresAt)),
    ]);
    for (const part of written) {
      if (part.status === "fulfilled") continue;
      await this.#records.delete(key);
      throw part.reason;
    }
    await this.#forget([...await this.marksOf(request), ...marks]);
    return { session, headers };
  }

  /** Ends the session of a request. A store that fails keeps nobody signed in here: the cookies go in any case. */
  async end(request: Request): Promise<HeaderList> {
    await this.#forget(await this.marksOf(request));
    return this.#cookie.clear(request, SESSION);
  }

  /**
   * Ends the sessions that the authority names.
   *
   * @throws {CacheError} where the store fails.
   */
  async endElsewhere(ended: EndedElsewhere): Promise<boolean> {
    const names = await this.#index.namesToEnd(ended);
    await Promise.all(names.map(async (name) => {
      const keys = await this.#index.keys(name);
      const done = await Promise.all(keys.map((key) => this.#records.delete(key)));
      if (done.includes(false)) fail("cache_write_failed", "end");
      await this.#index.remove(name, keys);
    }));
    return true;
  }

  /** The live session that a cookie's value names. */
  async #find(value: unknown): Promise<Found | undefined> {
    const ticket = ticketOf(value);
    if (ticket === undefined || !this.#life.isLive(ticket)) return undefined;
    const { record, version } = await this.#records.read(ticket.key);
    const session = sessionOf(record?.value);
    if (session?.id !== ticket.id) return undefined;
    // With the newest secret, unless it was ended meanwhile; where the store cannot tell, it stays as it is.
    if (record?.isOld && this.#records.cas) await this.#reseal(ticket.key, session, version);
    const { issuedAt, renewedAt, idleUntil, expiresAt } = ticket;
    return { ticket, session: { ...session, issuedAt, renewedAt, idleUntil, expiresAt } };
  }

  async #reseal(key: string, session: Session, version: string | null): Promise<void> {
    // The session has been read; that it is written again can wait.
    await this.#records.write(key, session, session.expiresAt, version).catch(() => {});
  }

  /** Deletes what the store has of sessions; a failure is told by the store's event. */
  async #forget(marks: readonly SessionMark[]): Promise<void> {
    await Promise.allSettled(marks.flatMap(({ key, lists }) => [
      this.#records.delete(key),
      ...lists.map((name) => this.#index.remove(name, [key])),
    ]));
  }

  #write(request: Request, ticket: Ticket): Promise<HeaderList> {
    const maxAgeSeconds = ticket.idleUntil - this.#life.now;
    return this.#cookie.write(request, SESSION, ticket, { maxAgeSeconds });
  }
}

/** Whoever can list the store's keys has no session's id. */
async function recordKey(id: string): Promise<string> {
  return `msal-edge.session.v1.${await sha256(id)}`;
}

function ticketOf(value: unknown): Ticket | undefined {
  const ticket = Object(value) as Ticket;
  const isTicket = ticket.version === 1 && isSessionId(ticket.id) && typeof ticket.key === "string" &&
    Array.isArray(ticket.lists) && timesOf(ticket) !== undefined;
  return isTicket ? ticket : undefined;
}
