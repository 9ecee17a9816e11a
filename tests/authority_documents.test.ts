/** Which discovery documents an authority may have, and where its endpoints may be (R-016, R-019, R-080..R-082). */
import { assertEquals } from "@std/assert";
import { ADFS, B2C, CIAM, KNOWN, outcomeOf, POLICY } from "./support/any_authorities.ts";
import {
  adfsDocument,
  b2cDocument,
  type Document,
  entraDocument,
  externalIdDocument,
  OTHER_GUID as OTHER,
  TENANT_GUID as GUID,
} from "./support/microsoft_documents.ts";
import { test } from "./support/suite.ts";

/** Documents that the authority may have, or may not: A.3.1 and its relatives. */
const DOCUMENTS: [string, string, Document, boolean, string?][] = [
  ["B2C, GUID issuer", POLICY, b2cDocument(POLICY, `${B2C}/${GUID}/v2.0/`), true],
  ["B2C, tfp issuer", POLICY, b2cDocument(POLICY, `${B2C}/tfp/${GUID}/B2C_1_susi/v2.0/`), true],
  [
    "B2C, tfp issuer without a slash",
    POLICY,
    b2cDocument(POLICY, `${B2C}/tfp/${GUID}/b2c_1_susi/v2.0`),
    true,
  ],
  [
    "B2C, tfp issuer of another policy",
    POLICY,
    b2cDocument(POLICY, `${B2C}/tfp/${GUID}/b2c_1_reset/v2.0/`),
    false,
  ],
  [
    "B2C, issuer of its own domain",
    POLICY,
    b2cDocument(POLICY, `${B2C}/contoso.onmicrosoft.com/v2.0/`),
    true,
  ],
  [
    "B2C, issuer of another domain",
    POLICY,
    b2cDocument(POLICY, `${B2C}/fabrikam.onmicrosoft.com/v2.0/`),
    false,
  ],
  [
    "B2C, issuer on another tenant's host",
    POLICY,
    b2cDocument(POLICY, `https://evil.b2clogin.com/${GUID}/v2.0/`),
    false,
  ],
  ["B2C, issuer in http", POLICY, b2cDocument(POLICY, `http://contoso.b2clogin.com/${GUID}/v2.0/`), false],
  [
    "B2C, issuer of a look-alike",
    POLICY,
    b2cDocument(POLICY, `https://contoso.b2clogin.com.evil.tld/${GUID}/v2.0/`),
    false,
  ],
  [
    "B2C, issuer of Entra",
    POLICY,
    b2cDocument(POLICY, `https://login.microsoftonline.com/${GUID}/v2.0/`),
    false,
  ],
  ["B2C, a template", POLICY, b2cDocument(POLICY, `${B2C}/{tenantid}/v2.0/`), false],
  ["B2C, two slashes", POLICY, b2cDocument(POLICY, `${B2C}/${GUID}/v2.0//`), false],
  ["B2C, a line end", POLICY, b2cDocument(POLICY, `${B2C}/${GUID}/v2.0/\n`), false],
  ["B2C, nothing", POLICY, b2cDocument(POLICY, ""), false],
  ["B2C by GUID, its own", `${B2C}/${GUID}/b2c_1_susi`, b2cDocument(POLICY, `${B2C}/${GUID}/v2.0/`), true],
  [
    "B2C by GUID, another tenant's",
    `${B2C}/${GUID}/b2c_1_susi`,
    b2cDocument(POLICY, `${B2C}/${OTHER}/v2.0/`),
    false,
  ],
  [
    "B2C on a domain of its own",
    `https://login.contoso.com/${GUID}/b2c_1_susi`,
    b2cDocument(`https://login.contoso.com/${GUID}/b2c_1_susi`, `https://login.contoso.com/${GUID}/v2.0/`),
    true,
  ],
  [
    "B2C on a domain of its own, issuer on a host that is not listed",
    `https://login.contoso.com/${GUID}/b2c_1_susi`,
    b2cDocument(`https://login.contoso.com/${GUID}/b2c_1_susi`, `${B2C}/${GUID}/v2.0/`),
    false,
  ],
  [
    "B2C on a domain of its own, issuer on a host that is listed, too",
    `https://login.contoso.com/${GUID}/b2c_1_susi`,
    b2cDocument(`https://login.contoso.com/${GUID}/b2c_1_susi`, `https://adfs.contoso.com/${GUID}/v2.0/`),
    true,
  ],
  ["External ID by host", CIAM, externalIdDocument(), true],
  ["External ID by GUID", `${CIAM}/${GUID}`, externalIdDocument(), true],
  ["External ID by its issuer", `https://${GUID}.ciamlogin.com/${GUID}`, externalIdDocument(), true],
  ["R-081 External ID by GUID, another tenant's", `${CIAM}/${OTHER}`, externalIdDocument(), false],
  [
    "R-081 External ID by another tenant's issuer",
    `https://${OTHER}.ciamlogin.com/contoso.example`,
    externalIdDocument(),
    false,
  ],
  [
    "R-081 External ID, two GUIDs that differ",
    CIAM,
    externalIdDocument({ issuer: `https://${GUID}.ciamlogin.com/${OTHER}/v2.0` }),
    false,
  ],
  [
    "R-081 External ID, the name in the issuer",
    CIAM,
    externalIdDocument({ issuer: `${CIAM}/${GUID}/v2.0` }),
    false,
  ],
  [
    "R-081 External ID, issuer of login.microsoftonline.com",
    CIAM,
    externalIdDocument({ issuer: `https://login.microsoftonline.com/${GUID}/v2.0` }),
    false,
  ],
  [
    "R-081 External ID, version 1",
    CIAM,
    externalIdDocument({ issuer: `https://sts.windows.net/${GUID}/` }),
    false,
  ],
  [
    "R-081 External ID, a template",
    CIAM,
    externalIdDocument({ issuer: "https://{tenantid}.ciamlogin.com/{tenantid}/v2.0" }),
    false,
  ],
  [
    "R-081 External ID, a GUID in capitals",
    CIAM,
    externalIdDocument({ issuer: `https://${GUID}.ciamlogin.com/${GUID.toUpperCase()}/v2.0` }),
    false,
  ],
  [
    "External ID on a domain of its own",
    `https://login.contoso.com/${GUID}`,
    externalIdDocument({}, "login.contoso.com"),
    true,
  ],
  [
    "External ID on a domain of its own, endpoints on ciamlogin.com",
    `https://login.contoso.com/${GUID}`,
    externalIdDocument(),
    true,
  ],
  [
    "a proxy of a workforce tenant",
    `https://login.contoso.com/${GUID}`,
    entraDocument(
      `https://login.contoso.com/${GUID}`,
      `https://login.contoso.com/${GUID}/v2.0`,
      "microsoftonline.com",
    ),
    true,
  ],
  [
    "a domain of its own, another tenant's",
    `https://login.contoso.com/${OTHER}`,
    externalIdDocument({}, "login.contoso.com"),
    false,
  ],
  [
    "a domain of its own, issuer of login.microsoftonline.com",
    `https://login.contoso.com/${GUID}`,
    externalIdDocument({ issuer: `https://login.microsoftonline.com/${GUID}/v2.0` }, "login.contoso.com"),
    false,
  ],
  ["ADFS", ADFS, adfsDocument(), true],
  ["ADFS, another host's", ADFS, adfsDocument("adfs.fabrikam.com"), false],
  [
    "ADFS, its access token issuer",
    ADFS,
    adfsDocument(undefined, {
      issuer: "http://adfs.contoso.com/adfs/services/trust",
    }),
    false,
  ],
];
for (const [what, authority, document, accepted] of DOCUMENTS) {
  test(`R-016 the document of ${what} is ${accepted ? "accepted" : "refused"}`, async () => {
    const { code, issuer } = await outcomeOf({ authority, knownAuthorities: KNOWN }, document);
    assertEquals(code, accepted ? "accepted" : "issuer_mismatch");
    if (accepted) assertEquals([issuer?.issuer, issuer?.jwksUri], [document["issuer"], document["jwks_uri"]]);
  });
}

