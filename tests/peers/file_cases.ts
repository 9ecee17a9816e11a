/**
 * What a file store does with the file system, for every runtime that has one.
 *
 * @module
 */
import { assert, assertEquals, assertMatch } from "@std/assert";
import {
  chmod,
  mkdir,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  utimes,
  writeFile,
} from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { FileStore } from "../../src/host/mod.ts";
import { FileCell, newMark } from "../../src/host/file_cell.ts";
import { userStateDirectory } from "../../src/host/user_state.ts";
import { testStoreContract } from "../support/store_contract.ts";
import { faultOf, inDirectory, modesIn, onlyFile, openDirectory, soon } from "./file_scene.ts";
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

const variables = (all: Record<string, string>) => (name: string): string | undefined => all[name];

function placeOn(platform: string, all: Record<string, string>, name: string = "my-tool"): string {
  return userStateDirectory(name, { platform, variable: variables(all) });
}

const places: HostCase[] = [
  ["the user's state is where each system has it", () =>
    settled(() => {
      const HOME = "/home/alex";
      const local = "C:\\Users\\alex\\AppData\\Local";
      assertEquals(placeOn("linux", { HOME }), "/home/alex/.local/state/my-tool/msal");
      assertEquals(placeOn("linux", { HOME, XDG_STATE_HOME: "/state" }), "/state/my-tool/msal");
      assertEquals(
        placeOn("freebsd", { HOME, XDG_STATE_HOME: "state" }),
        "/home/alex/.local/state/my-tool/msal",
      );
      assertEquals(placeOn("linux", { XDG_STATE_HOME: "/state" }), "/state/my-tool/msal");
      assertEquals(
        placeOn("darwin", { HOME, XDG_STATE_HOME: "/state" }),
        "/home/alex/Library/Application Support/my-tool/msal",
      );
      assertEquals(placeOn("win32", { HOME, LOCALAPPDATA: local }), `${local}\\my-tool\\msal`);
    })],
  ["where the environment names no place it is refused, and the place is not guessed", async () => {
    for (const platform of ["linux", "darwin", "win32"]) {
      for (const value of ["", "relative", "..\\up"]) {
        const why = await faultOf(() =>
          settled(() => placeOn(platform, { HOME: value, LOCALAPPDATA: value }))
        );
        assertMatch(
          why,
          /^invalid_option: Cannot use name: (HOME|LOCALAPPDATA) is not set to a full path, so/,
        );
      }
    }
  }],
  ["the name of a program is one name on every system", async () => {
    const wrong = [
      "",
      ".",
      "..",
      "a/b",
      "a\\b",
      "../a",
      "a.",
      "-a",
      "a b",
      "CON",
      "nul.txt",
      "com1",
      "ä",
      "a".repeat(65),
    ];
    for (const name of [...wrong, undefined, 1]) {
      const why = await faultOf(() => settled(() => FileStore.inUserState(name as string)));
      assertMatch(why, /^invalid_option: Cannot use name: give the program's name/);
    }
    for (const name of ["a", "my-tool", "my_tool.2", "console", "a".repeat(64)]) {
      assertEquals(placeOn("linux", { HOME: "/h" }, name), `/h/.local/state/${name}/msal`);
    }
  }],
  [
    "a store of the user's own is private, and one that is said to be shared is not",
    () =>
      inDirectory(async ({ store, directory }) => {
        assertEquals([store.isPrivate, store.directory], [true, directory]);
        assertEquals(new FileStore(directory, { isPrivate: false }).isPrivate, false);
        await Promise.resolve();
      }),
  ],
];

function settled(body: () => unknown): Promise<void> {
  return Promise.resolve().then(() => void body());
}

/** Every case, in order. */
export const fileCases: readonly HostCase[] = [
  ...contract,
  ...damages,
  ...foreign,
  ...links,
  ...modes,
  ...faults,
  ...races,
  ...sweeps,
  ...places,
];
