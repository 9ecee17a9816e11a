/** MSAL Python's rows about authorities (8.5, Z38 to Z41), A.3.1 and B.7, through the clients. */
import { assert, assertEquals } from "@std/assert";
import { callback, entraDouble, REDIRECT_URI, signingKey, TENANT_ID } from "./support/entra_double.ts";
import { KNOWN, outcomeOf, WELL_KNOWN } from "./support/any_authorities.ts";
import {
  adfsDocument,
  b2cDocument,
  type Document,
  entraDocument,
  externalIdDocument,
  OTHER_GUID as OTHER,
  TENANT_GUID as GUID,
} from "./support/microsoft_documents.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

/** What a client does that signs a user in: the code of its refusal, or where it asked for documents and sent the code. */
async function signIn(options: object, document: unknown) {
  const double = entraDouble();
  double.documents = ({ url }) =>
    url.endsWith("configuration")
      ? jsonResponse(document)
      : async () => jsonResponse({ keys: [(await signingKey()).jwk] });
  let code = "";
  try {
    const app = double.confidential({ authority: undefined, ...options });
    const flow = await double.settle(app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI }));
    double.next({ error: "invalid_grant" });
    await double.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  } catch (error) {
    ({ code } = error as { code: string });
  }
  const [document0, ...gets] = double.gets.map(({ url }) => url);
  return { code, document: document0, gets, posts: double.posts.map(({ url }) => url) };
}

/** Whether a client believed a document: then it sent the code, and was refused. */
async function believes(options: object, document: unknown): Promise<boolean | string> {
  const { code, posts } = await signIn(options, document);
  return posts.length === 1 ? true : code;
}

const generic = (issuer: unknown, over: Document = {}): Document => ({
  issuer,
  authorization_endpoint: "https://endpoints.example/authorize",
  token_endpoint: "https://endpoints.example/token",
  jwks_uri: "https://endpoints.example/keys",
  ...over,
});

const HOSTS = [
  "login.microsoftonline.com",
  "login.microsoft.com",
  "login.windows.net",
  "sts.windows.net",
  "login.partner.microsoftonline.cn",
  "login.chinacloudapi.cn",
  "login.microsoftonline.de",
  "login.microsoftonline.us",
  "login.usgovcloudapi.net",
  "login-us.microsoftonline.com",
  "login.sovcloud-identity.fr",
  "login.sovcloud-identity.de",
  "login.sovcloud-identity.sg",
];
for (const host of HOSTS) {
  test(`U1 U2 U5 ${host}: endpoints follow, and nobody is asked about the host`, async () => {
    for (const tenant of ["common", "consumers"]) {
      const double = entraDouble();
      const app = double.public({ authority: { instance: host, tenant } });
      const flow = await app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI });
      assert(
        /^https:\/\/[^/]+\/(?:common|consumers)\/oauth2\/v2\.0\/authorize\?/.test(flow.authUri),
        flow.authUri,
      );
      assertEquals([double.gets.length, double.posts.length], [0, 0]);
    }
  });
}

test("U7 U8 External ID without a path has the tenant of its name, and any other by its path", async () => {
  for (const path of ["", "/", "/contoso.onmicrosoft.com", "/anything"]) {
    const { document, gets } = await signIn({ authority: `https://contoso.ciamlogin.com${path}` }, {});
    const tenant = path.length > 1 ? path.slice(1) : "contoso.onmicrosoft.com";
    assertEquals(document, `https://contoso.ciamlogin.com/${tenant}/v2.0${WELL_KNOWN}`);
    assertEquals(gets, []);
  }
});

