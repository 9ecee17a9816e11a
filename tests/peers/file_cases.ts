/**
 * What a file store does with the file system, for every runtime that has one.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from "node:fs/promises";
import { FileStore } from "../../src/host/mod.ts";
import { testStoreContract } from "../support/store_contract.ts";
import { modeCases } from "./file_mode_cases.ts";
import { placeCases } from "./file_place_cases.ts";
import { raceCases } from "./file_race_cases.ts";
import { inDirectory, onlyFile, openDirectory, soon } from "./file_scene.ts";
import type { HostCase } from "./host_http.ts";

const contract: HostCase[] = [];
testStoreContract("files", true, () => openDirectory(), {
  locks: true,
  test: (name, body) => void contract.push([name, async () => await body()]),
});

const DAY_MS = 86_400_000;

/** What may be in the place of a value's file. */
const DAMAGES: Readonly<Record<string, (file: string) => Promise<void>>> = {
  "cut off": (file) => truncate(file, 90),
  "empty": (file) => truncate(file, 0),
  "all zeros": async (file) => await writeFile(file, new Uint8Array((await stat(file)).size)),
  "changed by one letter": async (file) => {
    await writeFile(file, (await readFile(file, "utf8")).replace("the text", "the next"));
  },
  "somebody else's": (file) => writeFile(file, '{"AccessToken":{}}'),
  "of another version": async (file) => {
    await writeFile(file, (await readFile(file, "utf8")).replace("msal-edge 1", "msal-edge 2"));
  },
  "gone": (file) => rm(file),
  "a directory": async (file) => {
    await rm(file);
    await mkdir(file);
  },
};

/** What may be in the place of a key's directory. */
const FOREIGN: Readonly<Record<string, (cell: string, parent: string) => Promise<void>>> = {
  "a file": (cell) => writeFile(cell, "not a cell"),
  "a directory of somebody else's": async (cell) => {
    await mkdir(`${cell}/inner`, { recursive: true });
    await writeFile(`${cell}/inner/file`, "kept");
  },
  "a directory of two marks": async (cell) => {
    await mkdir(cell);
    for (const digit of ["a", "b"]) {
      await writeFile(`${cell}/${digit.repeat(32)}-${Date.now() + DAY_MS}`, "");
    }
  },
  "a value without a mark": async (cell) => {
    await mkdir(cell);
    await writeFile(`${cell}/${"a".repeat(32)}.value`, "left by a process that was killed");
  },
  "a link that leads nowhere": (cell) => symlink(`${cell}-nowhere`, cell),
};

const damages: HostCase[] = Object.entries(DAMAGES).map(([what, damage]) => [
  `a value whose file is ${what} is a miss, and can be overwritten`,
  () =>
    inDirectory(async ({ store, directory }) => {
      const { version = "" } = await store.set("key", "the text", soon());
      await damage((await onlyFile(directory)).file);
      assertEquals(await store.get("key"), undefined);
      assertEquals((await store.set("key", "new", { ...soon(), ifVersion: null })).ok, true);
      assertEquals((await store.get("key"))?.value, "new");
      assertEquals((await store.set("key", "stale", { ...soon(), ifVersion: version })).ok, false);
    }),
]);

const foreign: HostCase[] = Object.entries(FOREIGN).map(([what, plant]) => [
  `where ${what} has the name of a key there is a miss, and room for a value`,
  () =>
    inDirectory(async ({ store, directory, parent }) => {
      await store.set("key", "old", soon());
      const { cell } = await onlyFile(directory);
      await rm(cell, { recursive: true });
      await plant(cell, parent);
      assertEquals(await store.get("key"), undefined);
      assertEquals((await store.set("key", "new", { ...soon(), ifVersion: null })).ok, true);
      assertEquals((await store.get("key"))?.value, "new");
      await store.delete("key");
      assertEquals(await store.get("key"), undefined);
    }),
]);

const links: HostCase[] = [
  [
    "a link planted for a key is not followed, and what it leads to stays",
    () =>
      inDirectory(async ({ store, directory, parent }) => {
        await store.set("key", "secret", soon());
        const { cell } = await onlyFile(directory);
        await rename(cell, `${parent}/elsewhere`);
        await writeFile(`${parent}/elsewhere/precious`, "precious");
        await symlink(`${parent}/elsewhere`, cell);
        const before = await readdir(`${parent}/elsewhere`);
        assertEquals(await store.get("key"), undefined);
        await store.set("key", "new", soon());
        assertEquals((await store.get("key"))?.value, "new");
        assertEquals(await readdir(`${parent}/elsewhere`), before);
      }),
  ],
  ["the directory itself may be behind a link of the user's own", () =>
    inDirectory(async ({ parent }) => {
      await mkdir(`${parent}/real`, { mode: 0o700 });
      await symlink(`${parent}/real`, `${parent}/link`);
      const store = new FileStore(`${parent}/link`);
      await store.check();
      await store.set("key", "text", soon());
      assertEquals((await new FileStore(`${parent}/real`).get("key"))?.value, "text");
    })],
];

/** Every case, in order. */
export const fileCases: readonly HostCase[] = [
  ...contract,
  ...damages,
  ...foreign,
  ...links,
  ...modeCases,
  ...raceCases,
  ...placeCases,
];
