/**
 * Who may do what in a file store, and what goes wrong with it.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { chmod, mkdir, readdir, rm, stat, writeFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { FileStore } from "../../src/host/mod.ts";
import { faultOf, inDirectory, modesIn, onlyFile, soon } from "./file_scene.ts";
import type { HostCase } from "./host_http.ts";

const modes: HostCase[] = [
  ["directories have mode 0700 and files 0600", () =>
    inDirectory(async ({ store, parent, directory }) => {
      await store.set("key", "text", soon());
      await store.set("key", "more", soon());
      await store.lock("key", 60_000);
      assertEquals([...new Set(await modesIn(directory))].sort(), ["d700", "f600"]);
      const deep = new FileStore(`${parent}/a/b/c`);
      await deep.set("key", "text", soon());
      assertEquals((await stat(`${parent}/a/b`)).mode & 0o777, 0o700);
    })],
  [
    "a file, and a directory of a key, that others may use are theirs no longer once they are read",
    () =>
      inDirectory(async ({ store, directory }) => {
        await store.set("key", "text", soon());
        const { file, cell } = await onlyFile(directory);
        await chmod(file, 0o666);
        await chmod(cell, 0o755);
        assertEquals((await store.get("key"))?.value, "text");
        assertEquals([(await stat(file)).mode & 0o777, (await stat(cell)).mode & 0o777], [0o600, 0o700]);
      }),
  ],
  ["a directory that others can only read is accepted", () =>
    inDirectory(async ({ store, directory }) => {
      await mkdir(directory, { mode: 0o755 });
      await store.check();
      assertEquals((await store.set("key", "text", soon())).ok, true);
    })],
  [
    "a directory that others can write to is refused by every method, and the message says what to do",
    () =>
      inDirectory(async ({ store, directory }) => {
        await mkdir(directory);
        for (const mode of [0o777, 0o770, 0o702, 0o1777]) {
          await chmod(directory, mode);
          const calls = [
            () => store.check(),
            () => store.get("key"),
            () => store.set("key", "text", soon()),
            () => store.delete("key"),
            () => store.lock("key", 1_000),
          ];
          const why = "invalid_option: Cannot use directory: others can write to it. Run chmod 700 on it";
          for (const call of calls) assertEquals(await faultOf(call), why);
        }
        assertEquals(await readdir(directory), []);
        await chmod(directory, 0o700);
        await store.check();
      }),
  ],
];

const faults: HostCase[] = [
  ["what is no directory is refused", () =>
    inDirectory(async ({ store, directory }) => {
      await writeFile(directory, "");
      const why = "invalid_option: Cannot use directory: it is a file. Give another path";
      assertEquals(await faultOf(() => store.check()), why);
    })],
  ["a failure has a code and a reason, and no path, key or text", () =>
    inDirectory(async ({ parent }) => {
      await writeFile(`${parent}/file`, "");
      const store = new FileStore(`${parent}/file/store`);
      const reason = "a part of its path is no directory (ENOTDIR)";
      const set = () => store.set("a.user@contoso.example", "secret", soon());
      assertEquals(await faultOf(set), `cache_write_failed: Cannot write the files: ${reason}`);
      assertEquals(
        await faultOf(() => store.get("key")),
        `cache_read_failed: Cannot read the files: ${reason}`,
      );
      assertMatch(await faultOf(() => store.lock("key", 1_000)), /^cache_lock_failed: /);
      // It is broken, not dangerous.
      await store.check();
    })],
  ["reading and deleting make no directory", () =>
    inDirectory(async ({ store, parent }) => {
      assertEquals(await store.get("key"), undefined);
      await store.delete("key");
      await store.check();
      assertEquals(await readdir(parent), []);
    })],
  ["a directory that vanishes is made again", () =>
    inDirectory(async ({ store, directory }) => {
      await store.set("key", "text", soon());
      await rm(directory, { recursive: true });
      assertEquals(await store.get("key"), undefined);
      assertEquals((await store.set("key", "again", soon())).ok, true);
      assertEquals((await store.get("key"))?.value, "again");
    })],
  [
    "a directory is named by a path or a file: URL, and by nothing else",
    () =>
      inDirectory(async ({ store, directory }) => {
        await store.set("key", "text", soon());
        assertEquals((await new FileStore(pathToFileURL(directory)).get("key"))?.value, "text");
        const wrong = [
          "",
          "a\0b",
          undefined,
          1,
          new URL("https://example.com/"),
          new URL("file://server/share"),
        ];
        for (const one of wrong) {
          const why = await faultOf(() => Promise.resolve(new FileStore(one as string)));
          assertEquals(why, "invalid_option: Cannot use directory: give a path or a file: URL");
        }
      }),
  ],
  ["nothing shows the key or the text in a name", () =>
    inDirectory(async ({ store, directory }) => {
      await store.set("alex@contoso.example", "secret", soon());
      const names = (await readdir(directory, { recursive: true })).join("\n");
      assert(!/alex|secret/.test(names));
      assert(!JSON.stringify(store).includes(directory));
    })],
];

/** The cases. */
export const modeCases: readonly HostCase[] = [...modes, ...faults];
