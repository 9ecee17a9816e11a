/**
 * What happens to a file store over time: who comes at the same moment, and what is left behind.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { mkdir, readdir, utimes, writeFile } from "node:fs/promises";
import { FileStore } from "../../src/host/mod.ts";
import { FileCell, newMark } from "../../src/host/file_cell.ts";
import { inDirectory, onlyFile, soon } from "./file_scene.ts";
import type { HostCase } from "./host_http.ts";

const DAY_MS = 86_400_000;

/** Looks twice at one state, and lets both act on it. */
const races: HostCase[] = [
  ["of two who saw the same state one changes it, whatever it was", () =>
    inDirectory(async ({ parent }) => {
      const cell = new FileCell(parent, "cell");
      for (const round of ["empty", "held", "held"]) {
        const seen = await cell.look();
        assertEquals(seen.mark === undefined, round === "empty");
        const marks = [newMark(1), newMark(2)];
        const done = await Promise.all(marks.map((mark) => cell.replace(seen, mark, `${mark.endsAtMs}`)));
        assertEquals(done.filter(Boolean).length, 1);
        const winner = marks[done.indexOf(true)];
        assertEquals((await cell.look()).mark, winner);
        assertEquals(await cell.value(winner!), `${winner?.endsAtMs}`);
      }
    })],
  ["who was stopped between looking and writing changes nothing", () =>
    inDirectory(async ({ parent }) => {
      const cell = new FileCell(parent, "cell");
      await cell.replace(await cell.look(), newMark(1), "first");
      const old = await cell.look();
      await cell.replace(old, newMark(2), "second");
      assertEquals(await cell.replace(old, newMark(3), "stale"), false);
      assertEquals(await cell.remove(old.mark!), false);
      const seen = await cell.look();
      assertEquals([await cell.value(seen.mark!), seen.rest.length], ["second", 1]);
      await cell.remove(seen.mark!);
      assertEquals(await cell.replace(seen, newMark(4), "stale"), false);
      assertEquals(await readdir(parent), []);
    })],
  ["a stale lease is taken over by one of 20", () =>
    inDirectory(async ({ directory, store }) => {
      await new FileStore(directory, { clock: at(-DAY_MS) }).lock("key", 60_000);
      const leases = await Promise.all(Array.from({ length: 20 }, () => store.lock("key", 60_000)));
      assertEquals(leases.filter(Boolean).length, 1);
    })],
  [
    "what a killed writer left behind is removed by a later one, and a young writer's work is not",
    () =>
      inDirectory(async ({ store, directory }) => {
        await store.set("key", "text", soon());
        const { cell } = await onlyFile(directory);
        const hourAgo = Date.now() / 1000 - 3_600;
        for (const [digit, time] of [["a", hourAgo], ["b", Date.now() / 1000]] as const) {
          await writeFile(`${cell}/${digit.repeat(32)}.value`, "half");
          await utimes(`${cell}/${digit.repeat(32)}.value`, time, time);
        }
        await store.set("key", "more", soon());
        const names = (await readdir(cell)).filter((name) => name.endsWith(".value"));
        assertEquals([names.includes(`${"a".repeat(32)}.value`), names.length], [false, 2]);
        assert(names.includes(`${"b".repeat(32)}.value`));
      }),
  ],
];

function at(offsetMs: number): { now(): number; setTimeout(): undefined; clearTimeout(): void } {
  return { now: () => Date.now() + offsetMs, setTimeout: () => undefined, clearTimeout: () => {} };
}

const sweeps: HostCase[] = [
  [
    "what has expired is removed at a write, some of it once a minute, and nothing else is",
    () =>
      inDirectory(async ({ directory }) => {
        let offsetMs = -DAY_MS;
        const store = new FileStore(directory, { clock: { ...at(0), now: () => Date.now() + offsetMs } });
        for (let n = 0; n < 40; n++) {
          await store.set(`old.${n}`, "text", { expiresAtMs: Date.now() - DAY_MS / 2 });
          if (n < 4) await store.lock(`old.${n}`, 60_000);
        }
        await store.set("lasting", "text", soon());
        await mkdir(`${directory}/aside-1`);
        await utimes(`${directory}/aside-1`, 1, 1);
        await mkdir(`${directory}/aside-2`);
        await writeFile(`${directory}/README`, "somebody's");
        const count = async (): Promise<number> => (await readdir(directory)).length;
        assertEquals(await count(), 48);
        offsetMs = 0;
        await store.set("lasting", "more", soon());
        const left = await count();
        assert(left >= 48 - 32 && left < 48 - 20, `${left} are left`);
        await store.set("lasting", "still", soon());
        assertEquals(await count(), left);
        for (let n = 0; n < 20; n++) {
          offsetMs += 60_000;
          await store.set("lasting", "still", soon());
        }
        assertEquals((await readdir(directory)).filter((name) => name.length < 32).sort(), [
          "README",
          "aside-2",
        ]);
        assertEquals(await count(), 3);
        assertEquals((await store.get("lasting"))?.value, "still");
      }),
  ],
];

/** The cases. */
export const raceCases: readonly HostCase[] = [...races, ...sweeps];
