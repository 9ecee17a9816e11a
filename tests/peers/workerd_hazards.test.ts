/** Mistakes and bad luck of one request in workerd: what they may cost the others. */
import { assert, assertEquals } from "@std/assert";
import { workerdTest } from "./token_scene.ts";

/** Patience, and what answering takes on a busy machine. */
const NO_HANG_MS = 6_000;

workerdTest("a request that passes an unbound waitUntil harms no other", "default", async (scene) => {
  const { gate, token } = scene;
  const { error } = await token("unbound");
  assertEquals(error?.code, "invalid_option");
  gate.open();
  const { accessToken } = await token("bound", NO_HANG_MS);
  assert(accessToken);
});

workerdTest('"detached" does not make a leader outlive its request', "default", async (scene) => {
  const { gate, leave, token } = scene;
  await leave("detached");
  gate.open();
  const { accessToken } = await token("bound", NO_HANG_MS);
  assert(accessToken);
});

workerdTest("without a navigator a dead leader is still given up", "no_global_navigator", async (scene) => {
  const { gate, leave, token } = scene;
  await leave("");
  gate.open();
  const { accessToken } = await token("bound", NO_HANG_MS);
  assert(accessToken);
});

workerdTest("an authority slower than followers are patient is not trampled", "default", async (scene) => {
  const { crowd, gate } = scene;
  const answers = await crowd("", 20);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  gate.open();
  for (const { accessToken } of await Promise.all(answers)) assert(accessToken);
  // A new leader for each two seconds that pass, and one more for a busy machine.
  assert(gate.arrived.length <= 3, `20 callers sent ${gate.arrived.length} token requests`);
});
