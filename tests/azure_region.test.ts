/** `azureRegion`: where app tokens are asked from, how a machine tells its region, and what stays central (section 3.8, rows G and Z43). */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type ConfidentialClientOptions, type CredentialContext, TokenCache } from "../mod.ts";
import { regionSetting } from "../src/host/region_setting.ts";
import {
  answer,
  type Fixture,
  fixture,
  type Overrides,
  settle,
  TENANT,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { entraDouble, SECRET, signed, TENANT_ID } from "./support/entra_double.ts";
import type { Answer, RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const MACHINE = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01";
const CENTRAL = "login.microsoftonline.com";

const isMachine = ({ url }: RecordedRequest): boolean => url.startsWith("http://169.254.169.254");
/** A script of a machine, and of tokens that are over at once. */
const on = (machine: Answer) => (request: RecordedRequest): Answer =>
  isMachine(request) ? machine : tokenAnswer({ expires_in: 1 });
const located = (location: unknown): Answer => () => Response.json({ location, name: "vm" });
const hostsOf = ({ http }: Fixture): string[] => http.requests.map(({ url }) => new URL(url).host);
const tokenHosts = (one: Fixture): string[] => hostsOf(one).filter((host) => host !== "169.254.169.254");

const INVALID: readonly unknown[] = [
  ...["evil.com", "evil.com/path", "evil:8080", "EastUS", "-eastus", "2westus", "eastus-"],
  ...["true", "false", "undefined", "null"],
  ...["a".repeat(64), "", null, "East Us 2", "eastus\n", " eastus", "eastus\u0000", "eastu\u017f", "east_us"],
  ...[
    "evil.com#",
    "evil.com?",
    "u@evil",
    "\\evil",
    "%65astus",
    "eastus.",
    ".eastus",
    5,
    0,
    {},
    ["eastus"],
    [],
  ],
];
for (const region of INVALID) {
  const shown = JSON.stringify(region).slice(0, 30);
  test(`G2 azureRegion ${shown} is refused at construction`, () => {
    const error = thrown(() => fixture([], { azureRegion: region as string }));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", "azureRegion"]);
  });
  test(`G2 a machine that says it is in ${shown} is not believed`, async () => {
    const one = fixture(on(located(region)), { azureRegion: true });
    await one.acquire();
    assertEquals(hostsOf(one), ["169.254.169.254", CENTRAL]);
  });
}

test("G9 an explicit region is asked with one request, and the machine not at all", async () => {
  for (const region of ["westus2", "a", "a1-b2", `a${"b".repeat(62)}`]) {
    const one = fixture(on(located("eastus")), { azureRegion: region });
    await one.acquire();
    assertEquals(one.http.requests.map(({ url }) => url), [
      `https://${region}.login.microsoft.com/${TENANT}/oauth2/v2.0/token`,
    ]);
  }
});

const HOSTS: Readonly<Record<string, string>> = {
  "login.microsoftonline.com": "westus.login.microsoft.com",
  "login.microsoft.com": "westus.login.microsoft.com",
  "login.windows.net": "westus.login.microsoft.com",
  "sts.windows.net": "westus.login.microsoft.com",
  "login.microsoftonline.us": "westus.login.microsoftonline.us",
  "login.usgovcloudapi.net": "westus.login.microsoftonline.us",
  "login.partner.microsoftonline.cn": "westus.login.partner.microsoftonline.cn",
  "login.chinacloudapi.cn": "westus.login.partner.microsoftonline.cn",
  "login-us.microsoftonline.com": "westus.login-us.microsoftonline.com",
  "login.sovcloud-identity.fr": "westus.login.sovcloud-identity.fr",
};
for (const [host, expected] of Object.entries(HOSTS)) {
  test(`Z43 region westus on ${host} is ${expected}, without discovery and without the machine`, async () => {
    const one = fixture(on(located("eastus")), {
      authority: `https://${host}/${TENANT}`,
      azureRegion: "westus",
    });
    await one.acquire();
    assertEquals(one.http.requests.map(({ url }) => url), [
      `https://${expected}/${TENANT}/oauth2/v2.0/token`,
    ]);
  });
}

test("G12 azureRegion true asks the machine once, for everybody and for ever", async () => {
  const one = fixture(on(located("eastus")), { azureRegion: true });
  const scopes = Array.from({ length: 20 }, (_, n) => [`api://${n}/.default`]);
  await settle(one.clock, Promise.all(scopes.map((own) => one.app.acquireTokenForClient({ scopes: own }))));
  await one.clock.advance(86_400_000);
  await one.acquire({ tenantId: "other.example" });
  const [question] = one.http.requests;
  assertEquals([question!.url, question!.method, question!.headers.get("metadata")], [
    MACHINE,
    "GET",
    "true",
  ]);
  assertEquals(question!.redirect, "manual");
  assertEquals(one.http.requests.filter(isMachine).length, 1);
  assertEquals([...new Set(tokenHosts(one))], ["eastus.login.microsoft.com"]);
  assertEquals(
    one.http.requests.at(-1)!.url,
    "https://eastus.login.microsoft.com/other.example/oauth2/v2.0/token",
  );
});

test("G7 G10 without azureRegion, and with false, the central endpoint is asked and nothing else", async () => {
  for (const azureRegion of [undefined, false]) {
    const one = fixture(on(located("eastus")), { azureRegion });
    await one.acquire();
    assertEquals(hostsOf(one), [CENTRAL]);
  }
});

/** Machines that do not tell. */
const SILENT: Readonly<Record<string, Answer>> = {
  "no connection": () => Promise.reject(new TypeError("unreachable")),
  "no answer": () => new Promise(() => {}),
  "not found": answer(404, '{"location":"eastus"}'),
  "an error": answer(500, '{"location":"eastus"}'),
  "a redirect": answer(302, null, { location: "http://169.254.169.254/x" }),
  "HTML": answer(200, "<p>eastus", { "content-type": "text/html" }),
  "plain text": answer(200, "eastus", { "content-type": "text/plain" }),
  "no JSON": answer(200, "eastus"),
  "a text": answer(200, '"eastus"'),
  "a list": answer(200, '["eastus"]'),
  "null": answer(200, "null"),
  "nothing": answer(200, ""),
  "an inherited region": answer(200, '{"__proto__":{"location":"eastus"}}'),
  "a flood": answer(200, `{"x":"${"x".repeat(300_000)}","location":"eastus"}`),
};
for (const [what, machine] of Object.entries(SILENT)) {
  test(`azureRegion true on a machine with ${what}: the central endpoint within 2 s, an event, and a pause`, async () => {
    const one = fixture(on(machine), { azureRegion: true });
    const startMs = one.clock.now();
    assertEquals((await one.acquire()).accessToken, "AT");
    assert(one.clock.now() - startMs <= 2_000);
    assertEquals(hostsOf(one), ["169.254.169.254", CENTRAL]);
    const told = one.events.filter((event) => event.type === "region_unknown");
    assertEquals(told.length, 1);
    assert("error" in told[0]! && told[0].error.correlationId);
    await one.acquire();
    await one.clock.advance(290_000);
    await one.acquire();
    assertEquals(one.http.requests.filter(isMachine).length, 1);
    await one.clock.advance(10_000);
    await one.acquire();
    assertEquals(one.http.requests.filter(isMachine).length, 2);
    assertEquals(one.clock.pending, 0);
  });
}

test("a machine that tells later is believed then", async () => {
  let machine: Answer = new TypeError("unreachable");
  const one = fixture((request) => on(machine)(request), { azureRegion: true });
  await one.acquire();
  machine = located("eastus");
  await one.clock.advance(300_000);
  await one.acquire();
  assertEquals(tokenHosts(one), [CENTRAL, "eastus.login.microsoft.com"]);
});

test("a token of a region is found by applications without one, and the machine is not asked on a hit", async () => {
  const tokenCache = new TokenCache();
  const clock = fixture().clock;
  const first = fixture(() => tokenAnswer(), { azureRegion: "westus", tokenCache }, clock);
  await first.acquire();
  const entries = Object.values(JSON.parse(tokenCache.serialize()).AccessToken) as Record<string, string>[];
  assertEquals(entries.map(({ environment, realm }) => [environment, realm]), [[CENTRAL, TENANT]]);
  for (const azureRegion of [undefined, true, "eastus"]) {
    const other = fixture([], { azureRegion, tokenCache }, clock);
    assertEquals((await other.acquire()).tokenSource, "cache");
  }
});

test("a credential is told the central endpoint: an assertion's audience has no region", async () => {
  const contexts: CredentialContext[] = [];
  const clientCredential: ConfidentialClientOptions["clientCredential"] = (context) => {
    contexts.push(context);
    return Promise.resolve("a secret");
  };
  const one = fixture(() => tokenAnswer(), { azureRegion: "westus", clientCredential });
  await one.acquire();
  assertEquals(hostsOf(one), ["westus.login.microsoft.com"]);
  assertEquals(contexts.map(({ tokenEndpoint, authority }) => [tokenEndpoint, authority]), [
    [`https://${CENTRAL}/${TENANT}/oauth2/v2.0/token`, `https://${CENTRAL}/${TENANT}`],
  ]);
});

test("extra query parameters go to the region", async () => {
  const one = fixture(() => tokenAnswer(), { azureRegion: "westus" });
  await one.acquire({ extraQueryParameters: { dc: "x" } });
  assertEquals(
    one.http.requests[0]!.url,
    `https://westus.login.microsoft.com/${TENANT}/oauth2/v2.0/token?dc=x`,
  );
});

test("G14 users and callers stay with the central endpoint, and the machine is not asked", async () => {
  for (const azureRegion of ["westus", true]) {
    const entra = entraDouble();
    const app = entra.confidential({ azureRegion });
    const { account } = await entra.signIn(app);
    entra.next(await entra.answer(), await entra.answer(), await entra.answer());
    await entra.settle(app.acquireTokenSilent({ account: account!, scopes: ["Mail.Read"] }));
    await entra.settle(app.acquireTokenByRefreshToken({ refreshToken: "RT", scopes: ["Mail.Read"] }));
    const userAssertion = await signed({
      aud: "api",
      tid: TENANT_ID,
      oid: "x",
      exp: entra.clock.now() / 1000 + 600,
    });
    await entra.settle(app.acquireTokenOnBehalfOf({ userAssertion, scopes: ["Mail.Read"] })).catch(
      (error) => {
        throw new Error(`${error.code}: ${error.message}`);
      },
    );
    assertEquals([...new Set(entra.posts.map(({ url }) => new URL(url).host))], [CENTRAL]);
    assertEquals(entra.posts.length, 4);
    assertEquals(entra.gets.filter(isMachine), []);
  }
});

test("only Microsoft's clouds have regions", () => {
  const others: Overrides[] = [
    { authority: undefined, oidcAuthority: "https://idp.example/realms/main" },
    { authority: "https://login.private.example/contoso", knownAuthorities: ["login.private.example"] },
    { authority: "https://login.private.example/contoso", validateAuthority: false },
    { authority: "https://login.private.example/contoso", instanceDiscovery: true },
  ];
  for (const options of others) {
    for (const azureRegion of ["westus", true]) {
      const error = thrown(() => fixture([], { ...options, azureRegion }));
      assertEquals([error.code, "option" in error && error.option], ["invalid_option", "azureRegion"]);
    }
    fixture([], { ...options, azureRegion: false });
  }
});

test("no error or event of a machine holds what it said, or the secret", async () => {
  const one = fixture(on(answer(200, JSON.stringify({ location: SECRET }))), {
    azureRegion: true,
    clientCredential: SECRET,
  });
  await one.acquire();
  assert(!`${JSON.stringify(one.events)}${one.lines.join()}`.includes(SECRET));
});

/** What the environment makes of a setting. */
const SETTINGS: readonly [
  string,
  string | boolean | undefined,
  Record<string, string>,
  string | boolean | undefined,
][] = [
  ["G3 REGION_NAME serves true", true, { REGION_NAME: "westus2" }, "westus2"],
  ["G4 a hostile REGION_NAME is ignored", true, { REGION_NAME: "evil.com/hijack" }, true],
  ["G5 an empty REGION_NAME is ignored", true, { REGION_NAME: "" }, true],
  ["G7 REGION_NAME alone does nothing", undefined, { REGION_NAME: "eastus" }, undefined],
  ["G8 MSAL_FORCE_REGION alone counts", undefined, { MSAL_FORCE_REGION: "eastus" }, "eastus"],
  ["G9 a region of the program's wins", "westus", { MSAL_FORCE_REGION: "eastus" }, "westus"],
  ["G10 false wins", false, { MSAL_FORCE_REGION: "eastus", REGION_NAME: "eastus" }, false],
  ["G12 true takes REGION_NAME", true, { REGION_NAME: "eastus", MSAL_FORCE_REGION: "westus" }, "eastus"],
  ["G13 a REGION_NAME for people is ignored", true, { REGION_NAME: "East Us 2" }, true],
  ["nothing is nothing", undefined, {}, undefined],
  ["true without a variable asks the machine", true, {}, true],
];
for (const [what, setting, environment, expected] of SETTINGS) {
  test(`${what}: ${JSON.stringify(setting)} with ${JSON.stringify(environment)}`, async () => {
    const azureRegion = regionSetting(setting, environment);
    assertEquals(azureRegion, expected);
    const one = fixture(on(located("northeurope")), { azureRegion });
    await one.acquire();
    const region = expected === true ? "northeurope" : expected;
    assertEquals(tokenHosts(one), [region ? `${region}.login.microsoft.com` : CENTRAL]);
  });
}

test("G2 G8 a MSAL_FORCE_REGION that is none is an error that names it, if only empty", () => {
  for (const value of INVALID.filter((region) => typeof region === "string")) {
    const error = thrown(() => regionSetting(undefined, { MSAL_FORCE_REGION: value as string }));
    assertEquals(["option" in error && error.option, error.code], ["MSAL_FORCE_REGION", "invalid_option"]);
    for (const setting of [true, false, "westus"]) {
      assertEquals(regionSetting(setting, { MSAL_FORCE_REGION: value as string }), setting);
    }
  }
});

test("a variable that may not be read is an error that names the permission", () => {
  const environment = new Proxy({}, {
    get: () => {
      throw new Error("NotCapable");
    },
  });
  for (const [setting, name] of [[undefined, "MSAL_FORCE_REGION"], [true, "REGION_NAME"]] as const) {
    const error = thrown(() => regionSetting(setting, environment));
    assertStringIncludes(error.message, `--allow-env=${name}`);
  }
  assertEquals(regionSetting("westus", environment), "westus");
});
