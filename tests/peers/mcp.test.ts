/** The MCP server of the examples in workerd, and the official client of MCP, which knows nothing but its address. */
import { assertEquals, assertMatch, assertRejects } from "@std/assert";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { type OAuthClientProvider, UnauthorizedError } from "@modelcontextprotocol/sdk/client/auth.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { declareTenant, tenantAt } from "../../examples/shared/local_tenant.ts";
import type { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";
import { freePort, onWorkerd } from "./example_program.ts";

interface Scene {
  readonly server: URL;
  readonly tenant: string;
  readonly authority: LocalAuthority;
}

async function atServer(body: (scene: Scene) => Promise<void>): Promise<void> {
  const port = freePort();
  const authority = declareTenant();
  const { origin: tenant, close } = await authority.serve(Deno);
  try {
    const env = { PORT: String(port), LOCAL_TENANT: tenant };
    await using program = onWorkerd("examples/workers/local_mcp.ts", env);
    await program.printed(/Open http/);
    await body({ server: new URL(`http://localhost:${port}/mcp`), tenant, authority });
  } finally {
    await close();
  }
}

/** A client's memory, and its user, who signs in at once. */
class Person implements OAuthClientProvider {
  readonly redirectUrl = "http://localhost";
  readonly clientMetadata = { redirect_uris: ["http://localhost"], scope: undefined };
  code = "";
  #tokens: ReturnType<OAuthClientProvider["tokens"]>;
  #verifier = "";
  readonly #clientId: string;
  readonly #authority: LocalAuthority;

  constructor({ tenant, authority }: Scene) {
    this.#clientId = tenantAt(tenant, authority).commandLine.clientId;
    this.#authority = authority;
  }

  clientInformation() {
    return { client_id: this.#clientId };
  }
  tokens() {
    return this.#tokens;
  }
  saveTokens(tokens: Exclude<Awaited<ReturnType<OAuthClientProvider["tokens"]>>, undefined>) {
    this.#tokens = tokens;
  }
  saveCodeVerifier(verifier: string) {
    this.#verifier = verifier;
  }
  codeVerifier() {
    return this.#verifier;
  }
  async redirectToAuthorization(url: URL) {
    this.code = (await this.#authority.signIn(url)).parameters.get("code") ?? "";
  }
  // Entra takes no `resource` beside scopes (AADSTS901002).
  validateResourceURL() {
    return Promise.resolve(undefined);
  }
}

const newClient = () => new Client({ name: "a-client", version: "1.0.0" });

test("R-160: the client of MCP finds out where to sign in, and uses a tool on behalf of its user", () =>
  atServer(async (scene) => {
    const person = new Person(scene);
    const first = new StreamableHTTPClientTransport(scene.server, { authProvider: person });
    await assertRejects(() => newClient().connect(first), UnauthorizedError);
    await first.finishAuth(person.code);
    const client = newClient();
    await client.connect(new StreamableHTTPClientTransport(scene.server, { authProvider: person }));
    assertEquals((await client.listTools()).tools.map((tool: { name: string }) => tool.name), ["my_profile"]);
    const { content, isError } = await client.callTool({ name: "my_profile" });
    const [{ text }] = content as [{ text: string }];
    assertEquals([isError, JSON.parse(text).displayName], [false, "Alex Doe"]);
    await client.close();
  }));

test("R-151, R-153, R-160: the MCP server refuses callers without a token of its own, and says where to get one", () =>
  atServer(async ({ server, tenant, authority }) => {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tools/list" });
    const headers = { "content-type": "application/json", accept: "application/json, text/event-stream" };
    const ask = (authorization?: string) =>
      fetch(server, {
        method: "POST",
        body,
        headers: { ...headers, ...(authorization && { authorization }) },
      });
    const bare = await ask();
    assertEquals(bare.status, 401);
    const challenge = bare.headers.get("www-authenticate")!;
    const metadata = /resource_metadata="([^"]+)"/.exec(challenge)?.[1];
    assertEquals(metadata, `${server.origin}/.well-known/oauth-protected-resource/mcp`);
    await bare.body?.cancel();
    const document = await (await fetch(metadata!)).json();
    assertEquals(document.resource, server.href);
    assertEquals(document.authorization_servers, [`${tenant}/${authority.defaults.tenantId}/v2.0`]);
    // For Graph, and for another API.
    const { api } = tenantAt(tenant, authority);
    const issuerOrigin = tenant;
    for (const resource of ["https://graph.microsoft.com", `api://${api.clientId}`]) {
      const refused = await ask(`Bearer ${await authority.issueUserToken({ resource, issuerOrigin })}`);
      assertEquals(refused.status, 401);
      assertMatch(refused.headers.get("www-authenticate")!, /error="invalid_token"/);
      await refused.body?.cancel();
    }
  }));