test("U10 dSTS goes by its document, as authority and as oidcAuthority", async () => {
  const at = "https://test-instance1-dsts.dsts.core.azure-test.net/dstsv2/common";
  const elsewhere = "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2";
  const document = {
    issuer: at,
    authorization_endpoint: `${elsewhere}/authorize`,
    token_endpoint: `${elsewhere}/token`,
    jwks_uri: `${elsewhere}/keys`,
  };
  for (const options of [{ authority: at }, { oidcAuthority: at }]) {
    const found = await signIn(options, document);
    assertEquals([found.document, found.posts], [`${at}${WELL_KNOWN}`, [`${elsewhere}/token`]]);
  }
  for (const host of ["evil.example", "dsts.core.azure-test.net.evil.example", "login.microsoftonline.com"]) {
    const token_endpoint = `https://${host}/dstsv2/common/oauth2/token`;
    assertEquals(
      await believes({ authority: at }, { ...document, token_endpoint }),
      "endpoints_resolution_error",
    );
  }
});

/** What MSAL reads and this refuses, with the reason; and what neither takes. */
const REFUSED: [string, object, string][] = [
  [
    "U3 a host that is nobody's",
    { authority: "https://example.com/tenant_doesnt_matter" },
    "untrusted_authority",
  ],
  ["U11 more path, a query, a fragment", {
    authority: "https://example.com/tenant/subpath?foo=bar#fragment",
    knownAuthorities: ["example.com"],
  }, "invalid_authority"],
  ["U11 a query", { authority: "https://login.microsoftonline.com/tenant?foo=bar" }, "invalid_authority"],
  ["U11 a fragment", { authority: "https://login.microsoftonline.com/tenant#fragment" }, "invalid_authority"],
  ["U12 http", { authority: "http://non.https.example.com/tenant" }, "authority_uri_insecure"],
  ["U13 no tenant", {
    authority: "https://no.tenant.example.com",
    knownAuthorities: ["no.tenant.example.com"],
  }, "invalid_authority"],
  ["U13 a slash for a tenant", {
    authority: "https://no.tenant.example.com/",
    knownAuthorities: ["no.tenant.example.com"],
  }, "invalid_authority"],
  ["U20 ADFS that is not known", { authority: "https://contoso.com/adfs" }, "untrusted_authority"],
  [
    "Z39 a query beside the port",
    { authority: "https://login.microsoftonline.com:443/t?x=y" },
    "invalid_authority",
  ],
  [
    "Z41 a policy at the workforce's host",
    { authority: "https://login.microsoftonline.com/contoso/b2c_1_x" },
    "invalid_authority",
  ],
  [
    "Z41 tfp at the workforce's host",
    { authority: "https://login.microsoftonline.com/tfp/contoso/b2c_1_x" },
    "invalid_authority",
  ],
  [
    "Z41 a policy at a host that is not known",
    { authority: "https://login.contoso.com/contoso/b2c_1_x" },
    "untrusted_authority",
  ],
];
for (const [row, options, code] of REFUSED) {
  test(`${row}: ${code}, and no request`, async () => {
    const found = await signIn(options, {});
    assertEquals([found.code, found.document, found.posts], [code, undefined, []]);
  });
}

/** What is asked for: the row, the options, the document's URL. */
const ASKED: [string, object, string][] = [
  [
    "U20 ADFS",
    { authority: "https://contoso.com/adfs", knownAuthorities: ["contoso.com"] },
    `https://contoso.com/adfs${WELL_KNOWN}`,
  ],
  [
    "U21 B2C",
    { authority: "https://login.b2clogin.com/contoso/b2c_policy" },
    `https://login.b2clogin.com/contoso/b2c_policy/v2.0${WELL_KNOWN}`,
  ],
  [
    "Z38 no slash is doubled",
    { authority: "https://login.microsoftonline.com/contoso.example/" },
    `https://login.microsoftonline.com/contoso.example/v2.0${WELL_KNOWN}`,
  ],
  [
    "Z39 the port that is the default",
    { authority: "https://login.microsoftonline.com:443/contoso.example" },
    `https://login.microsoftonline.com/contoso.example/v2.0${WELL_KNOWN}`,
  ],
  [
    "Z40 a port",
    { authority: "https://good.example:8443/t", knownAuthorities: ["good.example:8443"] },
    `https://good.example:8443/t/v2.0${WELL_KNOWN}`,
  ],
  ["Z41 a policy by its path", {
    authority: "https://login.contoso.com/contoso/b2c_1_x",
    knownAuthorities: KNOWN,
  }, `https://login.contoso.com/contoso/b2c_1_x/v2.0${WELL_KNOWN}`],
  [
    "3.1 an oidcAuthority without a path",
    { oidcAuthority: "https://idp.example" },
    `https://idp.example${WELL_KNOWN}`,
  ],
];
for (const [row, options, url] of ASKED) {
  test(`${row}: discovery at ${url}, and nobody is asked about the host`, async () => {
    const found = await signIn(options, {});
    assertEquals([found.document, found.gets, found.posts], [url, [], []]);
  });
}

