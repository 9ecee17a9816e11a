/**
 * Finds sessions by what the authority calls them: by issuer and `sid`, and by issuer and `sub`.
 *
 * @module
 */

import { lengthPrefixed, sha256 } from "../crypto/digest.ts";
import type { EndedElsewhere } from "./sessions.ts";
import { fail, type SessionRecords } from "./session_records.ts";

/** More sessions of one user, or of one `sid`, end the oldest. */
const MAX_SESSIONS = 50;
/** How often a list is tried to be changed while others change it. */
const MAX_ATTEMPTS = 100;
/** The same where nobody can tell whether others did, and what was written may be seen late. */
const MAX_LOOKS = 3;

/** Lists of users' sessions that have no `sid`. */
const WITHOUT_SID = "sub without sid";

/** A session on a list. */
interface Entry {
  /** The key of its record. */
  readonly key: string;
  /** When it ends in any case, in epoch seconds. */
  readonly end: number;
}

/** Lists of sessions. */
export class SessionIndex {
  readonly #records: SessionRecords;
  readonly #now: () => number;

  /**
   * Joins the parts.
   *
   * @param records Where the lists are kept.
   * @param now The time, in epoch seconds.
   */
  constructor(records: SessionRecords, now: () => number) {
    this.#records = records;
    this.#now = now;
  }

  /**
   * The names of the lists on which a session is: by `sid`, if there is one, and by `sub`.
   *
   * @param session What the authority calls the session and its user.
   */
  namesOf({ issuer, sid, subject }: EndedElsewhere): Promise<string[]> {
    return namesOf(issuer, [["sid", sid], [sid ? "sub" : WITHOUT_SID, subject]]);
  }

  /**
   * The names of the lists whose sessions end: with a `sid` that session is meant, and without one all of the user. Nobody knows
   * of a session without a `sid` that it is another one.
   *
   * @param ended What the authority calls the session, its user, or both.
   */
  namesToEnd({ issuer, sid, subject }: EndedElsewhere): Promise<string[]> {
    return namesOf(issuer, [sid ? ["sid", sid] : ["sub", subject], [WITHOUT_SID, subject]]);
  }

  /** The keys of the sessions of a list. */
  async keys(name: string): Promise<string[]> {
    return this.#entries((await this.#records.read(name)).record?.value).map(({ key }) => key);
  }

  /**
   * Puts a session on a list. Where the list is full, the oldest session ends.
   *
   * @throws {CacheError} where the store fails.
   */
  async add(name: string, key: string, end: number): Promise<void> {
    let dropped: readonly Entry[] = [];
    await this.#update(name, (entries) => {
      if (entries.some((entry) => entry.key === key)) return undefined;
      const all = [{ key, end }, ...entries];
      dropped = all.slice(MAX_SESSIONS);
      return all.slice(0, MAX_SESSIONS);
    });
    await Promise.all(dropped.map((entry) => this.#records.delete(entry.key)));
  }

  /**
   * Takes sessions off a list.
   *
   * @throws {CacheError} where the store fails.
   */
  async remove(name: string, keys: readonly string[]): Promise<void> {
    await this.#update(name, (entries) => {
      const rest = entries.filter(({ key }) => !keys.includes(key));
      return rest.length < entries.length ? rest : undefined;
    });
  }

  /** Changes a list until nobody else wrote in between, or until the change is seen to be there. */
  async #update(
    name: string,
    change: (entries: readonly Entry[]) => readonly Entry[] | undefined,
  ): Promise<void> {
    const { cas } = this.#records;
    for (let attempt = 0; attempt < (cas ? MAX_ATTEMPTS : MAX_LOOKS); attempt++) {
      const { record, version } = await this.#records.read(name);
      const next = change(this.#entries(record?.value));
      if (next === undefined) return;
      const end = next.reduce((latest, entry) => Math.max(latest, entry.end), this.#now());
      if (await this.#records.write(name, next, end, version) && cas) return;
    }
    if (cas) fail("cache_write_failed", "list");
  }

  /** A list's sessions that have not ended, newest first. */
  #entries(value: unknown): readonly Entry[] {
    const list: readonly unknown[] = Array.isArray(value) ? value : [];
    return list.filter((one): one is Entry => {
      const { key, end } = Object(one) as Entry;
      return typeof key === "string" && end > this.#now();
    });
  }
}

function namesOf(
  issuer: string,
  parts: readonly (readonly [kind: string, value: string | undefined])[],
): Promise<string[]> {
  const nameOf = async (kind: string, value: string): Promise<string> =>
    `msal-edge.sessions.v1.${await sha256(lengthPrefixed([kind, issuer, value]))}`;
  return Promise.all(parts.flatMap(([kind, value]) => value ? [nameOf(kind, value)] : []));
}
