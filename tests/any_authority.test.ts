/** Authorities of every kind, their pasted forms and their look-alikes (R-004, R-011, R-015..R-020, R-022). */
import { assert, assertEquals } from "@std/assert";
import { isAuthError } from "../mod.ts";
import { parseAnyAuthority } from "../src/authority/any_authority.ts";
import type { Authority } from "../src/authority/authority.ts";
import { B2C, CIAM, KNOWN, outcomeOf, POLICY, WELL_KNOWN } from "./support/any_authorities.ts";
import { OTHER_GUID as OTHER, TENANT_GUID as GUID } from "./support/microsoft_documents.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const DSTS = "https://test-instance1-dsts.dsts.core.azure-test.net/dstsv2";
const parse = (authority: unknown, knownAuthorities: readonly string[] = KNOWN): Authority =>
  parseAnyAuthority({ authority: authority as string, knownAuthorities }, false);

/** What it is called, the forms that are pasted, and what they all mean: base, tenant, where the document is. */
const SHAPES: [string, readonly unknown[], string, string, string][] = [
  [
    "B2C by name",
    [
      `${B2C}/contoso.onmicrosoft.com/B2C_1_susi`,
      `${B2C}/contoso.onmicrosoft.com/B2C_1_SUSI/`,
      `${POLICY}/v2.0`,
      `${POLICY}/v2.0/`,
      `${POLICY}/v2.0${WELL_KNOWN}`,
      `${POLICY}${WELL_KNOWN}`,
      "HTTPS://Contoso.B2CLogin.COM:443/Contoso.OnMicrosoft.com/b2c_1_SuSi",
      new URL(`${POLICY}/v2.0`),
    ],
    POLICY,
    "contoso.onmicrosoft.com",
    `${POLICY}/v2.0${WELL_KNOWN}`,
  ],
  [
    "B2C by GUID and tfp",
    [
      `${B2C}/tfp/${GUID}/B2C_1A_signup-signin`,
      `${B2C}/TFP/${GUID.toUpperCase()}/b2c_1a_SIGNUP-SIGNIN/v2.0/`,
    ],
    `${B2C}/tfp/${GUID}/b2c_1a_signup-signin`,
    GUID,
    `${B2C}/tfp/${GUID}/b2c_1a_signup-signin/v2.0${WELL_KNOWN}`,
  ],
  [
    "B2C in China",
    ["https://contoso.b2clogin.cn/contoso.partner.onmschina.cn/B2C_1_susi"],
    "https://contoso.b2clogin.cn/contoso.partner.onmschina.cn/b2c_1_susi",
    "contoso.partner.onmschina.cn",
    `https://contoso.b2clogin.cn/contoso.partner.onmschina.cn/b2c_1_susi/v2.0${WELL_KNOWN}`,
  ],
  [
    "B2C in other clouds",
    ["https://contoso.b2clogin.us/contoso.onmicrosoft.us/B2C_1_susi"],
    "https://contoso.b2clogin.us/contoso.onmicrosoft.us/b2c_1_susi",
    "contoso.onmicrosoft.us",
    `https://contoso.b2clogin.us/contoso.onmicrosoft.us/b2c_1_susi/v2.0${WELL_KNOWN}`,
  ],
  [
    "B2C on a domain of its own",
    [`https://login.contoso.com/${GUID}/B2C_1_susi`, `https://LOGIN.contoso.com/${GUID}/b2c_1_susi/v2.0/`],
    `https://login.contoso.com/${GUID}/b2c_1_susi`,
    GUID,
    `https://login.contoso.com/${GUID}/b2c_1_susi/v2.0${WELL_KNOWN}`,
  ],
  [
    "External ID by its host alone",
    [
      CIAM,
      `${CIAM}/`,
      `${CIAM}/v2.0`,
      `${CIAM}${WELL_KNOWN}`,
      `${CIAM}/contoso.onmicrosoft.com`,
      `${CIAM}/Contoso.onmicrosoft.com/v2.0/`,
      `${CIAM}/contoso.onmicrosoft.com/v2.0${WELL_KNOWN}`,
      "https://CONTOSO.ciamlogin.com:443",
      new URL(CIAM),
      { instance: CIAM, tenant: "contoso.onmicrosoft.com" },
    ],
    `${CIAM}/contoso.onmicrosoft.com`,
    "contoso.onmicrosoft.com",
    `${CIAM}/contoso.onmicrosoft.com/v2.0${WELL_KNOWN}`,
  ],
  [
    "External ID by GUID",
    [
      `${CIAM}/${GUID}`,
      `${CIAM}/${GUID.toUpperCase()}/v2.0`,
      { instance: "contoso.ciamlogin.com", tenant: GUID },
    ],
    `${CIAM}/${GUID}`,
    GUID,
    `${CIAM}/${GUID}/v2.0${WELL_KNOWN}`,
  ],
  [
    "External ID by its issuer",
    [
      `https://${GUID}.ciamlogin.com/${GUID}/v2.0`,
      `https://${GUID}.ciamlogin.com`,
      `https://${GUID.toUpperCase()}.ciamlogin.com/`,
    ],
    `https://${GUID}.ciamlogin.com/${GUID}`,
    GUID,
    `https://${GUID}.ciamlogin.com/${GUID}/v2.0${WELL_KNOWN}`,
  ],
  [
    "External ID on a domain of its own",
    [`https://login.contoso.com/${GUID}`, `https://login.contoso.com/${GUID}/v2.0${WELL_KNOWN}`],
    `https://login.contoso.com/${GUID}`,
    GUID,
    `https://login.contoso.com/${GUID}/v2.0${WELL_KNOWN}`,
  ],
  [
    "ADFS",
    [
      "https://adfs.contoso.com/adfs",
      "https://ADFS.contoso.com/ADFS/",
      `https://adfs.contoso.com/adfs${WELL_KNOWN}`,
      { instance: "adfs.contoso.com", tenant: "adfs" },
    ],
    "https://adfs.contoso.com/adfs",
    "adfs",
    `https://adfs.contoso.com/adfs${WELL_KNOWN}`,
  ],
  [
    "U10 dSTS",
    [
      `${DSTS}/common`,
      `${DSTS}/Common/`,
      `${DSTS}/common${WELL_KNOWN}`,
      "https://TEST-instance1-dsts.dsts.core.azure-test.net:443/DSTSv2/common",
    ],
    `${DSTS}/common`,
    "common",
    `${DSTS}/common${WELL_KNOWN}`,
  ],
  [
    "U10 dSTS on a host that is known",
    [`https://login.contoso.com/dstsv2/${GUID}/`],
    `https://login.contoso.com/dstsv2/${GUID}`,
    GUID,
    `https://login.contoso.com/dstsv2/${GUID}${WELL_KNOWN}`,
  ],
  [
    "ADFS on another port",
    ["https://idp.contoso.com:8443/adfs/"],
    "https://idp.contoso.com:8443/adfs",
    "adfs",
    `https://idp.contoso.com:8443/adfs${WELL_KNOWN}`,
  ],
];
for (const [what, forms, base, tenant, documentUrl] of SHAPES) {
  test(`R-022 ${what}: each of ${forms.length} pasted forms is the same authority`, async () => {
    for (const form of forms) {
      const { kind, type, environment, rules, policy, ...rest } = parse(form);
      assertEquals(rest, { tenant, base });
      assertEquals(policy, type === "b2c" ? base.split("/").at(-1) : undefined);
      assertEquals([kind, environment], ["oidc", new URL(base).host]);
      const names = { B2C: "b2c", External: "ciam", ADFS: "adfs", U10: "dsts" };
      assertEquals(type, names[what.split(" ")[0] as keyof typeof names]);
      assertEquals(rules?.documentUrl, documentUrl);
      const { urls, code } = await outcomeOf({ authority: form as string, knownAuthorities: KNOWN });
      assertEquals([urls, code], [[documentUrl], "endpoints_resolution_error"]);
    }
  });
}