const C = "https://custom-domain.com/tenant";
/** 3.7: authority, issuer, what MSAL decides. Here R-015 decides: the issuer is the one that was given, or it is refused. */
const ISSUERS: [string, string, string, boolean][] = [
  ["I1", "https://example.com/tenant", "https://example.com/tenant", true],
  ["I3", "https://example.com/tenant", "https://login.microsoftonline.com/tenant", true],
  ["I4", "https://custom-domain.com/tenant_name", "https://tenant_name.ciamlogin.com", true],
  ["I5", "https://tenant-name.ciamlogin.com/custom/path", "https://tenant-name.ciamlogin.com", true],
  ["I6", "https://example.com/tenant", "https://malicious-site.com/tenant", false],
  ["I8", C, "https://westus2.login.microsoftonline.com/tenant", true],
  ["I9", C, "https://eastus.login.microsoftonline.com/tenant", true],
  ["I10", C, "https://chinanorth.login.chinacloudapi.cn/tenant", true],
  ["I11", C, "https://usgovvirginia.login.microsoftonline.us/tenant", true],
  ["I13", C, "https://westus2.login.evil.com/tenant", false],
  ["I14", "https://example.com/tenant/", "https://example.com/tenant", true],
  ["I15", C, "https://WESTUS2.LOGIN.MICROSOFTONLINE.COM/tenant", true],
  ["I16", "https://someweb.com/tenant", "https://us.someweb.com/tenant", true],
  ["I18", "https://otherdomain.com/tenant", "https://us.someweb.com/tenant", false],
  ["I19", "https://someweb.com/tenant", "https://eastus.someweb.com/v2", true],
  ["I20", C, "https://tenant.b2clogin.com/tenant/v2.0", true],
  ["I21", C, "https://tenant.b2clogin.cn/tenant/v2.0", true],
  ["I22", C, "https://tenant.b2clogin.us/tenant/v2.0", true],
  ["I23", C, "https://mytenant.ciamlogin.com/tenant", false],
  ["I24 fakeb2clogin", C, "https://fakeb2clogin.com/tenant", false],
  ["I24 evilb2clogin", C, "https://evilb2clogin.com/tenant", false],
  ["I24 b2clogin.com.evil", C, "https://b2clogin.com.evil.com/tenant", false],
  ["I24 fakeciamlogin", C, "https://fakeciamlogin.com/tenant", false],
  [
    "I26 login.windows.net",
    "https://login.microsoftonline.com/tenant",
    "https://login.windows.net/tenant",
    true,
  ],
  [
    "I26 login.microsoft.com",
    "https://login.microsoftonline.com/tenant",
    "https://login.microsoft.com/tenant",
    true,
  ],
  ["I26 sts.windows.net", "https://login.microsoftonline.com/tenant", "https://sts.windows.net/tenant", true],
  ["I27", "https://login.partner.microsoftonline.cn/tenant", "https://login.chinacloudapi.cn/tenant", true],
  ["I28", "https://login.microsoftonline.us/tenant", "https://login.usgovcloudapi.net/tenant", true],
  [
    "I29",
    "https://clientlogin.test.parentpay.com/tid/v2.0",
    "https://login.microsoftonline.com/tid/v2.0",
    true,
  ],
  ["I31", "https://idp.contoso.com/tenant", "https://login.partner.microsoftonline.cn/tenant", true],
  ["I32", "https://login.microsoftonline.com/tenant", "https://westus2.login.microsoft.com/tenant", true],
  [
    "I33",
    "https://login.partner.microsoftonline.cn/tenant",
    "https://chinaeast2.login.chinacloudapi.cn/tenant",
    true,
  ],
  [
    "I34",
    "https://login.sovcloud-identity.de/tenant",
    "https://germanywestcentral.login.sovcloud-identity.de/tenant",
    true,
  ],
  [
    "I36",
    "https://contoso.ciamlogin.com/contoso.onmicrosoft.com",
    "https://contoso.ciamlogin.com/contoso.onmicrosoft.com/v2.0",
    true,
  ],
  [
    "I37",
    "https://login.microsoftonline.com/tenant",
    "https://login.partner.microsoftonline.cn/tenant",
    false,
  ],
  ["I38", "https://login.microsoftonline.com/tenant", "https://login.microsoftonline.us/tenant", false],
  ["I39", "https://login.microsoftonline.us/tenant", "https://login.microsoftonline.com/tenant", false],
  [
    "I40",
    "https://login.partner.microsoftonline.cn/tenant",
    "https://login.microsoftonline.com/tenant",
    false,
  ],
  [
    "I41",
    "https://login.microsoftonline.com/tenant",
    "https://chinanorth.login.chinacloudapi.cn/tenant",
    false,
  ],
  [
    "I42",
    "https://login.microsoftonline.us/tenant",
    "https://westus2.login.microsoftonline.com/tenant",
    false,
  ],
  ["I43", "https://login.sovcloud-identity.fr/tenant", "https://login.sovcloud-identity.de/tenant", false],
  [
    "I44",
    "https://login.partner.microsoftonline.cn/tenant",
    "https://login.microsoftonline.us/tenant",
    false,
  ],
  ["I45", "https://login.microsoftonline.com/tenant", "http://login.microsoftonline.com/tenant", false],
  [
    "I46",
    "https://customlogin.example.com/tenant",
    "https://attacker.evil.login.microsoft.com/tenant",
    false,
  ],
  ["I48", "https://login.microsoftonline.com/contoso", "https://attacker.ciamlogin.com/attacker/v2.0", false],
];
for (const [row, oidcAuthority, issuer, msalTakes] of ISSUERS) {
  const same = oidcAuthority.replace(/\/$/, "") === issuer;
  const what = same ? "accepted" : msalTakes ? "MSAL takes it, R-015 refuses it" : "refused";
  test(`${row} oidcAuthority ${oidcAuthority}, issuer ${issuer}: ${what}`, async () => {
    const { host } = new URL(oidcAuthority);
    const at = /microsoft|sovcloud|ciamlogin/.test(host) ? `https://${host}` : "https://endpoints.example";
    const over = {
      authorization_endpoint: `${at}/authorize`,
      token_endpoint: `${at}/token`,
      jwks_uri: `${at}/keys`,
    };
    assertEquals(await believes({ oidcAuthority }, generic(issuer, over)), same ? true : "issuer_mismatch");
  });
}

