/** The web applications of the examples, with the mistakes that are made at first. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { declareTenant } from "../../examples/shared/local_tenant.ts";
import { test } from "../support/suite.ts";
import { type ExampleProgram, freePort, onBun, onDeno, onWorkerd } from "./example_program.ts";

const START: Readonly<Record<string, (env: Record<string, string>) => ExampleProgram>> = {
  Deno: (env) => onDeno("examples/deno/web.ts", env),
  Bun: (env) => onBun("examples/bun/web.ts", env),
};
const HOSTS = {
  ...START,
  workerd: (env: Record<string, string>) => onWorkerd("examples/workers/local_web.ts", env),
};

/** All that a tenant takes; nothing is sent to it. */
const SETTINGS = {
  TENANT_ID: "contoso.onmicrosoft.com",
  CLIENT_ID: "6731de76-14a6-49ae-97bc-6eba6914391e",
  CLIENT_SECRET: "the-site~s-secret",
  API_CLIENT_ID: "8d2f4b1c-6c0e-4f1a-9b7d-2e5a1c3f4d60",
  API_CLIENT_SECRET: "the-api~s-secret",
  COOKIE_SECRET: "pQ2x9mZ7vT4kLw8RjN3cYb6HsD1fGa5E",
};

for (const [host, start] of Object.entries(START)) {
  /** What the program says last, where it ends at once. */
  const refusal = async (env: Record<string, string>): Promise<string> => {
    await using program = start({ PORT: String(freePort()), ...env });
    assertEquals(await program.ended(), 1, program.output);
    const { output } = program;
    assert(!/^\s+at |~s-secret/m.test(output), output);
    return output.trimEnd().split("\n").at(-1) ?? "";
  };

  test(`the web example on ${host} names all settings that are missing`, async () => {
    const { TENANT_ID, CLIENT_ID } = SETTINGS;
    assertEquals(
      await refusal({ TENANT_ID, CLIENT_ID }),
      "Error: Set CLIENT_SECRET, API_CLIENT_ID, API_CLIENT_SECRET, COOKIE_SECRET",
    );
  });

  test(`the web example on ${host} says in a line which setting is wrong`, async () => {
    assertMatch(
      await refusal({ ...SETTINGS, COOKIE_SECRET: "short" }),
      /^invalid_option: Cannot use seal: .*openssl/,
    );
    for (const BASE_URL of ["http://site.example", "site.example", "localhost:8000"]) {
      assertMatch(await refusal({ ...SETTINGS, BASE_URL }), /^invalid_option: Cannot use baseUrl: .*https/);
      assertMatch(await refusal({ BASE_URL }), /^invalid_option: Cannot use baseUrl: .*https/);
    }
  });

  test(`the web example on ${host} says that its port is taken`, async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const said = await refusal({ PORT: String(listener.addr.port) });
    listener.close();
    assertMatch(said, /^\w+: .* in use/);
  });
}

test("the web example on workerd tells its log, and no visitor, which settings are missing", async () => {
  const { TENANT_ID } = SETTINGS;
  const port = freePort();
  await using program = HOSTS.workerd({ PORT: String(port), TENANT_ID });
  await program.printed(/Open http/);
  const response = await fetch(`http://localhost:${port}/`);
  assertEquals([response.status, await response.text()], [503, "This site cannot be used just now\n"]);
  await program.printed(/^Set CLIENT_ID, CLIENT_SECRET, API_CLIENT_ID, API_CLIENT_SECRET, COOKIE_SECRET$/m);
});

for (const [host, start] of Object.entries(HOSTS)) {
  test(`the orders API on ${host} says what it is, and what it does not have`, async () => {
    const port = freePort();
    const site = `http://localhost:${port}`;
    const authority = declareTenant(site);
    const { origin, close } = await authority.serve(Deno);
    try {
      await using program = start({ PORT: String(port), LOCAL_TENANT: origin });
      await program.printed(/Open http/);
      const ask = async (path: string, init?: RequestInit) => {
        const response = await fetch(site + path, { redirect: "manual", ...init });
        return { status: response.status, headers: response.headers, text: await response.text() };
      };
      const description = JSON.parse((await ask("/.well-known/oauth-protected-resource/api")).text);
      const [scope] = description.scopes_supported;
      assertMatch(scope, /^api:\/\/[-0-9a-f]{36}\/Orders\.Read$/);
      const none = await ask("/api/orders");
      assertEquals([none.status, none.headers.get("www-authenticate")?.includes(`scope="${scope}"`)], [
        401,
        true,
      ]);
      const garbage = await ask("/api/orders", { headers: { authorization: "Bearer garbage" } });
      assertEquals([garbage.status, JSON.parse(garbage.text).error], [401, "invalid_token"]);
      // Nobody signs in for what is not there.
      const browser = { headers: { accept: "text/html", "sec-fetch-mode": "navigate" } };
      const unknown = await ask("/api/nothing", browser);
      assertEquals([unknown.status, unknown.text], [404, '{"error":"not_found"}']);
      const page = await ask("/nothing", browser);
      assertEquals([page.status, /There is no such page/.test(page.text)], [404, true]);
    } finally {
      await close();
    }
  });
}