const WORKFORCE: [string, string][] = [
  ["https://login.microsoftonline.com/common", "https://login.microsoftonline.com/common"],
  [`https://login.windows.net/${GUID.toUpperCase()}/v2.0/`, `https://login.microsoftonline.com/${GUID}`],
  ["https://login.microsoftonline.us/organizations", "https://login.microsoftonline.us/organizations"],
  [
    "https://login.chinacloudapi.cn/contoso.cn",
    "https://login.partner.microsoftonline.cn/contoso.cn",
  ],
  ["https://login.contoso.com/organizations", "https://login.contoso.com/organizations"],
];
for (const [authority, base] of WORKFORCE) {
  test(`workforce ${authority} is what it is for the clients`, () => {
    const parsed = parse(authority);
    assertEquals([parsed.kind, parsed.base, parsed.rules], ["aad", base, undefined]);
  });
}

test("workforce is what it is for the clients: nothing given, two parts, and loopback in tests", () => {
  assertEquals(parseAnyAuthority({}, false).base, "https://login.microsoftonline.com/common");
  const parts = { instance: "login.microsoftonline.us", tenant: GUID };
  assertEquals(parse(parts).base, `https://login.microsoftonline.us/${GUID}`);
  for (const tenant of ["common", GUID, "contoso.example"]) {
    const authority = `http://127.0.0.1:8080/${tenant}`;
    const parsed = parseAnyAuthority({ authority }, true);
    assertEquals([parsed.kind, parsed.base, parsed.rules], ["aad", authority, undefined]);
  }
});

