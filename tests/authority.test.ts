/** Which hosts and tenants a request may go to, and look-alikes of all kinds. */
import { assert, assertEquals } from "@std/assert";
import { fc } from "./support/property.ts";
import {
  allowInsecureLoopback,
  type AnyAuthError,
  ConfidentialClientApplication,
  isAuthError,
  PublicClientApplication,
} from "../mod.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  failure,
  fixture,
  type Overrides,
  SECRET,
  settle,
  thrown,
  TOKEN_ENDPOINT,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";

const HOST = "login.microsoftonline.com";
const GUID = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";

/** The error of a client with these options, which must not send anything. */
function refusal(overrides: Overrides): AnyAuthError {
  const fetch = () => Promise.reject(new Error("a request was made"));
  const options = { clientId: CLIENT_ID, clientCredential: SECRET, fetch, ...overrides };
  const error = thrown(() => new ConfidentialClientApplication(options));
  assertEquals(error.name, "ClientConfigurationError");
  const { clientCredential: _, ...rest } = options;
  assertEquals(thrown(() => new PublicClientApplication(rest)).code, error.code);
  return error;
}

const optionOf = (error: AnyAuthError): string => "option" in error ? error.option : "";

/** R-018 and its relatives: hosts that look like Microsoft's, and spellings that a parser would mend. */
const LOOKALIKES: readonly string[] = [
  ...String.raw`
    https://${HOST}.evil.example/contoso https://evil-${HOST}/contoso https://evil.${HOST}/contoso
    https://${HOST}.:443/contoso https://${HOST}./contoso https://${HOST}:444/contoso https://${HOST}:80/contoso
    https://${HOST}:0/contoso https://${HOST}:99999/contoso https://${HOST}@evil.example/contoso
    https://user@${HOST}/contoso https://user:pass@${HOST}/contoso https://:pass@${HOST}/contoso
    https://${HOST}:443@evil.example/contoso https://${HOST}\@evil.example/contoso https:\\${HOST}\contoso
    https://${HOST}\.evil.example/contoso https://${HOST}%2eevil.example/contoso https://${HOST}%00.evil.example/contoso
    https://login-microsoftonline.com/contoso https://login.microsoftonline.co/contoso https://login.microsoftonline.comm/contoso
    https://login.micros0ftonline.com/contoso https://xn--login-microsoftonline.com/contoso https://microsoftonline.com/contoso
    https://login.windows.net.example/contoso https://westus.${HOST}.evil.example/contoso https://graph.microsoft.com/contoso
    https://evil-ciamlogin.com/contoso https://ciamlogin.com.evil.example/contoso https://fakeb2clogin.com/contoso/policy
    https://contoso.ciamlogin.com.evil.example/contoso https://0/contoso https://0x7f000001/contoso
    https://169.254.169.254/contoso https://[::1]/contoso https://[::ffff:127.0.0.1]/contoso https://localhost/contoso
    https:///contoso https:// http://${HOST}/contoso HTTP://${HOST}/contoso ftp://${HOST}/contoso wss://${HOST}/contoso
    javascript:alert(1)//${HOST}/contoso data:text/plain,${HOST}/contoso file://${HOST}/contoso
    blob:https://${HOST}/contoso //${HOST}/contoso ${HOST}/contoso contoso
  `.trim().split(/\s+/),
  `https://${HOST}\u0000.evil.example/contoso`,
  `https://${HOST}\u3002evil.example/contoso`,
  `https://login.microsoftonlin\u0435.com/contoso`,
  `https://login.m\u0456crosoftonline.com/contoso`,
  `https://${HOST}\t.evil.example/contoso`,
  `https://${HOST}\n/contoso`,
  ` https://${HOST}/contoso`,
  `https://${HOST}/contoso `,
  `https://${HOST}/con toso`,
  "",
];
for (const authority of LOOKALIKES) {
  test(`R-017 R-018 authority ${JSON.stringify(authority)} is refused before any request`, () => {
    assertEquals(optionOf(refusal({ authority })), "authority");
  });
}

