/**
 * Where a file store is, for every runtime.
 *
 * @module
 */
import { assertEquals, assertMatch } from "@std/assert";
import { FileStore } from "../../src/host/mod.ts";
import { userStateDirectory } from "../../src/host/user_state.ts";
import { faultOf, inDirectory } from "./file_scene.ts";
import type { HostCase } from "./host_http.ts";

const variables = (all: Record<string, string>) => (name: string): string | undefined => all[name];

function placeOn(platform: string, all: Record<string, string>, name: string = "my-tool"): string {
  return userStateDirectory(name, { platform, variable: variables(all) });
}

/** The cases. */
export const placeCases: readonly HostCase[] = [
  ["the user's state is where each system has it", () =>
    settled(() => {
      const HOME = "/users/alex";
      const local = "C:\\Users\\alex\\AppData\\Local";
      assertEquals(placeOn("linux", { HOME }), "/users/alex/.local/state/my-tool/msal");
      assertEquals(placeOn("linux", { HOME, XDG_STATE_HOME: "/state" }), "/state/my-tool/msal");
      assertEquals(
        placeOn("freebsd", { HOME, XDG_STATE_HOME: "state" }),
        "/users/alex/.local/state/my-tool/msal",
      );
      assertEquals(placeOn("linux", { XDG_STATE_HOME: "/state" }), "/state/my-tool/msal");
      assertEquals(
        placeOn("darwin", { HOME, XDG_STATE_HOME: "/state" }),
        "/users/alex/Library/Application Support/my-tool/msal",
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
