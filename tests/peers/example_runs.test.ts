/** The command lines of the examples, one run after the other: who signed in stays so. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { declareTenant } from "../../examples/shared/local_tenant.ts";
import type { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { type ExampleProgram, onBun, onDeno } from "./example_program.ts";

/** A tenant that outlives the programs, and a directory for what they keep. */
interface Scene {
  readonly authority: LocalAuthority;
  readonly state: string;
  /** What sends a program to both. */
  readonly env: Record<string, string>;
  /** Starts the program. */
  run(...args: string[]): ExampleProgram;
}

type Start = (env: Record<string, string>, ...args: string[]) => ExampleProgram;
/** Does what the user does. */
type SignIn = (scene: Scene, program: ExampleProgram) => Promise<void>;

const HELLO = /Hello Alex Doe, you are alex@contoso\.onmicrosoft\.com\n$/;
const REMEMBERED = /^Signed in as alex@contoso\.onmicrosoft\.com since an earlier run\n/;

async function typeCode({ authority }: Scene, program: ExampleProgram): Promise<void> {
  const [, code = ""] = await program.printed(/enter the code (\S+)/);
  authority.approveDevice(code);
}

async function followLink({ authority }: Scene, program: ExampleProgram): Promise<void> {
  const [, url = ""] = await program.printed(/open this address in a browser on this machine: (\S+)/);
  const { request } = await authority.signIn(url);
  const response = await fetch(request());
  await response.body?.cancel();
  assertEquals(response.status, 200);
}

const PROGRAMS: Readonly<Record<string, readonly [Start, SignIn]>> = {
  "the device example on Deno": [(...args) => onDeno("examples/deno/device_cli.ts", ...args), typeCode],
  "the device example on Bun": [(...args) => onBun("examples/bun/device_cli.ts", ...args), typeCode],
  "the interactive example on Deno": [
    (...args) => onDeno("examples/deno/interactive_cli.ts", ...args),
    followLink,
  ],
};

async function inScene(start: Start, body: (scene: Scene) => Promise<void>): Promise<void> {
  const authority = declareTenant();
  const server = await authority.serve(Deno);
  const state = await Deno.makeTempDir();
  const env = { LOCAL_TENANT: server.origin, XDG_STATE_HOME: state };
  try {
    await body({ authority, state, env, run: (...args) => start(env, ...args) });
  } finally {
    await server.close();
    await Deno.remove(state, { recursive: true });
  }
}

/** Runs the program to its end, which has to be a good one, and gives what it printed. */
async function outputOf(program: ExampleProgram, act: () => Promise<void> = async () => {}): Promise<string> {
  await using running = program;
  await act();
  assertEquals(await running.ended(), 0, running.output);
  assert(!running.output.includes("eyJ"));
  return running.output;
}

async function firstRun(scene: Scene, signIn: SignIn): Promise<string> {
  const program = scene.run();
  return await outputOf(program, () => signIn(scene, program));
}

/** What arrived since, by kind. */
function requestsTo(authority: LocalAuthority): string[] {
  const kinds = authority.requests.map(({ kind, grantType }) => grantType ?? kind);
  authority.clearRequests();
  return kinds;
}

async function textsIn(directory: string): Promise<string> {
  let all = "";
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    all += entry.isDirectory ? await textsIn(path) : await Deno.readTextFile(path);
  }
  return all;
}

for (const [name, [start, signIn]] of Object.entries(PROGRAMS)) {
  test(`${name} signs in once: the next run asks the user and the authority for nothing`, () =>
    inScene(start, async (scene) => {
      assertMatch(await firstRun(scene, signIn), HELLO);
      assert(requestsTo(scene.authority).length > 2);
      const output = await outputOf(scene.run());
      assertMatch(output, REMEMBERED);
      assertMatch(output, HELLO);
      // Graph's answer is all that is needed.
      assertEquals(requestsTo(scene.authority), ["api"]);
    }));

  test(`${name} asks again after --sign-out, and nothing of the user is left`, () =>
    inScene(start, async (scene) => {
      await firstRun(scene, signIn);
      requestsTo(scene.authority);
      assertEquals(await outputOf(scene.run("--sign-out")), "Signed out alex@contoso.onmicrosoft.com\n");
      assertEquals(requestsTo(scene.authority), []);
      assert(!/eyJ|alex|Alex/.test(await textsIn(scene.state)));
      assertEquals(await outputOf(scene.run("--sign-out")), "Nobody is signed in\n");
      const output = await firstRun(scene, signIn);
      assert(!REMEMBERED.test(output));
      assertMatch(output, HELLO);
    }));
}

const [startDevice, signInDevice] = PROGRAMS["the device example on Bun"]!;

test("two first runs at once both sign in, and leave one user who is remembered", () =>
  inScene(startDevice, async (scene) => {
    for (const output of await Promise.all([firstRun(scene, signInDevice), firstRun(scene, signInDevice)])) {
      assertMatch(output, HELLO);
      assert(!/cache_failed/.test(output), output);
    }
    const outputs = await Promise.all([outputOf(scene.run()), outputOf(scene.run()), outputOf(scene.run())]);
    for (const output of outputs) assertMatch(output, REMEMBERED);
  }));

test("a program on Deno uses the sign-in of one on Bun, and signs out for it", () =>
  inScene(startDevice, async (scene) => {
    await firstRun(scene, signInDevice);
    const onOther = (...args: string[]) => onDeno("examples/deno/interactive_cli.ts", scene.env, ...args);
    assertMatch(await outputOf(onOther()), REMEMBERED);
    await outputOf(onOther("--sign-out"));
    assertEquals(await outputOf(scene.run("--sign-out")), "Nobody is signed in\n");
  }));

test("whoever was signed out at the authority has to sign in again, and is told so", () =>
  inScene(startDevice, async (scene) => {
    await firstRun(scene, signInDevice);
    scene.authority.revokeSessions("alex@contoso.onmicrosoft.com", { refreshTokens: true });
    const output = await firstRun(scene, signInDevice);
    assertMatch(output, REMEMBERED);
    assertMatch(output, /^alex@contoso\.onmicrosoft\.com has to sign in again\n/m);
    assertMatch(output, HELLO);
    // And that is that.
    assertMatch(await outputOf(scene.run()), HELLO);
  }));

test("where nothing can be kept the user is told, signs in, and has to do so each time", () =>
  inScene((env, ...args) => startDevice({ ...env, XDG_STATE_HOME: "/sys" }, ...args), async (scene) => {
    for (let runs = 0; runs < 2; runs++) {
      const output = await firstRun(scene, signInDevice);
      assertMatch(output, HELLO);
      assertMatch(output, /cache_failed .*cache_write_failed: .* Cannot write the files: /);
    }
  }));

test("a directory that others can write to ends the program before anybody signs in", () =>
  inScene(startDevice, async (scene) => {
    await Deno.mkdir(`${scene.state}/msal-edge-example/msal`, { recursive: true });
    await Deno.chmod(`${scene.state}/msal-edge-example/msal`, 0o777);
    await using program = scene.run();
    assertEquals(await program.ended(), 1);
    assertMatch(program.output, /^invalid_option: .* others can write to it\. Run chmod 700 on it \[/);
  }));