test("R-004 the other shapes work on loopback with allowInsecureLoopback, and not without", async () => {
  for (const path of ["adfs", `${GUID}/b2c_1_susi`, `tfp/${GUID}/b2c_1_susi`]) {
    const authority = `http://localhost:8080/${path}`;
    const parsed = parseAnyAuthority({ authority }, true);
    assertEquals([parsed.kind, parsed.base], ["oidc", authority]);
    const knownAuthorities = ["localhost:8080"];
    const { code, urls } = await outcomeOf({ authority, knownAuthorities });
    assertEquals([code, urls], ["authority_uri_insecure", []]);
  }
  const authority = "http://localhost:8080/adfs";
  const document = {
    issuer: authority,
    token_endpoint: `${authority}/token`,
    jwks_uri: `${authority}/keys`,
    access_token_issuer: "urn:adfs",
  };
  const { code, issuer } = await outcomeOf({ authority }, document, true);
  assertEquals([code, issuer?.accessTokenIssuer], ["accepted", "urn:adfs"]);
});

test("R-015 a generic issuer is discovered at its own URL, and its document names exactly it", async () => {
  const oidcAuthority = "https://idp.example/realms/main";
  const document = {
    issuer: oidcAuthority,
    token_endpoint: "https://api.idp.example/token",
    jwks_uri: "https://keys.idp.example/keys",
  };
  const good = await outcomeOf({ oidcAuthority: `${oidcAuthority}${WELL_KNOWN}` }, document);
  assertEquals([good.code, good.urls], ["accepted", [`${oidcAuthority}${WELL_KNOWN}`]]);
  for (
    const issuer of [`${oidcAuthority}INVALID`, "https://evil.example/realms/main", `${oidcAuthority}//`]
  ) {
    assertEquals((await outcomeOf({ oidcAuthority }, { ...document, issuer })).code, "issuer_mismatch");
  }
});