/** Where each kind's endpoints may be: R-019. */
const HOSTS: [string, string, Document, readonly string[], readonly string[]][] = [
  ["B2C", POLICY, b2cDocument(POLICY, `${B2C}/${GUID}/v2.0/`), [B2C], [
    "https://evil.b2clogin.com",
    "https://login.microsoftonline.com",
    CIAM,
  ]],
  ["External ID", CIAM, externalIdDocument(), [CIAM, `https://${GUID}.ciamlogin.com`], [
    "https://login.partner.microsoftonline.cn",
    "https://evil-ciamlogin.com",
    "https://ciamlogin.com",
    "https://contoso.ciamlogin.com:444",
    "https://adfs.contoso.com",
    B2C,
  ]],
  ["ADFS", ADFS, adfsDocument(), [
    "https://adfs.contoso.com",
    "https://login.contoso.com",
  ], [
    "https://keys.contoso.com",
    "https://adfs.contoso.com:444",
    "https://login.microsoftonline.com",
  ]],
];
for (const [what, authority, document, good, foreign] of HOSTS) {
  const bad = [
    ...foreign,
    "http://adfs.contoso.com",
    "https://evil.tld",
    "https://10.0.0.1",
    "https://169.254.169.254",
    "https://localhost",
    "https://[::1]",
    `${new URL(authority).origin}.evil.tld`,
    new URL(authority).origin.replace("//", "//u:p@"),
  ];
  for (const member of ["jwks_uri", "token_endpoint", "authorization_endpoint", "end_session_endpoint"]) {
    test(`R-019 the ${member} of ${what} must be on a host of its own`, async () => {
      const ask = (at: string) =>
        outcomeOf({ authority, knownAuthorities: KNOWN }, { ...document, [member]: `${at}/x` });
      for (const at of good) assertEquals((await ask(at)).code, "accepted", at);
      for (const at of bad) assertEquals((await ask(at)).code, "endpoints_resolution_error", at);
    });
  }
}

