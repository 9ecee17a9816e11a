/**
 * Puts together what keeps sessions.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { MemoryStore } from "../store/memory_store.ts";
import { requireStore, type Store } from "../store/store.ts";
import { BrowserSessions } from "./browser_sessions.ts";
import type { Cookies } from "./cookies.ts";
import { OpenedTexts } from "./opened_texts.ts";
import type { SessionLife } from "./options.ts";
import { SealedCookie } from "./sealed_cookie.ts";
import { SealedTexts } from "./sealed_texts.ts";
import { ServerSessions } from "./server_sessions.ts";
import { SessionIndex } from "./session_index.ts";
import { Lifetimes } from "./session_life.ts";
import { SessionRecords } from "./session_records.ts";
import type { Sessions } from "./sessions.ts";

/** What {@linkcode createSessions} takes. */
export interface SessionsOptions {
  /** The cookies of this site. */
  readonly cookies: Cookies;
  /** Seals cookies and records: one secret, or several, newest first. */
  readonly secret: string | readonly string[];
  /** The application that the sessions are of: those of another one with the same secret are not seen. */
  readonly application?: string | undefined;
  /** How long sessions live. */
  readonly life?: SessionLife | undefined;
  /** Keeps sessions on the server; they are in the browser where absent. */
  readonly store?: Store | undefined;
  /** The time. */
  readonly clock: Clock;
  /** Told of a store that fails. */
  readonly emit?: Emit | undefined;
}

/**
 * Makes what keeps sessions. Nothing is read, written or derived before the first request.
 *
 * @param options The parts.
 * @returns Sessions in the browser, or in the store.
 * @throws {ClientConfigurationError} `invalid_option` or `invalid_store`, which names the option.
 */
export function createSessions(options: SessionsOptions): Sessions {
  const { cookies, secret, clock, emit, store } = options;
  const life = new Lifetimes(options.life ?? {}, clock);
  const inBrowser = store === undefined;
  const opened = new OpenedTexts();
  const labels = [inBrowser ? "session" : "session ticket", options.application ?? []].flat();
  const cookie = new SealedCookie(cookies, secret, labels.join(" "), opened);
  if (inBrowser) return new BrowserSessions(cookie, life);
  const guarded = new GuardedStore(
    requireStore(store, "sessionStore"),
    "sessionStore",
    clock,
    (error) => emit?.({ type: "cache_failed", error }),
  );
  // A class made of it may do anything.
  const memory = store.constructor === MemoryStore ? store as MemoryStore : undefined;
  const records = new SessionRecords(guarded, new SealedTexts(secret, "session record", opened), memory);
  const lists = new SessionRecords(guarded, new SealedTexts(secret, "session list"), memory);
  return new ServerSessions(cookie, life, records, new SessionIndex(lists, () => life.now));
}