/** Hosts that are nobody's, or nearly somebody's: R-018. */
const LOOKALIKES: readonly string[] = [
  ...String.raw`
    https://login.microsoftonline.com.evil.tld/contoso https://evil-ciamlogin.com/contoso https://ciamlogin.com/contoso
    https://evilciamlogin.com/contoso https://contoso.evilciamlogin.com/contoso https://contoso.ciamlogin.com.evil.tld/contoso
    https://contoso.ciamlogin.com./contoso https://contoso.ciamlogin.com:444/contoso https://contoso.ciamlogin.com:80/contoso
    https://user@contoso.ciamlogin.com/contoso https://user:pass@contoso.ciamlogin.com/ https://contoso.ciamlogin.com@evil.tld/
    https://a.b.ciamlogin.com/contoso https://.ciamlogin.com/contoso https://_.ciamlogin.com/contoso
    https://contoso.ciamlogin.co/contoso https://contoso.ciamlogin.com\@evil.tld/contoso https://contoso.ciamlogin.com%2eevil.tld/
    https://xn--ontoso-21f.ciamlogin.com/ https://xn--ontoso-21f.b2clogin.com/contoso/b2c_1_susi https://contoso.ciam1ogin.com/
    https://evil-b2clogin.com/contoso/b2c_1_susi https://b2clogin.com/contoso/b2c_1_susi https://fakeb2clogin.com/c/b2c_1_susi
    https://contoso.b2clogin.com.evil.tld/contoso/b2c_1_susi https://contoso.b2clogin.com./contoso/b2c_1_susi
    https://contoso.b2clogin.com:444/contoso/b2c_1_susi https://user@contoso.b2clogin.com/contoso/b2c_1_susi
    https://a.contoso.b2clogin.com/contoso/b2c_1_susi https://contoso.b2clogin.org/contoso/b2c_1_susi
    https://contoso.b2clogin.com.cn/contoso/b2c_1_susi https://contoso.b2clogin.com@evil.tld/contoso/b2c_1_susi
    https://adfs.contoso.com.evil.tld/adfs https://evil-adfs.contoso.com/adfs https://evil.adfs.contoso.com/adfs
    https://adfs.contoso.com:444/adfs https://adfs.contoso.com./adfs https://user@adfs.contoso.com/adfs
    https://idp.contoso.com/adfs https://idp.contoso.com:8444/adfs https://contoso.com/adfs https://adfs.contos0.com/adfs
    https://login.contoso.com.evil.tld/${GUID} https://evil.login.contoso.com/${GUID} https://login.contoso.com:8443/${GUID}
    https://169.254.169.254/adfs https://[::1]/adfs https://localhost/adfs https://127.0.0.1/${GUID} https://0x7f000001/adfs
    http://contoso.ciamlogin.com/ http://contoso.b2clogin.com/contoso/b2c_1_susi http://adfs.contoso.com/adfs
    ftp://contoso.ciamlogin.com/ javascript:alert(1)//contoso.ciamlogin.com/ //contoso.ciamlogin.com/ contoso.ciamlogin.com
    https://sts.windows.net.evil.tld/${GUID} https://login-microsoftonline.com/${GUID} https://login.microsoftonline.com:444/x
    https://dsts.core.windows.net/dstsv2/x https://evil-dsts.core.windows.net/dstsv2/x https://a.dsts.core.windows.net.evil.tld/dstsv2/x
    https://a.xdsts.core.windows.net/dstsv2/x https://a.dsts.core.windows.net:444/dstsv2/x https://a.dsts.core.azure-test.com/dstsv2/x
    https://a.dsts.core.windows.net./dstsv2/x https://u@a.dsts.core.windows.net/dstsv2/x http://a.dsts.core.windows.net/dstsv2/x
    https://.dsts.core.windows.net/dstsv2/x https://xn--a-0ga.dsts.core.windows.net/dstsv2/x https://a.blob.core.windows.net/dstsv2/x
    https://login.microsoftonline.com./contoso https://westus.login.microsoftonline.com/contoso
  `.trim().split(/\s+/),
  "https://\u0441ontoso.ciamlogin.com/",
  "https://\u0441ontoso.b2clogin.com/contoso/b2c_1_susi",
  "https://contoso.\u0441iamlogin.com/",
  "https://contoso.ciamlogin\u3002com.evil.tld/",
  "https://contoso.b2clogin.com\u0000.evil.tld/contoso/b2c_1_susi",
  "https://contoso.ciamlogin.com\n/",
  " https://contoso.ciamlogin.com/",
  "https://contoso.ciamlogin.com\t.evil.tld/",
];
for (const authority of LOOKALIKES) {
  test(`R-017 R-018 authority ${JSON.stringify(authority)} is refused before any request`, async () => {
    const { code, option, urls } = await outcomeOf({ authority, knownAuthorities: KNOWN });
    assertEquals([option, urls], ["authority", []]);
    assert(["untrusted_authority", "invalid_authority", "authority_uri_insecure"].includes(code), code);
  });
}