/** What to write where R-015 refuses an `oidcAuthority` that MSAL takes: the row, the options, the document. */
const INSTEAD: [string, object, Document][] = [
  [
    "I3 I29 a workforce tenant behind a domain of its own",
    {
      authority: `https://login.contoso.com/${GUID}`,
      knownAuthorities: ["login.contoso.com", "login.microsoftonline.com"],
    },
    entraDocument(
      `https://login.contoso.com/${GUID}`,
      `https://login.microsoftonline.com/${GUID}/v2.0`,
      "microsoftonline.com",
    ),
  ],
  [
    "I31 one in China",
    {
      authority: `https://login.contoso.com/${GUID}`,
      knownAuthorities: ["login.contoso.com", "login.partner.microsoftonline.cn"],
    },
    entraDocument(
      `https://login.contoso.com/${GUID}`,
      `https://login.partner.microsoftonline.cn/${GUID}/v2.0`,
      "partner.microsoftonline.cn",
    ),
  ],
  [
    "I4 External ID behind a domain of its own",
    { authority: `https://login.contoso.com/${GUID}`, knownAuthorities: ["login.contoso.com"] },
    externalIdDocument({}, "login.contoso.com"),
  ],
  ["I5 I36 External ID", { authority: "https://contoso.ciamlogin.com" }, externalIdDocument()],
  [
    "I8 a region's issuer",
    {
      authority: `https://login.contoso.com/${GUID}`,
      knownAuthorities: ["login.contoso.com", "westus2.login.microsoftonline.com"],
    },
    entraDocument(
      `https://login.contoso.com/${GUID}`,
      `https://westus2.login.microsoftonline.com/${GUID}/v2.0`,
      "microsoftonline.com",
    ),
  ],
  [
    "I16 I19 another host of the same owner",
    {
      authority: `https://login.contoso.com/${GUID}`,
      knownAuthorities: ["login.contoso.com", "us.login.contoso.com"],
    },
    entraDocument(`https://login.contoso.com/${GUID}`, `https://us.login.contoso.com/${GUID}/v2.0`, "x"),
  ],
  [
    "I20 B2C behind a domain of its own",
    {
      authority: `https://login.contoso.com/${GUID}/b2c_1_x`,
      knownAuthorities: ["login.contoso.com", "contoso.b2clogin.com"],
    },
    b2cDocument(`https://login.contoso.com/${GUID}/b2c_1_x`, `https://contoso.b2clogin.com/${GUID}/v2.0/`),
  ],
  [
    "I26 I32 an alias",
    { authority: "https://login.windows.net/contoso.example" },
    entraDocument(
      `https://login.microsoftonline.com/${GUID}`,
      `https://login.microsoftonline.com/${GUID}/v2.0`,
      "microsoftonline.com",
    ),
  ],
];
for (const [row, options, document] of INSTEAD) {
  test(`${row}: authority with knownAuthorities is accepted, and of another tenant it is not`, async () => {
    assertEquals(await believes(options, document), true);
    const issuer = `${document["issuer"]}`.replace(GUID, "contoso.example");
    assertEquals(await believes(options, { ...document, issuer }), "issuer_mismatch");
    const evil = `${document["issuer"]}`.replace(/^https:\/\/[^/]+/, "https://evil.example");
    assertEquals(await believes(options, { ...document, issuer: evil }), "issuer_mismatch");
  });
}

