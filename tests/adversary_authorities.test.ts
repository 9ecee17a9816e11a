/** Authorities under attack: which hosts get requests (R-017..R-019). */
import { assertEquals, assertStringIncludes } from "@std/assert";

import { ConfidentialClientApplication } from "../mod.ts";
import { createApiAuth } from "../src/web/mod.ts";
import {
  answer,
  type Fixture,
  fixture,
  type Overrides,
  settle,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { CLIENT_SHAPES, shapeDouble, shapeOf } from "./support/client_shapes.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { CLIENT_ID, TENANT_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

const hostsOf = ({ http }: Fixture): string[] => http.requests.map(({ url }) => new URL(url).host);
/** An injected answer of instance discovery with one cloud. */
const injected = (network: string, cache: string, ...aliases: string[]): Overrides => ({
  metadata: {
    instanceDiscovery: { metadata: [{ preferred_network: network, preferred_cache: cache, aliases }] },
  },
});

test("R-017 SSRF: the preferred host is asked at its own port, never at the alias's", async () => {
  for (
    const [alias, network, asked] of [
      ["old.example:8443", "new.example", "new.example"],
      ["old.example", "new.example:9443", "new.example:9443"],
      ["old.example:8443", "new.example:443", "new.example"],
      ["old.example", "NEW.example", "new.example"],
    ] as const
  ) {
    const one = fixture([tokenAnswer()], {
      authority: `https://${alias}/contoso.example`,
      ...injected(network, network, alias),
    });
    await one.acquire();
    assertEquals(hostsOf(one), [asked], `${alias} ${network}`);
  }
});

test("R-019 SSRF: a preferred host that is none, or an address, is refused by name", () => {
  for (
    const network of [
      "1.2.3.4.5",
      "a.example:99999",
      "xn--a.example",
      "127.0.0.1",
      "0x7f.1",
      "169.254.169.254",
      "localhost",
    ]
  ) {
    const error = thrown(() =>
      fixture([], {
        authority: "https://old.example/contoso",
        ...injected(network, "old.example", "old.example"),
      })
    );
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_option",
      "metadata.instanceDiscovery",
    ], network);
  }
});

test("R-017 no injected document puts a stranger's tokens under the name of a host of Microsoft's", () => {
  for (
    const cache of [
      "login.microsoftonline.com",
      "LOGIN.windows.net",
      "login.microsoftonline.us",
      "contoso.b2clogin.com",
      "contoso.ciamlogin.com",
    ]
  ) {
    const error = thrown(() =>
      fixture([], {
        authority: "https://a.evil.example/contoso",
        ...injected("evil.example", cache, "a.evil.example"),
      })
    );
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_option",
      "metadata.instanceDiscovery",
    ], cache);
  }
});

test("R-017 refresh tokens of Microsoft's are not sent to the hosts of an injected document", async () => {
  const double = shapeDouble(CLIENT_SHAPES[0]!);
  const { account } = await double.signIn(double.confidential());
  let code = "";
  try {
    const app = double.confidential({
      authority: `https://a.evil.example/${TENANT_ID}`,
      ...injected("evil.example", "login.microsoftonline.com", "a.evil.example"),
    });
    double.next({ error: "invalid_grant" });
    await double.refused(
      app.acquireTokenSilent({ scopes: ["User.Read"], account: account!, forceRefresh: true }),
    );
  } catch (error) {
    code = (error as { code: string }).code;
  }
  assertEquals(double.posts.filter(({ url }) => url.includes("evil")).length, 0);
  assertEquals(code, "invalid_option");
});

test("R-017 the answer to a bad request vouches for nobody, whatever it lists", async () => {
  const HOST = "login.private.example";
  const list = JSON.stringify({
    metadata: [{ preferred_network: HOST, preferred_cache: HOST, aliases: [HOST] }],
  });
  const one = fixture(
    (request) => request.url.includes("/discovery/instance") ? answer(400, list) : tokenAnswer(),
    {
      authority: `https://${HOST}/contoso.example`,
      instanceDiscovery: true,
    },
  );
  assertEquals((await one.refused()).name, "ClientAuthError");
  assertEquals([...new Set(hostsOf(one))], ["login.microsoftonline.com"]);
});

test("U20 instanceDiscovery changes nothing for dSTS, and says of other shapes what to do", async () => {
  const { options, document } = shapeOf("dSTS");
  const one = fixture((request) => request.method === "GET" ? () => Response.json(document) : tokenAnswer(), {
    ...options,
    instanceDiscovery: true,
  });
  await one.acquire();
  assertEquals(one.http.requests.length, 2);
  for (const path of ["adfs", "contoso/b2c_1_x", "dstsv2/contoso"]) {
    const error = thrown(() =>
      fixture([], { authority: `https://idp.example/${path}`, instanceDiscovery: true })
    );
    assertEquals([error.code, "option" in error && error.option], ["untrusted_authority", "authority"]);
    assertStringIncludes(error.message, "knownAuthorities");
  }
});

test("an instance that is nothing is refused, and not taken for a host of that name", () => {
  for (const instance of [null, 5, {}, true]) {
    const authority = { instance: instance as unknown as string, tenant: "contoso.example" };
    const error = thrown(() => fixture([], { authority, validateAuthority: false }));
    assertEquals("option" in error && `${error.option}`.startsWith("authority"), true, `${instance}`);
  }
});

test("R-017 SSRF: an API that shares an application's authority asks its host nothing before Microsoft does", async () => {
  const clock = new FakeClock();
  const asked: string[] = [];
  const fetch = (url: string | URL | Request): Promise<Response> => {
    asked.push(new URL(`${url}`).host);
    return Promise.resolve(Response.json({ error: "invalid_instance" }, { status: 400 }));
  };
  const app = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    clientCredential: "a secret",
    authority: `https://login.private.example/${TENANT_ID}`,
    instanceDiscovery: true,
    clock,
    fetch,
  });
  const now = Math.floor(clock.now() / 1000);
  const head = btoa(JSON.stringify({ alg: "RS256", kid: "k", typ: "JWT" })).replaceAll("=", "");
  const body = btoa(
    JSON.stringify({
      iss: "x",
      tid: TENANT_ID,
      aud: CLIENT_ID,
      exp: now + 600,
      iat: now,
      ver: "2.0",
      scp: "a",
      sub: "s",
    }),
  ).replaceAll("=", "");
  const headers = { authorization: `Bearer ${head}.${body}.${"A".repeat(342)}` };
  const listener = { onEvent: () => {} };
  for (const own of [{}, listener, { fetch }, { timeoutMs: 1_000 }]) {
    const api = createApiAuth({ app, audience: CLIENT_ID, allowedTenants: [TENANT_ID], clock, ...own });
    const route = api.protect(() => new Response("in"));
    await settle(clock, route(new Request("https://api.example/", { headers })));
  }
  assertEquals([...new Set(asked)], ["login.microsoftonline.com"]);
});
