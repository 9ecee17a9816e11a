/**
 * The class of Durable Objects in the tests' Worker: a {@linkcode TokenStoreObject} that can be looked into.
 *
 * @module
 */
import { type DurableObjectStateLike, TokenStoreObject } from "../../src/adapters/durable_object.ts";

/** What is in an object's storage. */
export interface Probe {
  /** The rows of each table, where there is one. */
  readonly rows: Readonly<Record<string, number>>;
  readonly alarmMs: number | null;
}

/** Answers GET with a {@linkcode Probe}; `/alarm` first lets the alarm go off. */
export class ProbedTokenStore extends TokenStoreObject {
  readonly #state: DurableObjectStateLike;

  constructor(state: DurableObjectStateLike, env: unknown) {
    super(state, env);
    this.#state = state;
  }

  override async fetch(request: Request): Promise<Response> {
    if (request.method !== "GET") return await super.fetch(request);
    if (new URL(request.url).pathname === "/alarm") await this.alarm();
    const { sql } = this.#state.storage;
    const tables = sql.exec("SELECT name FROM sqlite_master WHERE name IN ('kept', 'leases')").toArray();
    const rows: Record<string, number> = {};
    for (const { name } of tables) {
      rows[`${name}`] = sql.exec(`SELECT count(*) AS n FROM ${name}`).toArray()[0]!.n as number;
    }
    return Response.json({ rows, alarmMs: await this.#state.storage.getAlarm() } satisfies Probe);
  }
}

/** The same class, bound as if it had not been named in `new_sqlite_classes`. */
export class UnmigratedTokenStore extends TokenStoreObject {}
