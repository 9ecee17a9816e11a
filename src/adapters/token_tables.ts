/**
 * The tables of a {@linkcode TokenStoreObject}, each operation without a pause.
 *
 * @module
 */

/** What a statement gives. */
export interface SqlCursorLike {
  /** All rows. */
  toArray(): Record<string, unknown>[];
}

/** What is asked of a Durable Object's storage. */
export interface DurableStorageLike {
  /** The object's own database. */
  readonly sql: {
    /** Runs a statement. */
    exec(statement: string, ...bindings: unknown[]): SqlCursorLike;
  };
  /** When the alarm is due. */
  getAlarm(): Promise<number | null>;
  /** Sets the alarm. */
  setAlarm(atMs: number): Promise<void>;
  /** Takes the alarm back. */
  deleteAlarm(): Promise<void>;
  /** Deletes the database. */
  deleteAll(): Promise<void>;
}

/** A value that has not expired. */
export interface KeptText {
  /** The text. */
  readonly value: string;
  /** Its version. */
  readonly version: string;
}

type Row = Record<string, unknown>;

/** The values and leases of one object. Without any there are no tables: to look for nothing writes nothing. */
export class TokenTables {
  readonly #storage: DurableStorageLike;
  #made: boolean | undefined;

  /**
   * Wraps a database.
   *
   * @param storage The object's storage.
   */
  constructor(storage: DurableStorageLike) {
    this.#storage = storage;
  }

  /** Reads a value that has not expired. */
  read(key: string, nowMs: number): KeptText | undefined {
    const [row] = this.#rows("SELECT value, version FROM kept WHERE key = ? AND ends > ?", key, nowMs);
    return row as unknown as KeptText | undefined;
  }

  /** Writes a value. */
  write(key: string, value: string, version: string, endMs: number): void {
    this.#make();
    this.#rows("INSERT OR REPLACE INTO kept VALUES (?, ?, ?, ?)", key, version, endMs, value);
  }

  /** Forgets a value. */
  delete(key: string): void {
    this.#rows("DELETE FROM kept WHERE key = ?", key);
  }

  /** Takes a lease; `false` where somebody else holds it. */
  lease(key: string, id: string, nowMs: number, endMs: number): boolean {
    const [held] = this.#rows("SELECT id FROM leases WHERE key = ? AND ends > ?", key, nowMs);
    if (held !== undefined && held.id !== id) return false;
    this.#make();
    this.#rows("INSERT OR REPLACE INTO leases VALUES (?, ?, ?)", key, id, endMs);
    return true;
  }

  /** Gives a lease back, if it is still the holder's. */
  release(key: string, id: string): void {
    this.#rows("DELETE FROM leases WHERE key = ? AND id = ?", key, id);
  }

  /** Deletes what has expired, and tells when the next will; `undefined` where nothing is left. */
  sweep(nowMs: number): number | undefined {
    this.#rows("DELETE FROM kept WHERE ends <= ?", nowMs);
    this.#rows("DELETE FROM leases WHERE ends <= ?", nowMs);
    const all = "SELECT ends FROM kept UNION ALL SELECT ends FROM leases";
    return this.#rows(`SELECT min(ends) AS soonest FROM (${all})`)[0]?.soonest as number ?? undefined;
  }

  /** Whether there are tables, and nothing in them, expired or not. */
  areEmpty(): boolean {
    const rows = this.#rows("SELECT 1 FROM kept UNION ALL SELECT 1 FROM leases LIMIT 1");
    return this.#made === true && rows.length === 0;
  }

  /** Says that the database is being deleted. */
  forget(): void {
    this.#made = false;
  }

  #rows(statement: string, ...bindings: unknown[]): Row[] {
    this.#made ??= this.#exec("SELECT 1 FROM sqlite_master WHERE name = 'leases'").length > 0;
    return this.#made ? this.#exec(statement, ...bindings) : [];
  }

  #make(): void {
    if (this.#made === true) return;
    this.#exec("CREATE TABLE IF NOT EXISTS kept (key TEXT PRIMARY KEY, version TEXT, ends REAL, value TEXT)");
    this.#exec("CREATE TABLE IF NOT EXISTS leases (key TEXT PRIMARY KEY, id TEXT, ends REAL)");
    this.#made = true;
  }

  #exec(statement: string, ...bindings: unknown[]): Row[] {
    return this.#storage.sql.exec(statement, ...bindings).toArray();
  }
}