/** Known hosts with something that must not be there. */
const PATHS: readonly string[] = [
  "",
  ...`
    / // //contoso /contoso?x=1 /contoso#x /contoso/../evil /./contoso /contoso/.. /contoso/%2e%2e/evil /contoso%2fevil
    /contoso%0d%0a /con_toso /-contoso /contoso- /contoso..example /.contoso /contoso. /contoso;x /contoso:x
    /contoso@evil.example /contoso,x /contoso* /cont\u00f6so /contoso/evil /contoso/v2.0/evil /contoso/v1.0
    /contoso/oauth2/v2.0/devicecode /contoso/oauth2/token /contoso/v2.0/.well-known/openid-configuration/x
    /adfs /adfs/oauth2/v2.0/token /tfp/contoso/b2c_1_x /dstsv2/contoso
  `.trim().split(/\s+/),
  `/${"a.".repeat(127)}aa`,
];
for (const path of PATHS) {
  test(`R-020 authority path ${JSON.stringify(path.slice(0, 50))} is refused before any request`, () => {
    assertEquals(optionOf(refusal({ authority: `https://${HOST}${path}` })), "authority");
  });
}

test("R-017 values that are no URL at all are refused, and named", () => {
  for (
    const authority of [
      5,
      0,
      true,
      false,
      [],
      ["x"],
      {},
      () => AUTHORITY,
      Symbol("x"),
      5n,
      NaN,
      new Date(),
    ]
  ) {
    const error = refusal({ authority: authority as string });
    assert(optionOf(error).startsWith("authority"), String(error));
  }
});

test("R-017 each refusal has the code that fits", () => {
  assertEquals(refusal({ authority: "https://idp.example/contoso" }).code, "untrusted_authority");
  assertEquals(refusal({ authority: `http://${HOST}/contoso` }).code, "authority_uri_insecure");
  assertEquals(refusal({ authority: `https://u@${HOST}/contoso` }).code, "invalid_authority");
  assertEquals(refusal({ authority: `https://${HOST}/con_toso` }).code, "invalid_tenant");
  assertEquals(
    refusal({ oidcAuthority: "https://idp.example", authority: AUTHORITY }).code,
    "conflicting_authority",
  );
});

/** Where a client's first request goes. */
async function endpointOf(overrides: Overrides, tenantId?: string): Promise<string> {
  const { acquire, http } = fixture([tokenAnswer()], overrides);
  await acquire(tenantId === undefined ? {} : { tenantId });
  assertEquals(http.requests.length, 1);
  return http.requests[0]!.url;
}

const PASTED: readonly (string | URL)[] = [
  AUTHORITY,
  `${AUTHORITY}/`,
  `${AUTHORITY}/v2.0`,
  `${AUTHORITY}/v2.0/`,
  `${AUTHORITY}/.well-known/openid-configuration`,
  `${AUTHORITY}/v2.0/.well-known/openid-configuration`,
  `https://${HOST}:443/contoso.onmicrosoft.com`,
  "HTTPS://LOGIN.MICROSOFTONLINE.COM/Contoso.OnMicrosoft.COM",
  new URL(AUTHORITY),
  new URL(`${AUTHORITY}/v2.0`),
];
for (const authority of PASTED) {
  test(`R-022 pasted ${typeof authority} ${authority} is the same authority`, async () => {
    assertEquals(await endpointOf({ authority }), TOKEN_ENDPOINT);
  });
}

test("R-022 a tenant GUID in any case is one tenant, and one cache entry", async () => {
  const { acquire, http } = fixture([tokenAnswer()], { authority: `https://${HOST}/${GUID.toUpperCase()}` });
  await acquire();
  assertEquals((await acquire({ tenantId: GUID })).tokenSource, "cache");
  assertEquals(http.requests[0]?.url, `https://${HOST}/${GUID}/oauth2/v2.0/token`);
});

