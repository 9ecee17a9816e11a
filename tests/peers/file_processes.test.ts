/** Processes on Deno, Bun and Node that share one file store. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { FileStore } from "../../src/host/mod.ts";
import { root } from "../support/bundle.ts";
import { runCommand } from "../support/child.ts";
import { onBun, onDeno, onNode, type Started } from "./elsewhere.ts";
import { type FileScene, inDirectory, modesIn, soon } from "./file_scene.ts";

const FILE = "tests/peers/file_program.ts";

/** Registers a test with a store and the program on every runtime. */
function sharing(
  name: string,
  body: (scene: FileScene, programs: readonly Started[]) => Promise<void>,
): void {
  Deno.test({
    name: `file store: ${name}`,
    fn: () => onNode(FILE, (node) => inDirectory((scene) => body(scene, [onDeno(FILE), onBun(FILE), node]))),
    timeout: 120_000,
  });
}

/** Runs a program to its end, and gives what it printed. */
async function run([command, ...args]: Started, ...more: string[]): Promise<string[]> {
  const lines: string[] = [];
  const trouble = await runCommand({ command, args: [...args, ...more] }, (line) => void lines.push(line));
  assertEquals(trouble, undefined, lines.join("\n"));
  return lines;
}

/** Eight processes, on all runtimes. */
function eight(programs: readonly Started[], ...more: string[]): Promise<string[][]> {
  return Promise.all(Array.from({ length: 8 }, (_, n) => run(programs[n % 3]!, ...more)));
}

sharing("R-112 8 processes add 200 each, and none is lost", async ({ store, directory }, programs) => {
  await eight(programs, directory, "add", "200");
  assertEquals((await store.get("counter"))?.value, "1600");
});

sharing("what 8 processes do under one lock, they do one after the other", async (scene, programs) => {
  await Deno.mkdir(scene.directory, { mode: 0o700 });
  await eight(programs, scene.directory, "addLocked", "10");
  assertEquals(await Deno.readTextFile(`${scene.directory}/plain`), "80");
});

sharing(
  "each of 100 leases that were left behind is taken over by one of 8 processes",
  async (scene, programs) => {
    const { directory } = scene;
    const clock = { now: () => Date.now() - 3_600_000, setTimeout: () => 0, clearTimeout: () => {} };
    const earlier = new FileStore(directory, { clock });
    for (let n = 0; n < 100; n++) assert(await earlier.lock(`left.${n}`, 60_000));
    await eight(programs, directory, "steal", "100");
    const stolen = (await Deno.readTextFile(`${directory}/stolen`)).trim().split("\n").map(Number);
    assertEquals(stolen.sort((a, b) => a - b), Array.from({ length: 100 }, (_, n) => n));
  },
);

sharing(
  "a process that is killed while it writes leaves the old text or the new",
  async (scene, programs) => {
    const { store, directory } = scene;
    let next = 0;
    for (let round = 0; round < 12; round++) {
      const last = await killedAfter(programs[round % 3]!, [directory, "write", `${next}`], round);
      const [, number, rest = ""] = /^(\d+):(x+)$/.exec((await store.get("text"))?.value ?? "") ?? [];
      assert(Number(number) === last || Number(number) === last + 1, `${number} after ${last}`);
      assertEquals(rest.length, 2 ** 20 + Number(number));
      next = Number(number) + 1;
    }
    const held = await store.get("text");
    assertEquals((await store.set("text", "short", { ...soon(), ifVersion: held!.version! })).ok, true);
  },
);

/** Lets a program write some texts, kills it in the middle of another, and gives the number of the last that is done. */
async function killedAfter([command, ...args]: Started, more: string[], round: number): Promise<number> {
  const child = new Deno.Command(command, { args: [...args, ...more], cwd: root, stdout: "piped" }).spawn();
  let output = "";
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    const isFirst = output === "";
    output += text;
    if (isFirst) setTimeout(() => child.kill("SIGKILL"), 3 * round);
  }
  assertEquals((await child.status).signal, "SIGKILL");
  const written = [...output.matchAll(/^written (\d+)$/gm)];
  return Number(written.at(-1)![1]);
}

sharing("with umask 000, too, directories have mode 0700 and files 0600", async ({ directory }, programs) => {
  for (const program of programs) {
    const shell = ["sh", "-c", 'umask 000; exec "$@"', "sh"] as const;
    assertEquals(await run([...shell, ...program], directory, "set", "text"), ["set", "text"]);
    assertEquals([...new Set(await modesIn(directory))].sort(), ["d700", "f600"]);
    await Deno.remove(directory, { recursive: true });
  }
});

sharing(
  "a disk that takes nothing more is an error with a code, and the old text stays",
  async (scene, programs) => {
    const { store, directory } = scene;
    await store.set("text", "old", soon());
    // Deno itself writes files when it starts.
    for (const program of programs.slice(1)) {
      const shell = ["sh", "-c", `trap "" XFSZ; ulimit -f 0; exec "$@"`, "sh"] as const;
      const [error = "", text] = await run([...shell, ...program], directory, "set", "new");
      assertMatch(
        error,
        /^cache_write_failed: Cannot write the files: a file may not be as large \(EFBIG\)$/,
      );
      assertEquals(text, "old");
    }
    const names = await Array.fromAsync(Deno.readDir(directory), ({ name }) => name);
    assertEquals(names.length, 1);
    assertEquals((await store.set("text", "new", soon())).ok, true);
  },
);
