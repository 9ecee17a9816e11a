/**
 * Chaos: eight writers in two Workers over one store that is late, old, forgetful and down.
 *
 * `CHAOS_SEED` runs a seed again, `CHAOS_OPERATIONS` takes longer:
 *
 * ```sh
 * CHAOS_SEED=123 CHAOS_OPERATIONS=10 deno task test --on peers chaos
 * ```
 *
 * @module
 */
import { assert } from "@std/assert";
import { judge } from "./chaos_oracle.ts";
import { runChaos } from "./chaos_run.ts";
import { CALM, type Rates, type Scene } from "./chaos_wire.ts";

// In CI always the same one: what it finds must be of the change, not of the day.
const SEED = Number(Deno.env.get("CHAOS_SEED") ?? (Deno.env.has("CI") ? 20_261_122 : Date.now() % 2 ** 31));
const TIMES = Number(Deno.env.get("CHAOS_OPERATIONS") ?? 1);

/** Slow, and sometimes gone. */
const SLOW: Rates = { ...CALM, delayMs: 100, refuses: 0.02 };
const FAULTY: Rates = { ...SLOW, throws: 0.02, late: 0.005, restarts: 0.01 };
/** As Workers KV is on a bad day. */
const OLD: Rates = { ...SLOW, refuses: 0, stale: 0.3, negative: 0.3, restarts: 0.01 };
const OLD_AND_FAULTY: Rates = { ...FAULTY, stale: 0.2, negative: 0.2 };

const SCENES: Readonly<Record<string, Scene>> = {
  "Durable Objects, refresh tokens that last": {
    store: "do",
    issuer: "reusable",
    rates: SLOW,
    operations: 2_000,
  },
  "R-112 Durable Objects, refresh tokens that count once": {
    store: "do",
    issuer: "rotating",
    rates: SLOW,
    operations: 2_500,
  },
  "Durable Objects that fail, and isolates that die": {
    store: "do",
    issuer: "rotating",
    rates: FAULTY,
    operations: 1_500,
  },
  "R-107 Workers KV, a minute behind": { store: "kv", issuer: "reusable", rates: OLD, operations: 2_000 },
  "Workers KV that fails, too": { store: "kv", issuer: "reusable", rates: OLD_AND_FAULTY, operations: 1_000 },
  "Workers KV, refresh tokens that count once": {
    store: "kv",
    issuer: "rotating",
    rates: OLD,
    operations: 1_000,
  },
};

for (const [name, scene] of Object.entries(SCENES)) {
  Deno.test({
    name: `chaos: ${name}`,
    // Miniflare leaves a message port, a timer and the removal of a file behind.
    sanitizeOps: false,
    sanitizeResources: false,
    timeout: 600_000,
    async fn() {
      const run = await runChaos({ ...scene, operations: scene.operations * TIMES }, SEED);
      const { record, violations } = judge(run);
      const [first] = violations;
      const grants = record.grants.length;
      console.log(
        `seed ${SEED}: ${record.deeds.length} operations, ${grants} grants, ${run.log.length} events`,
      );
      const story = first && record.story(first.owner, first.atMs + 10_000);
      const told = violations.slice(0, 5).map(({ rule, owner, what }) => `${rule} (${owner}): ${what}`);
      assert(
        first === undefined,
        `CHAOS_SEED=${SEED} shows ${violations.length} violations:\n${told.join("\n")}\n${story}`,
      );
    },
  });
}
