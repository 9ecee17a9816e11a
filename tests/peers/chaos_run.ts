/**
 * Drives a chaos run: two Workers in one workerd, a store that they share, and eight writers.
 *
 * Time is the driver's. It gives each Worker a slice of it in turn, in an order that comes from the seed, and goes on when
 * nothing is left to do there but to wait. So the same seed gives the same run.
 *
 * @module
 */
import { Miniflare } from "miniflare";
import { Issuer } from "./chaos_issuer.ts";
import { Party } from "./chaos_party.ts";
import { type Chance, chanceOf } from "./chaos_random.ts";
import {
  CALM,
  type Entry,
  type Operation,
  type Question,
  type Scene,
  type Side,
  SIDES,
  type When,
} from "./chaos_wire.ts";
import { bundleTests } from "../support/bundle.ts";

export const USERS = 12;
export const TENANTS = 3;
export const SCOPES = 2;
const WRITERS = 8;
const SLICE_MS = 30;
/** A fixed day, so that nothing depends on when this runs; ahead, because KV takes no end in the past. */
const START_MS = Date.UTC(2035, 0, 1);
/** How long everybody pauses between two rounds. */
const PAUSES_MS = [0, 0, 1_000, 5_000, 20_000, 61_000, 130_000, 600_000, 1_801_000, 3_600_000, 7_200_000];
/** Nothing may take longer. */
const STUCK_MS = 300_000;

/** Everything that happened. */
export interface Run {
  readonly scene: Scene;
  readonly seed: number;
  readonly log: readonly Entry[];
  /** When all was quiet, and each user was asked for once more. */
  readonly quietMs: number;
  /** What came between the start and the first fault. */
  readonly chaosMs: number;
}

/** A run that is under way. */
class Simulation {
  readonly #scene: Scene;
  readonly #chance: Chance;
  readonly #issuer: Issuer;
  readonly #log: Entry[] = [];
  readonly #past = new Map<string, { readonly atMs: number; readonly copy: string | undefined }[]>();
  readonly #running = new Map<number, () => void>();
  readonly #parties: Record<Side, Party>;
  #nowMs = START_MS;
  #ids = 0;

  private constructor(scene: Scene, seed: number, issuer: Issuer) {
    this.#scene = scene;
    this.#issuer = issuer;
    this.#chance = chanceOf(seed, "driver");
    this.#parties = {} as Record<Side, Party>;
  }

  static async open(scene: Scene, seed: number, origins: Record<Side, string>): Promise<Simulation> {
    const run = new Simulation(scene, seed, new Issuer(scene.issuer));
    const key = await run.#issuer.privateKey();
    for (const side of SIDES) {
      const init = { scene, seed, side, nowMs: START_MS, key };
      const respond = (question: Question, at: When) => run.#respond(question, at);
      run.#parties[side] = await Party.open(origins[side], init, respond, (entry) => run.#take(entry));
    }
    return run;
  }

  async close(): Promise<void> {
    for (const side of SIDES) await this.#parties[side].close();
  }

  async run(seed: number): Promise<Run> {
    await this.#populate();
    const chaosMs = this.#nowMs;
    for (const side of SIDES) this.#parties[side].tell({ type: "rates", rates: this.#scene.rates });
    for (let done = 0; done < this.#scene.operations;) done += await this.#round();
    const quietMs = await this.#askForAll();
    return { scene: this.#scene, seed, log: this.#log, quietMs, chaosMs };
  }

  /** An issuer that is not Entra has no tenants. */
  get #tenants(): number {
    return this.#scene.issuer === "reusable" ? TENANTS : 1;
  }

  /** Everybody signs in, one after the other, so that it is known whose each key is. */
  async #populate(): Promise<void> {
    for (const side of SIDES) this.#parties[side].tell({ type: "rates", rates: CALM });
    for (let user = 0; user < USERS; user++) {
      await this.#alone("left", { kind: "sign_in", user, scope: 0 });
      await this.#alone("right", { kind: "silent", user, scope: 1, forced: true });
    }
    for (let tenant = 0; tenant < this.#tenants; tenant++) {
      for (let scope = 0; scope < SCOPES; scope++) {
        await this.#alone("left", { kind: "client", tenant, scope });
      }
    }
  }

  /** Every writer does a few things, and then all wait for a while. */
  async #round(): Promise<number> {
    const before = this.#ids;
    const hot = Array.from({ length: 3 }, () => this.#chance.below(USERS));
    for (let writer = 0; writer < WRITERS; writer++) {
      this.#write(SIDES[writer % 2]!, hot, 1 + this.#chance.below(6));
    }
    await this.#settle();
    this.#nowMs += this.#chance.pick(PAUSES_MS);
    return this.#ids - before;
  }

