/** Who may have issued a token of B2C, External ID, ADFS or a generic issuer (R-015, R-071..R-077, R-080..R-082). */
import { assert, assertEquals } from "@std/assert";
import { parseAnyAuthority } from "../src/authority/any_authority.ts";
import type { IssuerFail } from "../src/authority/issuer_rules.ts";
import { checkIssuer, checkKeyIssuer } from "../src/token/id_token_issuer.ts";
import { ADFS, B2C, CIAM, KNOWN, POLICY } from "./support/any_authorities.ts";
import {
  CLIENT,
  codeOf,
  CORRELATION,
  goodClaims,
  keyPair,
  MSA,
  NONCE,
  OID,
  signToken,
  tokenFixture,
} from "./support/id_tokens.ts";
import {
  type Claims,
  ISSUER,
  KEY,
  metadataOf,
  type Scene,
  STS,
  table,
  v1,
  v2,
  verdict,
} from "./support/issuer_tables.ts";
import {
  adfsDocument,
  b2cDocument,
  type Document,
  entraDocument,
  externalIdDocument,
  OTHER_GUID as OTHER,
  TENANT_GUID as GUID,
} from "./support/microsoft_documents.ts";
import { fc } from "./support/property.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const GUID_ISSUER = `${B2C}/${GUID}/v2.0/`;
const TFP_ISSUER = `${B2C}/tfp/${GUID}/b2c_1_susi/v2.0/`;
const CUSTOM = `https://login.contoso.com/${GUID}/b2c_1_susi`;
const B2C_SCENES: [string, string, Scene][] = [
  ["GUID issuer", GUID_ISSUER, {
    options: { authority: POLICY },
    document: b2cDocument(POLICY, GUID_ISSUER),
  }],
  ["tfp issuer", TFP_ISSUER, {
    options: { authority: `${B2C}/tfp/contoso.onmicrosoft.com/B2C_1_SUSI` },
    document: b2cDocument(POLICY, TFP_ISSUER),
  }],
  ["a domain of its own", `https://login.contoso.com/${GUID}/v2.0/`, {
    options: { authority: CUSTOM },
    document: b2cDocument(CUSTOM, `https://login.contoso.com/${GUID}/v2.0/`),
  }],
];
for (const [name, iss, scene] of B2C_SCENES) {
  const good = { ver: "1.0", iss, tfp: "B2C_1_susi", sub: "s" };
  table(`B2C, ${name}`, scene, [
    ["R-080 the policy in tfp, no tid", "accepted", good],
    ["R-080 the policy in another case", "accepted", { ...good, tfp: "b2c_1_SUSI" }],
    ["R-080 the policy in acr", "accepted", { ...good, tfp: undefined, acr: "b2c_1_susi" }],
    ["R-080 the policy in both", "accepted", { ...good, acr: "b2c_1_susi" }],
    ["R-080 a class in acr beside the policy", "accepted", { ...good, acr: "1" }],
    ["R-080 tid of the tenant", "accepted", { ...good, tid: GUID.toUpperCase(), oid: OID }],
    ["R-080 another policy", "issuer_mismatch", { ...good, tfp: "B2C_1_reset" }],
    ["R-080 another policy in acr", "issuer_mismatch", { ...good, tfp: undefined, acr: "B2C_1_reset" }],
    ["R-080 another policy in acr beside the right one", "issuer_mismatch", { ...good, acr: "B2C_1_reset" }],
    ["R-080 the right one in acr beside another", "issuer_mismatch", {
      ...good,
      tfp: "B2C_1_reset",
      acr: "b2c_1_susi",
    }],
    ["R-080 no policy", "issuer_mismatch", { ...good, tfp: undefined }],
    ["R-080 a policy with more", "issuer_mismatch", { ...good, tfp: "B2C_1_susi2" }],
    ["R-080 a policy null", "issuer_mismatch", { ...good, tfp: null }],
    ["R-080 a list of policies", "issuer_mismatch", { ...good, tfp: ["b2c_1_susi"] }],
    ["R-080 a policy object", "issuer_mismatch", { ...good, tfp: { toLowerCase: "x" } }],
    ["R-080 tid of another tenant", "tenant_mismatch", { ...good, tid: OTHER }],
    ["R-080 tid no GUID", "tenant_invalid", { ...good, tid: "contoso" }],
    ["R-071 tid an object", "tenant_invalid", { ...good, tid: { toString: GUID } }],
    ["R-073 tid and TID", "tenant_invalid", { ...good, tid: GUID, TID: GUID }],
    ["R-073 TID alone", "tenant_invalid", { ...good, TID: GUID }],
    ["R-080 iss without its slash", "issuer_mismatch", { ...good, iss: iss.slice(0, -1) }],
    ["R-080 iss of another tenant", "issuer_mismatch", { ...good, iss: iss.replace(GUID, OTHER) }],
    ["R-080 iss of another host", "issuer_mismatch", { ...good, iss: iss.replace("contoso", "fabrikam") }],
    ["R-080 iss of Entra", "issuer_mismatch", { ...good, iss: ISSUER(GUID) }],
    ["R-080 iss of Entra's version 1", "issuer_mismatch", { ...good, iss: STS(GUID) }],
    ["R-080 iss the authority", "issuer_mismatch", { ...good, iss: POLICY }],
    ["R-080 the other form", "issuer_mismatch", {
      ...good,
      iss: iss === TFP_ISSUER ? GUID_ISSUER : TFP_ISSUER,
    }],
    ["R-053 no iss", "issuer_mismatch", { ...good, iss: undefined }],
    ["R-053 iss a list", "issuer_mismatch", { ...good, iss: [iss] }],
    ["R-076 a key of the issuer", "accepted", good, { issuer: iss }],
    ["R-076 a key of another issuer", "key_issuer_mismatch", good, { issuer: iss.replace(GUID, OTHER) }],
    ["R-077 a key of any cloud, where the document names none", "accepted", good, { cloudInstanceName: "x" }],
  ]);
}