const AAD = "https://login.microsoftonline.com/contoso.example";
const own = (authority: string, over: Document = {}): Document => {
  const { host } = new URL(authority);
  const network = host === "login.usgovcloudapi.net" ? "login.microsoftonline.us" : host;
  return entraDocument(`https://${network}/${GUID}`, `https://${network}/${GUID}/v2.0`, "x", over);
};
/** The S rows, by what they are for: whether a document of one host may name an endpoint on another. */
const SAME_CLOUD: [string, string, boolean][] = [
  ["login.microsoftonline.com", "login.windows.net", true],
  ["login.microsoftonline.com", "westus2.login.microsoft.com", true],
  ["login.microsoftonline.com", "PREFIX.login.microsoft.com", true],
  ["login.microsoftonline.com", "eastus2euap.login.microsoft.com", true],
  ["login.microsoftonline.com", "southafricanorth.login.windows.net", true],
  ["login.microsoftonline.us", "login.usgovcloudapi.net", true],
  ["login.microsoftonline.us", "usgovvirginia.login.microsoftonline.us", true],
  ["login.partner.microsoftonline.cn", "chinaeast2.login.chinacloudapi.cn", true],
  ["login.sovcloud-identity.fr", "francecentral.login.sovcloud-identity.fr", true],
  ["login.microsoftonline.com", "login.chinacloudapi.cn", false],
  ["login.microsoftonline.com", "login.microsoftonline.us", false],
  ["login.microsoftonline.us", "login.partner.microsoftonline.cn", false],
  ["login.microsoftonline.com", "login.microsoftonline.de", false],
  ["login.sovcloud-identity.fr", "login.sovcloud-identity.de", false],
  ["login.microsoftonline.com", "login.windows-ppe.net", false],
  ["login.microsoftonline.com", "login.contoso.com", false],
  ["login.microsoftonline.com", "attacker.evil.login.microsoft.com", false],
  ["login.microsoftonline.com", "weird_prefix.login.microsoft.com", false],
  ["login.microsoftonline.com", "-leading.login.microsoft.com", false],
  ["login.microsoftonline.com", "trailing-.login.microsoft.com", false],
  ["login.microsoftonline.com", `${"a".repeat(64)}.login.microsoft.com`, false],
  ["login.microsoftonline.com", "microsoftonline.com", false],
  ["login.microsoftonline.com", "ciamlogin.com", false],
];
for (const [host, other, isSame] of SAME_CLOUD) {
  test(`S X10 ${other} is ${isSame ? "" : "not "}of the cloud of ${host}`, async () => {
    const authority = `https://${host}/contoso.example`;
    const token_endpoint = `https://${other}/${GUID}/oauth2/v2.0/token`;
    const { code } = await outcomeOf({ authority }, own(authority, { token_endpoint }));
    assertEquals(code, isSame ? "accepted" : "endpoints_resolution_error");
    const oidcAuthority = `https://${host}/${GUID}/v2.0`;
    const found = await outcomeOf({ oidcAuthority }, own(authority, { token_endpoint }));
    assertEquals(found.code, isSame ? "accepted" : "endpoints_resolution_error");
  });
}

