/** The local authority behind real HTTP servers: those of Deno, of Bun and of workerd. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { allowInsecureLoopback, ConfidentialClientApplication, ServerError } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { root } from "../support/bundle.ts";
import { test } from "../support/suite.ts";
import { bundleWorker, startWorker } from "./worker_host.ts";

// Every authority without options is the same one.
const { tenantId, clientId, clientSecret, scope } = new LocalAuthority().defaults;

function appOf(origin: string, secret: string): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId,
    clientCredential: secret,
    authority: `${origin}/${tenantId}`,
    [allowInsecureLoopback]: true,
  });
}

/** The whole way of a token, over HTTP: asked for, handed out, accepted; and once refused. */
async function assertServes(origin: string): Promise<void> {
  const app = appOf(origin, clientSecret);
  const { accessToken, tokenSource } = await app.acquireTokenForClient({ scopes: [scope] });
  assertEquals(tokenSource, "identity_provider");
  const url = `${origin}/v1.0/organization`;
  const response = await fetch(url, { headers: { authorization: `Bearer ${accessToken}` } });
  assertEquals((await response.json()).value[0].displayName, "Contoso");
  const forged = accessToken.replace(/.$/, (last) => last === "A" ? "Q" : "A");
  const refused = await fetch(url, { headers: { authorization: `Bearer ${forged}` } });
  await refused.body?.cancel();
  assertEquals(refused.status, 401);
  const ask = () => appOf(origin, "not this one").acquireTokenForClient({ scopes: [scope] });
  const error = await assertRejects(ask, ServerError);
  assertEquals([error.error, error.errorCodes], ["invalid_client", [7000215]]);
}

test("the local authority serves on Deno", async () => {
  const server = await new LocalAuthority().serve(Deno);
  try {
    await assertServes(server.origin);
  } finally {
    await server.close();
  }
  await assertRejects(() => fetch(server.origin), TypeError);
});

test("the local authority serves on Bun", async () => {
  const child = new Deno.Command(`${root}node_modules/.bin/bun`, {
    args: ["run", `${root}tests/peers/authority_on_bun.ts`],
    cwd: root,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  try {
    const { value: origin = "" } = await lines.read();
    assert(/^http:\/\/127\.0\.0\.1:\d+\n$/.test(origin), `Bun printed ${origin}`);
    await assertServes(origin.trim());
  } finally {
    await child.stdin.close();
    // Nothing more is printed, and it ends by itself.
    assertEquals((await lines.read()).done, true);
    assertEquals((await child.status).code, 0);
  }
});

Deno.test({
  name: "the local authority serves as a Worker",
  // Miniflare leaves a message port, a timer and the removal of a file behind.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const contents = await bundleWorker("authority_worker.ts");
    await using worker = await startWorker(contents, {
      compatibilityDate: "2026-07-01",
      compatibilityFlags: [],
    });
    await assertServes(worker.origin);
  },
});