test("X7 X8 External ID is of the public cloud: a document may name endpoints there, and nowhere in another", async () => {
  for (const host of ["login.microsoftonline.com", "login.windows.net", "eastus.login.microsoft.com"]) {
    const token_endpoint = `https://${host}/${GUID}/oauth2/v2.0/token`;
    assertEquals(
      (await outcomeOf({ authority: CIAM }, externalIdDocument({ token_endpoint }))).code,
      "accepted",
    );
  }
  for (
    const host of [
      "login.partner.microsoftonline.cn",
      "login.microsoftonline.us",
      "evil.x.login.microsoft.com",
    ]
  ) {
    const token_endpoint = `https://${host}/${GUID}/oauth2/v2.0/token`;
    const { code } = await outcomeOf({ authority: CIAM }, externalIdDocument({ token_endpoint }));
    assertEquals(code, "endpoints_resolution_error");
  }
});

test("R-081 keys of External ID are never taken from login.microsoftonline.com, even where that is listed", async () => {
  const jwks_uri = `https://login.microsoftonline.com/${GUID}/discovery/v2.0/keys`;
  const knownAuthorities = ["login.microsoftonline.com"];
  const { code } = await outcomeOf({ authority: CIAM, knownAuthorities }, externalIdDocument({ jwks_uri }));
  assertEquals(code, "endpoints_resolution_error");
});

test("R-082 access_token_issuer is told apart from issuer, and is no URL that anything is sent to", async () => {
  const ask = async (over: Document) => {
    const authority = ADFS;
    return (await outcomeOf({ authority, knownAuthorities: KNOWN }, adfsDocument(undefined, over))).issuer;
  };
  assertEquals((await ask({}))?.accessTokenIssuer, "http://adfs.contoso.com/adfs/services/trust");
  for (const access_token_issuer of [undefined, null, 5, ["x"], {}]) {
    const found = await ask({ access_token_issuer });
    assertEquals([found?.issuer, found?.accessTokenIssuer], [ADFS, undefined]);
  }
});