  #write(side: Side, hot: readonly number[], left: number): void {
    if (left === 0) return;
    const isRestart = this.#chance.happens(this.#scene.rates.restarts);
    const operation: Operation = isRestart ? { kind: "restart" } : this.#operation(hot);
    this.#start(side, operation, this.#chance.delayMs(300), () => this.#write(side, hot, left - 1));
  }

  #operation(hot: readonly number[]): Operation {
    const chance = this.#chance;
    const user = chance.happens(0.7) ? chance.pick(hot) : chance.below(USERS);
    const scope = chance.below(SCOPES);
    const what = chance.below(100);
    if (what < 14) return { kind: "client", tenant: chance.below(this.#tenants), scope };
    if (what < 22) return { kind: "sign_in", user, scope };
    if (what < 25) return { kind: "bring", user, scope, refreshToken: this.#issuer.mint(user) };
    if (what < 29) return { kind: "remove", user };
    return { kind: "silent", user, scope, forced: what < 37 };
  }

  /** When all is quiet, both isolates are thrown away, and each user is asked for once more. */
  async #askForAll(): Promise<number> {
    const quietMs = this.#nowMs += 600_000;
    for (const side of SIDES) {
      this.#parties[side].tell({ type: "rates", rates: CALM });
      await this.#alone(side, { kind: "restart" });
    }
    for (let user = 0; user < USERS; user++) {
      await this.#alone("left", { kind: "silent", user, scope: 0, forced: true });
    }
    return quietMs;
  }

  async #alone(side: Side, operation: Operation): Promise<void> {
    this.#start(side, operation, 0, () => {});
    await this.#settle();
  }

  #start(side: Side, operation: Operation, delayMs: number, then: () => void): void {
    const id = ++this.#ids;
    this.#running.set(id, then);
    this.#parties[side].start({ id, atMs: this.#nowMs + delayMs, operation });
  }

  async #settle(): Promise<void> {
    const stuckMs = this.#nowMs + STUCK_MS;
    while (this.#running.size > 0) {
      const dueMs = Math.min(...SIDES.map((side) => this.#parties[side].dueMs));
      if (dueMs > stuckMs) return this.#running.clear();
      const untilMs = Math.max(dueMs, this.#nowMs) + SLICE_MS;
      const sides = this.#chance.happens(0.5) ? SIDES : [...SIDES].reverse();
      for (const side of sides) {
        if (this.#parties[side].dueMs <= untilMs) await this.#parties[side].run(untilMs);
      }
      this.#nowMs = untilMs;
    }
  }

  #take(entry: Entry): void {
    this.#log.push(entry);
    if (entry.what === "stored") {
      const { key, atMs, copy } = entry;
      this.#past.set(key, [...this.#past.get(key)?.slice(-50) ?? [], { atMs, copy }]);
    }
    if (entry.what !== "saved" && entry.what !== "abandoned") return;
    const then = this.#running.get(entry.id);
    this.#running.delete(entry.id);
    // From where the driver is, as the slice that this happened in is over for the other Worker, perhaps.
    then?.();
  }

  async #respond(question: Question, at: When): Promise<unknown> {
    if (question.ask === "past") {
      const { key, atMs } = question;
      return this.#past.get(key)?.findLast((entry) => entry.atMs <= atMs)?.copy ?? null;
    }
    const { url, form } = question;
    return await this.#issuer.answer(url, form, at.atMs, (grant) => {
      this.#log.push({ what: "grant", grant, ...at });
    });
  }
}

let bundle: Promise<string> | undefined;

/** Runs a scene. */
export async function runChaos(scene: Scene, seed: number): Promise<Run> {
  const contents = await (bundle ??= bundleTests(
    [],
    'export * from "./tests/peers/chaos_worker.ts"; export { default } from "./tests/peers/chaos_worker.ts";',
    {
      platform: "browser",
      target: "es2024",
      conditions: ["workerd", "worker", "browser"],
    },
  ));
  const modules = [{ type: "ESModule" as const, path: "worker.mjs", contents }];
  const common = { modules, compatibilityDate: "2026-07-01", kvNamespaces: { KV: "tokens" } };
  const workers = SIDES.map((name) => ({
    ...common,
    name,
    durableObjects: { OBJECTS: { className: "TimedStoreObject", scriptName: "left", useSQLite: true } },
    unsafeDirectSockets: [{ host: "127.0.0.1", port: 0 }],
  }));
  const folder = await makeFolder();
  const miniflare = new Miniflare({ workers, cf: false, defaultPersistRoot: folder });
  try {
    const [left, right] = [
      await miniflare.unsafeGetDirectURL("left"),
      await miniflare.unsafeGetDirectURL("right"),
    ];
    const simulation = await Simulation.open(scene, seed, { left: left.origin, right: right.origin });
    const run = await simulation.run(seed);
    await simulation.close();
    return run;
  } finally {
    await miniflare.dispose();
    await Deno.remove(folder, { recursive: true });
  }
}

/** In memory where there is such a place: that nothing reaches a disk makes it several times as fast. */
async function makeFolder(): Promise<string> {
  const dir = "/dev/shm";
  return await Deno.makeTempDir({ dir }).catch(() => Deno.makeTempDir());
}
