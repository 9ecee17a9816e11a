/** One application in a real isolate of workerd, and many HTTP requests to it: who waits for whom, and who dies. */
import { assert, assertEquals } from "@std/assert";
import { MODES, workerdTest } from "./token_scene.ts";
import type { TokenAnswer } from "./token_worker.ts";
import { until } from "./worker_host.ts";

/** How long a follower waits for a leader that may have died. */
const PATIENCE_MS = 2_000;

/** The one token that all have, or a complaint. */
function theToken(answers: readonly TokenAnswer[]): string {
  const tokens = new Set(
    answers.map(({ accessToken, error }) => accessToken ?? `no token: ${error?.message}`),
  );
  assertEquals(tokens.size, 1, [...tokens].join("\n"));
  const [token = ""] = tokens;
  assert(token.startsWith("ey"), token);
  return token;
}

for (const mode of MODES) {
  workerdTest("50 requests at once, cold, make one token request", mode, async ({ crowd, gate, stats }) => {
    const answers = await crowd("bound", 50);
    gate.open();
    theToken(await Promise.all(answers));
    assertEquals(gate.arrived.length, 1);
    const { envs, apps, nodeGlobals } = await stats();
    // The isolate has one env, so `perEnv` made one application.
    assertEquals([envs, apps], [1, 1]);
    assertEquals(nodeGlobals.includes("process"), mode === "nodejs_compat");
  });

  workerdTest("a leader with waitUntil may leave, its followers get its token", mode, async (scene) => {
    const { crowd, gate, leave, token } = scene;
    await leave("bound");
    const [plain, bound] = [await crowd("", 5), await crowd("bound", 5)];
    gate.open();
    const shared = theToken(await Promise.all([...plain, ...bound]));
    assertEquals(gate.arrived.length, 1);
    assertEquals((await token("bound")).accessToken, shared);
  });

  workerdTest("a leader without waitUntil may die, its followers ask themselves", mode, async (scene) => {
    const { crowd, gate, leave } = scene;
    await leave("");
    const answers = await crowd("", 10);
    gate.open();
    theToken(await Promise.all(answers));
    // The one that died, and one for all who had to ask.
    assertEquals(gate.arrived.length, 2);
  });
}

workerdTest("a hit sends nothing, in whichever request", "default", async ({ gate, token }) => {
  gate.open();
  const first = await token("bound");
  const second = await token("");
  assertEquals([first.tokenSource, second.tokenSource], ["identity_provider", "cache"]);
  assertEquals(second.accessToken, first.accessToken);
  assertEquals(gate.arrived.length, 1);
});

workerdTest("without waitUntil nobody hangs while all wait", "default", async ({ crowd, gate }) => {
  const answers = await crowd("", 50);
  gate.open();
  theToken(await Promise.all(answers));
  assertEquals(gate.arrived.length, 1);
});

workerdTest("a refresh that is due happens after the response", "default", async (scene) => {
  const { ahead, gate, stats, token } = scene;
  gate.open();
  const first = await token("bound");
  gate.shut();
  await ahead(3_700_000);
  // The gate holds the refresh, and without waitUntil this answer would wait for it as long as patience lasts.
  const served = await token("bound", PATIENCE_MS);
  assertEquals([served.accessToken, served.tokenSource], [first.accessToken, "cache"]);
  assertEquals(served.refreshReason, "proactive_refresh");
  await until("the refresh has been sent", () => gate.arrived.length === 2);
  gate.open();
  await until("it has arrived", async () => (await token("bound")).accessToken !== first.accessToken);
  assertEquals([gate.arrived.length, (await stats()).refreshFailures], [2, []]);
});

workerdTest("ctx.waitUntil without its object is named as the mistake", "default", async ({ token }) => {
  const { error } = await token("unbound");
  assertEquals([error?.name, error?.code], ["ClientConfigurationError", "invalid_option"]);
  assert(error?.message.includes("(promise) => ctx.waitUntil(promise)"), error?.message);
});

workerdTest("constructing at module scope is allowed", "default", async ({ constructed, gate }) => {
  // That the Worker answers at all shows that neither entry does anything when it is imported.
  assertEquals(await constructed(), {
    clientId: "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924",
    authority: "https://login.microsoftonline.com/common",
  });
  assertEquals(gate.arrived, []);
});
