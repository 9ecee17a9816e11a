/** How long an assertion is kept, and who shares it: R-215. */
import { assert, assertEquals } from "@std/assert";
import {
  kubernetesAssertion,
  managedIdentityAssertion,
  tokenExchangeAudienceOf,
} from "../src/client_assertions/mod.ts";
import { fixture, thrown, tokenAnswer } from "./support/app_fixture.ts";
import { assertionOf, CONTEXT, sourceScene } from "./support/assertion_scene.ts";
import { test } from "./support/suite.ts";

/** A source of tokens that end after so many seconds, numbered. */
function numbered(seconds: number | undefined) {
  const scene = sourceScene();
  const { clock } = scene;
  let reads = 0;
  const exp = () => (seconds === undefined ? {} : { exp: clock.now() / 1000 + seconds });
  const source = kubernetesAssertion({
    clock,
    readToken: () => `${assertionOf({ n: ++reads, ...exp() })}\n`,
  });
  return { ...scene, source, reads: () => reads };
}

for (const [seconds, keptSeconds] of [[3600, 3540], [300, 240], [100, 80], [86_400, 3600]] as const) {
  test(`R-215 an assertion of ${seconds} s is kept for ${keptSeconds} s, and its line break is not`, async () => {
    const { source, get, reads, clock } = numbered(seconds);
    const first = await get(source);
    assert(!/\s/.test(first));
    await clock.advance(keptSeconds * 1000 - 1);
    assertEquals([await get(source), reads()], [first, 1]);
    await clock.advance(1);
    assert(await get(source) !== first);
    assertEquals(reads(), 2);
  });
}

test("R-215 an assertion without an end, or that has ended, is not kept", async () => {
  for (const seconds of [undefined, 0, -5]) {
    const { source, get, reads } = numbered(seconds);
    await get(source);
    await get(source);
    assertEquals(reads(), 2);
  }
});

test("R-215 one that the authority refused is replaced, and its successor kept", async () => {
  const { source, get, reads } = numbered(3600);
  const first = await get(source);
  const second = await get(source, { rejectedBy: [700024] });
  assert(second !== first);
  assertEquals([await get(source), reads()], [second, 2]);
});

test("R-215 those who ask at the same time share one, also after a refusal", async () => {
  const { source, get, reads } = numbered(3600);
  await Promise.all(Array.from({ length: 20 }, () => get(source)));
  assertEquals(reads(), 1);
  await Promise.all(Array.from({ length: 20 }, () => get(source, { rejectedBy: [700024] })));
  assertEquals(reads(), 2);
});

test("R-215 a failure is not kept: the next one asks again", async () => {
  const scene = sourceScene();
  let reads = 0;
  const readToken = () => (++reads === 1 ? Promise.reject(new Error("canary-s3cr3t")) : scene.token(60));
  const source = kubernetesAssertion({ clock: scene.clock, readToken });
  const error = await scene.refused(source);
  assertEquals([error.code, error.correlationId], ["client_credential_failed", CONTEXT.correlationId]);
  assert(!`${error.message}${error.stack}${JSON.stringify(error)}`.includes("canary"));
  assertEquals(await scene.get(source), scene.token(60));
});

test("assertions for other audiences are kept apart", async () => {
  const { clock, get } = sourceScene();
  const asked: string[] = [];
  const source = managedIdentityAssertion((resource) => {
    asked.push(resource);
    return assertionOf({ resource, exp: clock.now() / 1000 + 3600 });
  }, { clock });
  const china = { authority: "https://login.partner.microsoftonline.cn/contoso" };
  const [one, other] = [await get(source), await get(source, china)];
  assert(one !== other);
  assertEquals([await get(source), await get(source, china)], [one, other]);
  assertEquals(asked, ["api://AzureADTokenExchange", "api://AzureADTokenExchangeChina"]);
});

const NOT_JWTS: readonly [string, unknown][] = [
  ["nothing", undefined],
  ["an empty file", ""],
  ["a page", "<html>sign in to the network</html>"],
  ["JSON around it", '{"accessToken":"eyJ.eyJ.c2ln"}'],
  ["two parts", "eyJhIjoxfQ.eyJhIjoxfQ"],
  ["more than 16 KiB", assertionOf({ x: "x".repeat(17_000) })],
];
for (const [what, result] of NOT_JWTS) {
  test(`a source that reads ${what} gives no assertion, and says nothing of it`, async () => {
    const { clock, refused } = sourceScene();
    const error = await refused(kubernetesAssertion({ clock, readToken: () => result as string }));
    assertEquals(error.code, "invalid_client_credential");
    assert(!/html|eyJ/.test(error.message));
  });
}