const CLOUDS: Record<string, readonly string[]> = {
  [HOST]: [HOST, "login.windows.net", "login.microsoft.com", "sts.windows.net"],
  "login.partner.microsoftonline.cn": ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
  "login.microsoftonline.us": ["login.microsoftonline.us", "login.usgovcloudapi.net"],
  "login.microsoftonline.de": ["login.microsoftonline.de"],
  "login-us.microsoftonline.com": ["login-us.microsoftonline.com"],
  "login.sovcloud-identity.fr": ["login.sovcloud-identity.fr"],
  "login.sovcloud-identity.de": ["login.sovcloud-identity.de"],
  "login.sovcloud-identity.sg": ["login.sovcloud-identity.sg"],
};
for (const [network, hosts] of Object.entries(CLOUDS)) {
  for (const host of hosts) {
    test(`R-017 cloud host ${host}: one request, to ${network}, in each form of the option`, async () => {
      const expected = `https://${network}/contoso.example/oauth2/v2.0/token`;
      const forms: Overrides["authority"][] = [
        `https://${host}/contoso.example`,
        { instance: host, tenant: "contoso.example" },
        { instance: `https://${host}`, tenant: "Contoso.Example" },
        { instance: `https://${host}/`, tenant: "contoso.example" },
        { instance: new URL(`https://${host}`), tenant: "contoso.example" },
      ];
      for (const authority of forms) assertEquals(await endpointOf({ authority }), expected);
    });
  }
}

/** `{ instance, tenant }`: neither part may reach into the other's place. */
const PARTS: readonly [unknown, unknown][] = [
  [HOST, undefined],
  [HOST, ""],
  [HOST, "contoso/../evil"],
  [HOST, "contoso/v2.0"],
  [HOST, "contoso?x=1"],
  [HOST, "contoso#x"],
  [undefined, "contoso"],
  ["", "contoso"],
  [null, "contoso"],
  [5, "contoso"],
  [{}, "contoso"],
  [Object.create(null), "contoso"],
  [`http://${HOST}`, "contoso"],
  [`https://u:p@${HOST}`, "contoso"],
  [`evil.example#${HOST}`, "contoso"],
  [`evil.example?${HOST}`, "contoso"],
  [`${HOST}@evil.example`, "contoso"],
  [`${HOST}?x=`, "contoso"],
  [`${HOST}#`, "contoso"],
  [`${HOST}/other`, "contoso"],
  [`https://${HOST}/other`, "v2.0"],
  [`https://${HOST}/other/oauth2/v2.0`, "token"],
  [`https://${HOST}/other/v2.0/.well-known`, "openid-configuration"],
];
for (const [instance, tenant] of PARTS) {
  test(`R-020 authority parts ${JSON.stringify([instance, tenant])} are refused before any request`, () => {
    const error = refusal({ authority: { instance, tenant } as Overrides["authority"] });
    assert(optionOf(error).startsWith("authority"), String(error));
  });
}

const TENANTS: readonly unknown[] = [
  ...String.raw`a/b .. . ../evil contoso/.. a?b a#b a%2fb %2e%2e a\b a@b a:b a;b a_b * a..b .a a. -a a-`
    .split(" "),
  ...[
    "",
    " ",
    "a b",
    " contoso",
    "contoso ",
    "contoso\n",
    "a\r\nHost: evil",
    "a\tb",
    "\u0000",
    `{${GUID}}`,
    `${GUID}/`,
  ],
  ...["cont\u00f6so.example", "contoso\u212a.example", "contoso\u3002example", "\u0441ontoso.example"],
  ...["a.".repeat(130) + "a", null, {}, []],
];
for (const tenantId of TENANTS) {
  test(`R-020 tenantId ${JSON.stringify(tenantId)?.slice(0, 40)} is refused before any request`, async () => {
    const { refused, http, app, clock } = fixture([tokenAnswer()]);
    const error = await refused({ tenantId: tenantId as string });
    assertEquals([error.code, optionOf(error), http.requests.length], ["invalid_tenant", "tenantId", 0]);
    const removal = await failure(settle(clock, app.removeTokensForClient({ tenantId: tenantId as string })));
    assertEquals(optionOf(removal), "tenantId");
  });
}

test("R-020 R-165 tenants that may be asked per request", async () => {
  for (
    const tenantId of [GUID, GUID.toUpperCase(), "fabrikam.onmicrosoft.com", "xn--bcher-kva.example", "a"]
  ) {
    const expected = `https://${HOST}/${tenantId.toLowerCase()}/oauth2/v2.0/token`;
    assertEquals(await endpointOf({}, tenantId), expected);
    assertEquals(await endpointOf({ authority: undefined }, tenantId), expected);
  }
});