const CIAM_ISSUER = `https://${GUID}.ciamlogin.com/${GUID}/v2.0`;
const CIAM_SCENES: [string, Scene][] = [
  ["by host", { options: { authority: CIAM }, document: externalIdDocument() }],
  ["by GUID", { options: { authority: `${CIAM}/${GUID}` }, document: externalIdDocument() }],
  ["by its issuer", { options: { authority: CIAM_ISSUER }, document: externalIdDocument() }],
  ["on a domain of its own", {
    options: { authority: `https://login.contoso.com/${GUID}` },
    document: externalIdDocument({}, "login.contoso.com"),
  }],
];
for (const [name, scene] of CIAM_SCENES) {
  const good = v2(GUID, CIAM_ISSUER);
  table(`External ID ${name}`, scene, [
    ["R-081 both GUIDs and tid", "accepted", good],
    ["R-081 tid in capitals", "accepted", { ...good, tid: GUID.toUpperCase() }],
    ["R-081 another tenant's token", "tenant_mismatch", v2(OTHER, CIAM_ISSUER.replaceAll(GUID, OTHER))],
    ["R-081 another tid", "tenant_mismatch", { ...good, tid: OTHER }],
    ["R-081 another tenant's iss", "issuer_mismatch", { ...good, iss: CIAM_ISSUER.replaceAll(GUID, OTHER) }],
    ["R-081 another GUID in the host", "issuer_mismatch", { ...good, iss: CIAM_ISSUER.replace(GUID, OTHER) }],
    ["R-081 another GUID in the path", "issuer_mismatch", {
      ...good,
      iss: `https://${GUID}.ciamlogin.com/${OTHER}/v2.0`,
    }],
    ["R-081 the name in the host", "issuer_mismatch", { ...good, iss: `${CIAM}/${GUID}/v2.0` }],
    ["R-081 iss of login.microsoftonline.com", "issuer_mismatch", v2(GUID)],
    ["R-081 version 1", "issuer_mismatch", v1(GUID)],
    ["R-081 a look-alike", "issuer_mismatch", { ...good, iss: CIAM_ISSUER.replace(".ciam", "-ciam") }],
    ["R-072 no tid", "tenant_invalid", { iss: CIAM_ISSUER }],
    ["R-071 tid a list", "tenant_invalid", { ...good, tid: [GUID] }],
    ["R-071 tid $&", "tenant_invalid", { ...good, tid: "$&" }],
    ["R-073 tid and Tid", "tenant_invalid", { ...good, Tid: GUID }],
    ["R-075 a personal account", "tenant_mismatch", v2(MSA)],
    ["oid no GUID", "subject_invalid", { ...good, oid: 5 }],
    ["R-053 iss a list", "issuer_mismatch", { ...good, iss: [CIAM_ISSUER] }],
    ["R-076 a key of the issuer", "accepted", good, { issuer: CIAM_ISSUER }],
    ["R-076 a key of a template", "accepted", good, {
      issuer: `https://${GUID}.ciamlogin.com/{tenantid}/v2.0`,
    }],
    ["R-076 a key of another tenant", "key_issuer_mismatch", good, {
      issuer: CIAM_ISSUER.replaceAll(GUID, OTHER),
    }],
    ["R-077 a key of another cloud", "key_cloud_mismatch", good, { cloudInstanceName: "microsoftonline.us" }],
  ]);
}