test("a callback that hangs ends with timeoutMs, and leaves no timer", async () => {
  const { clock, refused } = sourceScene();
  for (
    const source of [
      kubernetesAssertion({ clock, timeoutMs: 500, readToken: () => new Promise<string>(() => {}) }),
      managedIdentityAssertion(() => new Promise<string>(() => {}), { clock, timeoutMs: 500 }),
    ]
  ) {
    const error = await refused(source);
    assertEquals([error.code, clock.pending], ["client_credential_failed", 0]);
    assert(error.message.includes("500 ms"));
  }
});

test("a managed identity's token may come as a text or in an object, at once or later", async () => {
  const { clock, get, token } = sourceScene();
  const results = [token(60), { accessToken: token(60) }, Promise.resolve({ accessToken: token(60) })];
  for (const result of results) {
    assertEquals(await get(managedIdentityAssertion(() => result, { clock })), token(60));
  }
  for (const result of [null, undefined, {}, { token: token(60) }, 5]) {
    const { refused } = sourceScene();
    const error = await refused(managedIdentityAssertion(() => result as unknown as string, { clock }));
    assertEquals(error.code, "invalid_client_credential");
  }
});

test("options that are none are refused when the source is made", () => {
  const WRONG: readonly [() => unknown, string][] = [
    [() => kubernetesAssertion({} as never), "readToken"],
    [() => kubernetesAssertion(undefined as never), "readToken"],
    [() => kubernetesAssertion({ readToken: "/var/run/token" as never }), "readToken"],
    [() => managedIdentityAssertion(undefined as never), "getToken"],
    ...[0, -1, NaN, Infinity, "5", 600_001].map((timeoutMs) =>
      [() => kubernetesAssertion({ readToken: () => "", timeoutMs: timeoutMs as number }), "timeoutMs"] as [
        () => unknown,
        string,
      ]
    ),
  ];
  for (const [make, option] of WRONG) {
    const error = thrown(make);
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", option]);
  }
});

test("3.4.2 each cloud has an audience of its own, and what is no cloud has the public one", () => {
  const AUDIENCES: readonly [string, string][] = [
    ["https://login.microsoftonline.com/contoso", ""],
    ["https://login.windows.net/contoso", ""],
    ["https://login-us.microsoftonline.com/contoso", ""],
    ["https://login.microsoftonline.us/contoso", "USGov"],
    ["https://login.usgovcloudapi.net/contoso", "USGov"],
    ["https://login.partner.microsoftonline.cn/contoso", "China"],
    ["https://login.chinacloudapi.cn/contoso", "China"],
    ["https://login.sovcloud-identity.fr/contoso", "France"],
    ["https://login.sovcloud-identity.de/contoso", "Germany"],
    ["https://login.sovcloud-identity.sg/contoso", "GovSG"],
    ["https://LOGIN.microsoftonline.US/contoso", "USGov"],
    ["https://login.microsoftonline.us.evil.example/contoso", ""],
    ["https://contoso.ciamlogin.com/contoso", ""],
    ["https://constructor/contoso", ""],
    ["no URL", ""],
  ];
  for (const [authority, end] of AUDIENCES) {
    assertEquals(tokenExchangeAudienceOf(authority), `api://AzureADTokenExchange${end}`);
  }
  assertEquals(
    tokenExchangeAudienceOf(new URL("https://login.microsoftonline.us")),
    "api://AzureADTokenExchangeUSGov",
  );
});

test("A61 R-215 3.4.2 an application uses what is kept, and gets another one when Entra refuses it", async () => {
  const { clock, source, reads } = numbered(3600);
  const stale = () => Response.json({ error: "invalid_client", error_codes: [700024] }, { status: 401 });
  const script = [tokenAnswer(), stale, tokenAnswer(), tokenAnswer()];
  const { acquire, http } = fixture(script, { clientCredential: { clientAssertion: source } }, clock);
  for (const name of ["one", "two", "three"]) await acquire({ scopes: [`api://${name}/.default`] });
  const sent = http.requests.map(({ form }) => form.get("client_assertion"));
  assertEquals([sent.length, reads()], [4, 2]);
  assert(sent[0] === sent[1] && sent[1] !== sent[2] && sent[2] === sent[3]);
});