test("R-018 look-alikes and upper case: a host that the parser folds is that host, exactly", () => {
  assertEquals(parse("https://CONTOSO.CIAMLOGIN.COM").environment, "contoso.ciamlogin.com");
  // Full-width letters are the same host to every runtime that would send the request.
  assertEquals(parse("https://contoso.ciamlogin\uff0ecom").environment, "contoso.ciamlogin.com");
});

test("R-017 each refusal of a host has the code that fits, and names the way out", async () => {
  const untrusted = await outcomeOf({ authority: "https://adfs.example/adfs" });
  assertEquals([untrusted.code, untrusted.option], ["untrusted_authority", "authority"]);
  let message = "";
  try {
    parse("https://adfs.example/adfs");
  } catch (error) {
    message = String(error);
  }
  assert(message.includes("knownAuthorities") && message.includes("adfs.example"), message);
});

const PATHS: readonly string[] = String.raw`
  ${B2C} ${B2C}/ ${B2C}/contoso.onmicrosoft.com ${B2C}/contoso.onmicrosoft.com/ ${B2C}/contoso.onmicrosoft.com/susi
  ${B2C}/contoso.onmicrosoft.com/v2.0${WELL_KNOWN}?p=B2C_1_susi ${POLICY}?x=1 ${POLICY}#x ${POLICY}/x ${POLICY}/v1.0
  ${POLICY}/oauth2/v2.0/token ${B2C}/tfp/b2c_1_susi ${B2C}/tfp//b2c_1_susi ${B2C}//contoso/b2c_1_susi ${B2C}/x/tfp/c/b2c_1_susi
  ${B2C}/te/contoso.onmicrosoft.com/b2c_1_susi ${B2C}/contoso/../b2c_1_susi ${B2C}/contoso/b2c_1_a.b ${B2C}/contoso/b2c_
  ${B2C}/contoso/b2c_1_%2e%2e ${B2C}/con_toso/b2c_1_susi ${B2C}/common/b2c_1_susi ${B2C}/organizations/b2c_1_susi
  ${B2C}/tfp/consumers/b2c_1_susi ${B2C}/contoso/b2c_1_${"x".repeat(121)} ${B2C}/adfs
  ${CIAM}// ${CIAM}/contoso/x ${CIAM}/contoso/v2.0/x ${CIAM}/common ${CIAM}/organizations ${CIAM}/consumers ${CIAM}/con_toso
  ${CIAM}/contoso/../x ${CIAM}/%2e%2e ${CIAM}/${GUID}?x ${CIAM}/${GUID}#x ${CIAM}/tfp/contoso/b2c_1_susi ${CIAM}/{tenantid}
  ${CIAM}/undefined ${CIAM}/null https://${GUID}.ciamlogin.com/${OTHER} https://${GUID}.ciamlogin.com/common
  https://adfs.contoso.com https://adfs.contoso.com/ https://adfs.contoso.com/adfs/x https://adfs.contoso.com/adfs/v2.0
  https://adfs.contoso.com/adfs/ls https://adfs.contoso.com/adfs/oauth2/token https://adfs.contoso.com//adfs
  https://login.contoso.com/ https://login.contoso.com/tfp https://login.contoso.com/tfp/${GUID} https://login.contoso.com/v2.0
  https://login.contoso.com/${GUID}/susi https://login.contoso.com/dstsv2/x/y https://login.contoso.com/dstsv2
  https://login.contoso.com/con_toso https://login.contoso.com/tfp/common/b2c_1_susi
  https://a.dsts.core.windows.net https://a.dsts.core.windows.net/common https://a.dsts.core.windows.net/dstsv2 ${DSTS}/con_toso
  https://a.dsts.core.windows.net/adfs ${DSTS}/common?x=1 ${DSTS}/common/oauth2/token ${DSTS}/../common
  https://login.microsoftonline.com/adfs https://login.microsoftonline.com/tfp/contoso.onmicrosoft.com/b2c_1_susi
  https://login.microsoftonline.com/contoso.onmicrosoft.com/b2c_1_susi https://login.microsoftonline.com
  https://login.microsoftonline.com/contoso/v2.0/.well-known/x https://login.microsoftonline.us/te/contoso/b2c_1_susi
`.trim().split(/\s+/);
for (const authority of PATHS) {
  test(`R-020 authority ${authority.slice(0, 90)} is of no shape, and refused before any request`, async () => {
    const { code, option, urls } = await outcomeOf({ authority, knownAuthorities: KNOWN });
    assertEquals([option, urls], ["authority", []]);
    assert(code === "invalid_authority" || code === "invalid_tenant", code);
  });
}