const TRUST = "http://adfs.contoso.com/adfs/services/trust";
const adfs = (over: Document = {}): Scene => ({
  options: { authority: ADFS },
  document: adfsDocument(undefined, over),
});
const ADFS_ROWS: [string, Scene, unknown, string, string][] = [
  ["issuer", adfs(), ADFS, "accepted", "issuer_mismatch"],
  ["access_token_issuer", adfs(), TRUST, "issuer_mismatch", "accepted"],
  ["issuer, where that is all", adfs({ access_token_issuer: undefined }), ADFS, "accepted", "accepted"],
  [
    "a trust that the document does not name",
    adfs({ access_token_issuer: null }),
    TRUST,
    "issuer_mismatch",
    "issuer_mismatch",
  ],
  ["issuer with a slash", adfs(), `${ADFS}/`, "issuer_mismatch", "issuer_mismatch"],
  ["the trust in https", adfs(), TRUST.replace("http:", "https:"), "issuer_mismatch", "issuer_mismatch"],
  ["both in a list", adfs(), [ADFS, TRUST], "issuer_mismatch", "issuer_mismatch"],
  ["another server's", adfs(), "https://adfs.fabrikam.com/adfs", "issuer_mismatch", "issuer_mismatch"],
  ["Entra's", adfs(), STS(GUID), "issuer_mismatch", "issuer_mismatch"],
  ["none", adfs(), undefined, "issuer_mismatch", "issuer_mismatch"],
];
for (const [what, scene, iss, idToken, accessToken] of ADFS_ROWS) {
  test(`R-082 iss of ADFS is ${what}: ID token ${idToken}, access token ${accessToken}`, async () => {
    assertEquals(await verdict(scene, { iss, ver: "1.0" }, {}, false), idToken);
    assertEquals(await verdict(scene, { iss, ver: "1.0" }, {}, true), accessToken);
  });
}

test("R-082 the same server as oidcAuthority: the same two issuers, each for its own tokens", async () => {
  const scene: Scene = { options: { oidcAuthority: ADFS }, document: adfsDocument() };
  for (const isAccessToken of [false, true]) {
    for (const iss of [ADFS, TRUST]) {
      const own = (iss === TRUST) === isAccessToken ? "accepted" : "issuer_mismatch";
      assertEquals(await verdict(scene, { iss }, {}, isAccessToken), own);
    }
  }
});

test("R-082 no other kind of authority takes a second issuer from its document", async () => {
  const access_token_issuer = "https://evil.example";
  const scenes: Scene[] = [
    { options: { authority: POLICY }, document: b2cDocument(POLICY, GUID_ISSUER, { access_token_issuer }) },
    { options: { authority: CIAM }, document: externalIdDocument({ access_token_issuer }) },
    {
      options: { authority: "https://login.microsoftonline.com/contoso.example" },
      document: entraDocument(
        `https://login.microsoftonline.com/${GUID}`,
        ISSUER(GUID),
        "microsoftonline.com",
        {
          access_token_issuer,
        },
      ),
    },
  ];
  for (const scene of scenes) {
    const claims = { iss: access_token_issuer, tid: GUID, tfp: "b2c_1_susi" };
    assertEquals(await verdict(scene, claims, {}, true), "issuer_mismatch");
  }
});

