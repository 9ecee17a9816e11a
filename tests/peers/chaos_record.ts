/**
 * A chaos run in order: what each operation was, whose each key is, and what went wrong near it.
 *
 * @module
 */
import type { Run } from "./chaos_run.ts";
import { type Entry, type Grant, type Operation, type Outcome, scopeOf, type When } from "./chaos_wire.ts";

/** An operation, from its beginning to its end. */
export interface Deed extends When {
  readonly id: number;
  readonly operation: Operation;
  readonly owner: string;
  /** What came of it; absent where it never ended. */
  outcome?: Outcome;
  /** When its caller had the outcome. */
  endedMs?: number;
  /** When nothing of it went on any more. */
  overMs: number;
  isAbandoned: boolean;
}

/** A grant, and where and when it was asked for. */
export type Granted = Grant & When;

/** Whose an operation is. */
export function ownerOf(operation: Operation): string {
  if (operation.kind === "restart") return "";
  return operation.kind === "client" ? `tenant ${operation.tenant}` : `user ${operation.user}`;
}

/** A run, indexed. */
export class ChaosRecord {
  readonly run: Run;
  readonly deeds: readonly Deed[];
  readonly grants: readonly Granted[];
  readonly #deedsOf: ReadonlyMap<string, readonly Deed[]>;
  readonly #faults = new Map<string, Entry[]>();
  readonly #ownerOfKey: ReadonlyMap<string, string>;

  constructor(run: Run) {
    this.run = run;
    const deeds = new Map<number, Deed>();
    for (const entry of run.log) note(deeds, entry);
    this.deeds = [...deeds.values()];
    this.grants = run.log.flatMap((entry) => entry.what === "grant" ? [{ ...entry, ...entry.grant }] : []);
    this.#deedsOf = Map.groupBy(this.deeds, ({ owner }) => owner);
    this.#ownerOfKey = learn(run, deeds);
    for (const entry of run.log) {
      if (entry.what !== "fault") continue;
      const owner = this.#ownerOfKey.get(entry.key) ?? "";
      this.#faults.set(owner, [...this.#faults.get(owner) ?? [], entry]);
    }
  }

  /** The operations of an owner. */
  of(owner: string): readonly Deed[] {
    return this.#deedsOf.get(owner) ?? [];
  }

  /** Whether a store failed an owner, or an isolate was thrown away with an operation of theirs, between two moments. */
  isHurt(owner: string, fromMs: number, toMs: number): boolean {
    const isIn = (atMs: number): boolean => atMs >= fromMs && atMs <= toMs;
    return [owner, ""].some((one) =>
      this.#faults.get(one)?.some((entry) =>
        entry.what === "fault" && /threw|late/.test(entry.fault) && isIn(entry.atMs)
      )
    ) || this.of(owner).some(({ isAbandoned, overMs }) => isAbandoned && isIn(overMs));
  }

  /** What happened to an owner last before a moment, for people to read. */
  story(owner: string, untilMs: number): string {
    const ids = new Set(this.of(owner).map(({ id }) => id));
    const isTheirs = (entry: Entry): boolean =>
      "id" in entry
        ? ids.has(entry.id)
        : "key" in entry
        ? this.#ownerOfKey.get(entry.key) === owner
        : entry.what === "grant"
        ? entry.grant.owner === owner
        : false;
    const last = this.run.log.filter((entry) => entry.atMs <= untilMs && isTheirs(entry)).slice(-STORY);
    return last.map(({ atMs, side, isolate, ...happening }) => {
      const seconds = ((atMs - this.run.chaosMs) / 1000).toFixed(2);
      return `  ${seconds} ${side}#${isolate} ${JSON.stringify(happening)}`;
    }).join("\n");
  }

  /** The scope of an operation for a user, as the issuer is asked for it. */
  scopeOf(scope: number): string {
    return scopeOf(this.run.scene, scope);
  }
}

const STORY = 60;

function note(deeds: Map<number, Deed>, entry: Entry): void {
  if (entry.what === "begun") {
    const { id, operation, atMs, side, isolate } = entry;
    deeds.set(id, {
      id,
      operation,
      owner: ownerOf(operation),
      atMs,
      side,
      isolate,
      overMs: Infinity,
      isAbandoned: false,
    });
  }
  if (!("id" in entry)) return;
  const deed = deeds.get(entry.id)!;
  if (entry.what === "ended") Object.assign(deed, { outcome: entry.outcome, endedMs: entry.atMs });
  if (entry.what === "saved" || entry.what === "abandoned") deed.overMs = entry.atMs;
  if (entry.what === "abandoned") deed.isAbandoned = true;
}

/** Before the chaos everybody was alone with the store once. */
function learn({ log, chaosMs }: Run, deeds: ReadonlyMap<number, Deed>): Map<string, string> {
  const owners = new Map<string, string>();
  let owner = "";
  for (const entry of log) {
    if (entry.atMs > chaosMs) break;
    if (entry.what === "begun") owner = deeds.get(entry.id)!.owner;
    if ("key" in entry) owners.set(entry.key, owner);
  }
  return owners;
}