test("R-017 values that are no URL, hosts that are no hosts, and both authorities are refused, and named", async () => {
  for (const authority of [5, true, [], {}, null, Symbol("x"), () => CIAM, new Date(), ""]) {
    const { option, urls } = await outcomeOf({ authority: authority as string });
    if (authority === null) continue;
    assertEquals([`${option}`.split(".")[0], urls], ["authority", []], String(authority));
  }
  for (
    const known of [
      "adfs.contoso.com",
      ["https://adfs.contoso.com"],
      ["adfs.contoso.com/adfs"],
      [5],
      [""],
      null,
    ]
  ) {
    const { code, option } = await outcomeOf({ knownAuthorities: known as string[] });
    assertEquals([code, option], ["invalid_option", "knownAuthorities"]);
  }
  const both = await outcomeOf({ authority: CIAM, oidcAuthority: "https://idp.example" });
  assertEquals([both.code, both.option], ["conflicting_authority", "oidcAuthority"]);
  for (
    const oidcAuthority of ["http://idp.example", "https://u:p@idp.example", "https://idp.example?x", "", 5]
  ) {
    const { option, urls } = await outcomeOf({ oidcAuthority: oidcAuthority as string });
    assertEquals([option, urls], ["oidcAuthority", []]);
  }
});

test("R-189 long paths and hosts are refused in no time", () => {
  const start = performance.now();
  for (const one of ["/", ".", "-", "a/", "b2c_1_", "v2.0/", "/tfp"]) {
    for (const base of [B2C, CIAM, "https://login.contoso.com", "https://adfs.contoso.com/adfs"]) {
      try {
        parse(`${base}/${one.repeat(200_000)}x_`);
        assert(false, "accepted");
      } catch (error) {
        assert(isAuthError(error), String(error));
      }
    }
  }
  assert(performance.now() - start < 5_000);
});

test("R-018 R-020 R-196 whatever the strings, a document is asked for where it was allowed, or nothing is", async () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "contoso",
      ".b2clogin.com",
      ".ciamlogin.com",
      "login.contoso.com",
      "/adfs",
      "/tfp",
      "/b2c_1_x",
      GUID,
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
    ),
    fc.string({ maxLength: 4 }),
  );
  const text = fc.array(piece, { maxLength: 7 }).map((pieces) => `https://${pieces.join("")}`);
  const allowed =
    /^https:\/\/(?:[a-z0-9-]+\.b2clogin\.(?:com|cn)|[a-z0-9-]+\.ciamlogin\.com|login\.contoso\.com)(?:\/tfp)?(?:\/[a-z0-9.-]+)(?:\/b2c_[\w-]+)?(?:\/v2\.0)?\/\.well-known\/openid-configuration$/;
  await fc.assert(
    fc.asyncProperty(text, async (authority) => {
      const { urls } = await outcomeOf({ authority, knownAuthorities: KNOWN.slice(0, 1) });
      for (const url of urls) assert(allowed.test(url), `${authority} asked for ${url}`);
    }),
    { numRuns: 400 },
  );
});
