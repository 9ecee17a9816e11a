/**
 * The Durable Object behind {@linkcode DurableObjectStore}.
 *
 * @module
 */

import { type Clock, systemClock } from "../runtime/clock.ts";
import { type Command, readCommand } from "./token_store_command.ts";
import { type DurableStorageLike, TokenTables } from "./token_tables.ts";

/** What the class asks of the state that Workers give it. */
export interface DurableObjectStateLike {
  /** The object's own storage. */
  readonly storage: DurableStorageLike;
}

/** Rows that have expired are swept out at most this often. */
const SWEEP_EVERY_MS = 60_000;
/** Alarms are set no further ahead. */
const MAX_AHEAD_MS = 365 * 86_400_000;

/**
 * A Durable Object that keeps values and leases. Export it from the Worker's main module, and name it in
 * `new_sqlite_classes` of `wrangler.jsonc`.
 *
 * Each command is done without a pause between looking and writing, so no two can come between each other. What has expired
 * is deleted by an alarm; an object in which nothing is left gives its storage back.
 */
export class TokenStoreObject {
  readonly #storage: DurableStorageLike;
  readonly #tables: TokenTables;
  readonly #clock: Clock;
  /** When the alarm is due; `Infinity` where there is none, `undefined` until that is known. */
  #alarmMs: number | undefined;

  /**
   * Made by Workers.
   *
   * @param state The object's state.
   * @param _env The Worker's bindings, which are not used.
   * @param clock Where the time is read, for tests.
   */
  constructor(state: DurableObjectStateLike, _env?: unknown, clock: Clock = systemClock) {
    this.#storage = state.storage;
    this.#tables = new TokenTables(state.storage);
    this.#clock = clock;
  }

  /**
   * Does one command of a {@linkcode DurableObjectStore}.
   *
   * @param request A POST with the command as JSON; anything else is answered with 400 and changes nothing.
   * @returns The outcome as JSON; 500 where the storage failed.
   */
  async fetch(request: Request): Promise<Response> {
    const command = request.method === "POST" ? readCommand(await request.text()) : undefined;
    if (command === undefined) return new Response(null, { status: 400 });
    try {
      const alarmMs = this.#alarmMs ?? await this.#storage.getAlarm();
      this.#alarmMs ??= alarmMs ?? Infinity;
      return Response.json(await this.#do(command));
    } catch {
      // Not told why: the storage's own message may quote the value.
      return new Response(null, { status: 500 });
    }
  }

  /** Deletes what has expired. Called by Workers. */
  async alarm(): Promise<void> {
    const nowMs = this.#clock.now();
    this.#alarmMs = Infinity;
    const soonestMs = this.#tables.sweep(nowMs);
    if (soonestMs === undefined) await this.#giveBack();
    else await this.#wakeAt(Math.max(soonestMs, nowMs + SWEEP_EVERY_MS));
  }

  async #do(command: Command): Promise<unknown> {
    const nowMs = this.#clock.now();
    const { op, key } = command;
    if (op === "get") return this.#tables.read(key, nowMs) ?? {};
    if (op === "set") return await this.#set(command, nowMs);
    if (op === "lock") return await this.#lock(command, nowMs);
    if (op === "delete") this.#tables.delete(key);
    else this.#tables.release(key, command.id);
    if (this.#tables.areEmpty()) await this.#giveBack();
    return {};
  }

  async #set(command: Command & { op: "set" }, nowMs: number): Promise<unknown> {
    const { key, value, expiresAtMs, ifVersion } = command;
    if (ifVersion !== undefined && ifVersion !== (this.#tables.read(key, nowMs)?.version ?? null)) {
      return { ok: false };
    }
    // Random, because a count would begin anew once everything is deleted, and a version must never come back.
    const version = crypto.randomUUID();
    if (expiresAtMs > nowMs) {
      this.#tables.write(key, value, version, expiresAtMs);
      await this.#wakeAt(expiresAtMs);
    } else {
      this.#tables.delete(key);
      if (this.#tables.areEmpty()) await this.#giveBack();
    }
    return { ok: true, version };
  }

  async #lock({ key, id, leaseMs }: Command & { op: "lock" }, nowMs: number): Promise<unknown> {
    if (!this.#tables.lease(key, id, nowMs, nowMs + leaseMs)) return { ok: false };
    // A lease is nearly always released: it has no alarm of its own where there is one anyway.
    if (this.#alarmMs === Infinity) await this.#wakeAt(nowMs + leaseMs);
    return { ok: true };
  }

  async #wakeAt(endMs: number): Promise<void> {
    const atMs = Math.min(endMs, this.#clock.now() + MAX_AHEAD_MS);
    if (atMs >= (this.#alarmMs ?? Infinity)) return;
    this.#alarmMs = atMs;
    try {
      await this.#storage.setAlarm(atMs);
    } catch (error) {
      this.#alarmMs = undefined;
      throw error;
    }
  }

  /** Even an empty table is stored, and billed. Both are begun at once, so that no write can come between. */
  async #giveBack(): Promise<void> {
    this.#tables.forget();
    this.#alarmMs = undefined;
    await Promise.all([this.#storage.deleteAlarm(), this.#storage.deleteAll()]);
  }
}