table("a generic issuer", {
  options: { oidcAuthority: "https://idp.example/realms/main" },
  document: {
    issuer: "https://idp.example/realms/main/",
    token_endpoint: "https://idp.example/token",
    jwks_uri: "https://idp.example/keys",
  },
}, [
  ["R-015 its own name, as its document spells it", "accepted", { iss: "https://idp.example/realms/main/" }],
  ["R-015 without the slash", "issuer_mismatch", { iss: "https://idp.example/realms/main" }],
  ["a tid that is no GUID", "accepted", { iss: "https://idp.example/realms/main/", tid: "main" }],
  ["R-076 a key's template, and a tid of any kind", "key_issuer_mismatch", {
    iss: "https://idp.example/realms/main/",
    tid: { toString: "x" },
  }, { issuer: "https://idp.example/{tenantid}/" }],
]);

const workforce = (tenant: string): Scene => ({
  options: { authority: `https://login.microsoftonline.com/${tenant}` },
});

test("R-071 R-196 property: claims of any kind are judged without a crash, and never by chance", async () => {
  const scenes = [...["common", GUID].map(workforce), B2C_SCENES[0]![2], CIAM_SCENES[0]![1], adfs()];
  const known = await Promise.all(scenes.map(metadataOf));
  const claim = fc.constantFrom("iss", "tid", "TID", "tfp", "acr", "oid", "ver");
  await fc.assert(
    fc.property(
      fc.array(fc.tuple(claim, fc.jsonValue()), { maxLength: 6 }),
      fc.boolean(),
      (pairs, isAccessToken) => {
        const claims = Object.fromEntries(pairs);
        for (const { authority, issuer } of known) {
          const expected = { issuer, tenant: authority.tenant, isAccessToken };
          let fault = "";
          try {
            const fail: IssuerFail = (why) => {
              fault = why;
              throw new Error(why);
            };
            const of = checkIssuer(claims, authority, expected, fail);
            checkKeyIssuer({ ...KEY, issuer: "https://x/{tenantid}" }, claims, of, issuer, fail);
          } catch (error) {
            assertEquals((error as Error).message, fault);
          }
          assert(fault !== "", JSON.stringify(claims));
        }
      },
    ),
    { numRuns: 500 },
  );
});

/** Whole ID tokens, signed, from each kind of authority, against what it serves. */
const WHOLE: [string, Scene, Claims][] = [
  ["B2C", B2C_SCENES[0]![2], { ver: "1.0", iss: GUID_ISSUER, tfp: "B2C_1_susi", tid: undefined }],
  ["External ID", CIAM_SCENES[0]![1], { iss: CIAM_ISSUER, tid: GUID }],
  ["ADFS", adfs(), { iss: ADFS, ver: undefined, tid: undefined, oid: undefined }],
];
for (const [what, { options, document }, over] of WHOLE) {
  test(`R-080 R-081 R-082 a signed ID token of ${what} validates from two documents, with its prefix in faults`, async () => {
    const authority = parseAnyAuthority({ knownAuthorities: KNOWN, ...options }, false);
    const jwk = { ...(await keyPair("main")).jwk, kid: "main", use: "sig" };
    const one = tokenFixture(
      authority,
      ({ url }) => jsonResponse(url.endsWith("configuration") ? document : { keys: [jwk] }),
    );
    const issuer = await one.metadata.issuer(authority.tenant, CORRELATION, undefined);
    const expected = { issuer, tenant: authority.tenant, nonce: NONCE };
    const claims = { ...goodClaims("tenant", one.clock), aud: CLIENT, ...over };
    const judge = async (changed: Claims) =>
      await codeOf(
        one.validator.validate(await signToken({ ...claims, ...changed }), expected, CORRELATION, undefined),
      );
    assertEquals(await judge({}), "accepted");
    assertEquals(await judge({ iss: ISSUER(GUID) }), "id_token_issuer_mismatch");
    assertEquals(one.requests.map(({ url }) => url), [authority.rules?.documentUrl, document?.["jwks_uri"]]);
  });
}