test("R-018 R-020 R-196 whatever the strings, a request goes to the authority's host and one tenant, or nowhere", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      HOST,
      "https://",
      "/",
      "..",
      "@",
      "\\",
      "?",
      "#",
      "%2f",
      ":443",
      ".",
      "evil.example",
      "contoso",
    ),
    fc.string({ maxLength: 6 }),
  );
  const text = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(""));
  const authority = fc.oneof(
    text,
    text.map((tail) => `https://${HOST}/${tail}`),
    fc.record({ instance: text, tenant: text }),
  );
  await fc.assert(
    fc.asyncProperty(authority, fc.option(text, { nil: undefined }), async (authority, tenantId) => {
      try {
        const url = await endpointOf({ authority, onEvent: undefined, logger: undefined }, tenantId);
        assert(/^https:\/\/login\.microsoftonline\.com\/[a-z0-9.-]+\/oauth2\/v2\.0\/token$/.test(url), url);
      } catch (error) {
        assert(isAuthError(error), String(error));
      }
    }),
    { numRuns: 400 },
  );
});

test("R-189 a megabyte of slashes, dots, dashes or at signs is refused in no time", () => {
  const start = performance.now();
  for (const one of ["/", ".", "-", "@", " ", "a.", "a-", "%", "://"]) {
    const long = one.repeat(1_000_000 / one.length);
    refusal({ authority: `https://${HOST}/${long}` });
    refusal({ oidcAuthority: `https://idp.example/${long}#x` });
  }
  assert(performance.now() - start < 5_000);
});

/** The host as the option takes it; IPv6 addresses it does not take. */
const listed = (host: string): string[] => host.startsWith("[") ? [] : [host];

const INSECURE = { [allowInsecureLoopback]: true };
for (const host of ["localhost:8080", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080"]) {
  test(`R-004 http://${host} works with allowInsecureLoopback, and not without`, async () => {
    const authority = `http://${host}/contoso`;
    assertEquals(await endpointOf({ authority, ...INSECURE }), `${authority}/oauth2/v2.0/token`);
    assertEquals(refusal({ authority }).code, "authority_uri_insecure");
    assertEquals(refusal({ authority, knownAuthorities: listed(host) }).code, "authority_uri_insecure");
    for (const value of ["true", 1, {}]) {
      const wrong = { [allowInsecureLoopback]: value as unknown as boolean };
      assertEquals(refusal({ authority, ...wrong }).code, "authority_uri_insecure");
    }
  });
}

const NOT_LOOPBACK = [
  HOST,
  "idp.example",
  "10.0.0.1",
  "192.168.1.1",
  "0.0.0.0",
  "169.254.169.254",
  "localhost.evil.example",
  "127.0.0.1.evil.example",
  "evil-localhost",
  "[::]",
  "[fe80::1]",
];
for (const host of NOT_LOOPBACK) {
  test(`R-004 allowInsecureLoopback does not let http://${host} through`, () => {
    const code = "authority_uri_insecure";
    assertEquals(
      refusal({ authority: `http://${host}/contoso`, knownAuthorities: listed(host), ...INSECURE }).code,
      code,
    );
    assertEquals(refusal({ oidcAuthority: `http://${host}/x`, ...INSECURE }).code, code);
  });
}

test("R-017 knownAuthorities lets exactly the listed host and port through", async () => {
  const knownAuthorities = ["Login.Example.com", "idp.example:8443"];
  const endpoint = await endpointOf({ authority: "https://login.example.com/contoso", knownAuthorities });
  assertEquals(endpoint, "https://login.example.com/contoso/oauth2/v2.0/token");
  await endpointOf({ authority: "https://idp.example:8443/contoso", knownAuthorities });
  for (
    const host of [
      "idp.example",
      "idp.example:8444",
      "x.login.example.com",
      "login.example.com.x",
      "login.example.com:8443",
    ]
  ) {
    assertEquals(
      refusal({ authority: `https://${host}/contoso`, knownAuthorities }).code,
      "untrusted_authority",
    );
  }
});

for (
  const host of [
    "",
    "https://x.example",
    "x.example/y",
    "x@y.example",
    "x.example?y",
    "x example",
    "x\\y",
    null,
    5,
    {},
  ]
) {
  test(`R-017 knownAuthorities [${JSON.stringify(host)}] is refused`, () => {
    assertEquals(optionOf(refusal({ knownAuthorities: [host as string] })), "knownAuthorities");
  });
}