/** The X rows: the authority, what its document names, whether it is believed. */
const ENDPOINTS: [string, object, Document, boolean][] = [
  [
    "X1",
    { authority: AAD },
    own(AAD, { token_endpoint: "https://login.partner.microsoftonline.cn/t/oauth2/v2.0/token" }),
    false,
  ],
  [
    "X2",
    { authority: AAD },
    own(AAD, { token_endpoint: "https://attacker.example.com/oauth2/v2.0/token" }),
    false,
  ],
  [
    "X3",
    { authority: AAD },
    own(AAD, { authorization_endpoint: "https://login.chinacloudapi.cn/t/oauth2/v2.0/authorize" }),
    false,
  ],
  [
    "X5",
    { authority: AAD },
    own(AAD, { device_authorization_endpoint: "https://login.chinacloudapi.cn/t/devicecode" }),
    false,
  ],
  ["X6", { authority: AAD }, own(AAD, { device_authorization_endpoint: undefined }), true],
  [
    "X7",
    { authority: "https://contoso.ciamlogin.com" },
    externalIdDocument({ token_endpoint: "https://login.chinacloudapi.cn/t" }),
    false,
  ],
  [
    "X8",
    { authority: "https://contoso.ciamlogin.com" },
    externalIdDocument({ token_endpoint: "https://login.microsoftonline.com/t" }),
    true,
  ],
];
for (const [row, options, document, isGood] of ENDPOINTS) {
  test(`${row} a document that names an endpoint elsewhere: ${isGood ? "fine" : "refused"}, and nothing is sent there`, async () => {
    const { code, posts } = await signIn(options, document);
    assertEquals(
      [posts.length, code],
      isGood ? [1, "server_error"] : [0, "endpoints_resolution_error"],
    );
    for (const url of posts) {
      assert(/^https:\/\/(?:login\.microsoftonline|contoso\.ciamlogin)\.com\/contoso/.test(url), url);
    }
  });
}

test("X1 the error names the member, and the way the clouds are apart", async () => {
  const double = entraDouble();
  double.documents = () => jsonResponse(own(AAD, { token_endpoint: "https://login.chinacloudapi.cn/t" }));
  const error = await double.refused(double.signIn(double.confidential({ authority: AAD })));
  assert(
    error.message.includes("token_endpoint") && error.message.includes("sovereign cloud"),
    error.message,
  );
});

/** A.3.1: authority, the document's issuer. All are accepted, and with an unrelated issuer none is. */
const MEASURED: [string, object, Document][] = [
  ["a tenant's domain", { authority: AAD }, own(AAD)],
  [
    "consumers",
    { authority: "https://login.contoso.com/consumers", knownAuthorities: KNOWN },
    entraDocument(
      "https://login.contoso.com/x",
      "https://login.contoso.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0",
      "x",
    ),
  ],
  ["a cloud's alias", { authority: "https://login.windows.net/contoso.example" }, own(AAD)],
  [
    "the US government's cloud",
    { authority: "https://login.microsoftonline.us/contoso.example" },
    own("https://login.microsoftonline.us/x"),
  ],
  ["External ID by GUID", { authority: `https://contoso.ciamlogin.com/${GUID}` }, externalIdDocument()],
  [
    "B2C",
    { authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_x" },
    b2cDocument(
      "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_x",
      `https://contoso.b2clogin.com/${GUID}/v2.0/`,
    ),
  ],
  ["B2C on a domain of its own", {
    authority: `https://login.contoso.com/${GUID}/B2C_1_x`,
    knownAuthorities: KNOWN,
  }, b2cDocument(`https://login.contoso.com/${GUID}/b2c_1_x`, `https://login.contoso.com/${GUID}/v2.0/`)],
  ["ADFS", { authority: "https://adfs.contoso.com/adfs", knownAuthorities: KNOWN }, adfsDocument()],
];
for (const [what, options, document] of MEASURED) {
  test(`A.3.1 R-016 ${what} is accepted as its service documents it, and of an unrelated issuer it is not`, async () => {
    assertEquals(await believes(options, document), true);
    for (
      const issuer of [
        "https://evil.example",
        `https://login.microsoftonline.com/${OTHER}/v2.0x`,
        "",
        5,
        undefined,
      ]
    ) {
      const code = await believes(options, { ...document, issuer });
      assert(code === "issuer_mismatch" || code === "endpoints_resolution_error", `${code}`);
    }
  });
}

for (
  const authority of [
    "https://login.microsoftonline.us/organizations",
    "https://login.partner.microsoftonline.cn/common",
  ]
) {
  test(`A.3.1 ${authority} has the template of its cloud, without a request`, async () => {
    const { issuer, urls } = await outcomeOf({ authority });
    assertEquals([issuer?.issuer, urls], [`https://${new URL(authority).host}/{tenantid}/v2.0`, []]);
  });
}

const ALIASES = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"];
for (const host of ALIASES) {
  test(`3.6 tokens that were stored under ${host} are found under every alias, and under no other cloud`, async () => {
    const double = entraDouble();
    const at = (name: string) => double.confidential({ authority: `https://${name}/${TENANT_ID}` });
    await double.signIn(at(host));
    const account = Object.values(JSON.parse(double.tokenCache.serialize()).Account)[0] as {
      environment: string;
    };
    assertEquals(account.environment, host);
    const { homeAccountId } =
      (await double.public({ authority: `https://${host}/common` }).getAccounts())[0]!;
    for (const alias of ALIASES) {
      const found = await at(alias).acquireTokenSilent({ scopes: ["User.Read"], account: homeAccountId });
      assertEquals(found.tokenSource, "cache");
    }
    for (const other of ["login.microsoftonline.us", "login.partner.microsoftonline.cn"]) {
      const asked = at(other).acquireTokenSilent({ scopes: ["User.Read"], account: homeAccountId });
      assertEquals((await double.refused(asked)).code, "no_tokens_found");
    }
    await at(ALIASES[0]!).removeAccount(homeAccountId);
    assertEquals(JSON.parse(double.tokenCache.serialize()).Account ?? {}, {});
  });
}
