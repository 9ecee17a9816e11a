/** Access tokens of B2C, External ID and ADFS through the public validators: R-080..R-082, R-153, R-156. */
import { assertEquals } from "@std/assert";
import { AccessTokenValidator, IdTokenValidator } from "../src/validate/mod.ts";
import { createApiAuth } from "../src/web/mod.ts";
import { API, type ApiFixture, apiFixtureOf, APP, type Claims, userClaims } from "./support/access_tokens.ts";
import { KNOWN, POLICY } from "./support/any_authorities.ts";
import { keyPair, OID, signToken } from "./support/id_tokens.ts";
import {
  b2cDocument,
  type Document,
  externalIdDocument,
  TENANT_GUID,
} from "./support/microsoft_documents.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const CIAM = "https://contoso.ciamlogin.com";
const ADFS = "https://adfs.contoso.com/adfs";
const TRUST = "http://adfs.contoso.com/adfs/services/trust";
const B2C_ISSUER = `https://contoso.b2clogin.com/${TENANT_GUID}/v2.0/`;
const CIAM_ISSUER = `https://${TENANT_GUID}.ciamlogin.com/${TENANT_GUID}/v2.0`;

/** A validator of an authority whose document is this one. */
async function shaped(authority: string, document: Document): Promise<ApiFixture> {
  const keys = [{ ...(await keyPair("main")).jwk, kid: "main" }];
  const respond = ({ url }: { url: string }) =>
    jsonResponse(url.includes("/.well-known/") ? document : { keys });
  return apiFixtureOf(respond, { authority, knownAuthorities: KNOWN });
}

const b2c = (): Promise<ApiFixture> => shaped(POLICY, b2cDocument(POLICY, B2C_ISSUER));
const external = (): Promise<ApiFixture> => shaped(CIAM, externalIdDocument());
const adfs = (): Promise<ApiFixture> =>
  shaped(ADFS, {
    issuer: ADFS,
    access_token_issuer: TRUST,
    token_endpoint: `${ADFS}/oauth2/token`,
    jwks_uri: `${ADFS}/discovery/keys`,
  });

/** A user of B2C: their subject is their object. */
const B2C_USER: Claims = { ver: "1.0", iss: B2C_ISSUER, tfp: "B2C_1_susi", tid: undefined, sub: OID };

async function outcome(one: ApiFixture, claims: Claims, roles?: readonly string[]): Promise<string> {
  const token = await signToken({ ...userClaims(one.clock), ...claims });
  return await one.validate(token, roles && { roles }).then(({ kind }) => kind, ({ code }) => code);
}

for (
  const [name, make, good] of [
    ["B2C", b2c, B2C_USER],
    ["External ID", external, { iss: CIAM_ISSUER, tid: TENANT_GUID }],
    ["ADFS", adfs, { iss: TRUST, tid: undefined, oid: undefined, azp: undefined, appid: APP }],
  ] as const
) {
  test(`an access token of ${name} is accepted, and none of another issuer or API`, async () => {
    const one = await make();
    assertEquals(await outcome(one, good), "delegated");
    assertEquals(await outcome(one, { ...good, iss: `${good.iss}x` }), "access_token_issuer_mismatch");
    assertEquals(await outcome(one, { ...good, aud: APP }), "access_token_audience_mismatch");
  });
}

test("R-209: what Entra puts into plain tokens does not make them bound, and neither does a cnf that is null", async () => {
  const plain = {
    xms_cc: ["cp1"],
    xms_ssm: "1",
    xms_tcdt: 1_600_000_000,
    xms_tdbr: "EU",
    xms_st: { sub: "s" },
  };
  for (const claims of [plain, { cnf: null }]) {
    assertEquals(await outcome(await b2c(), { ...B2C_USER, ...claims }), "delegated");
    const good = { iss: CIAM_ISSUER, tid: TENANT_GUID, ...claims };
    assertEquals(await outcome(await external(), good), "delegated");
  }
});

test("R-080: a token of another policy is refused", async () => {
  const other = { ...B2C_USER, tfp: "B2C_1_reset" };
  assertEquals(await outcome(await b2c(), other), "access_token_issuer_mismatch");
});

test("R-082: an access token of ADFS under the name of its ID tokens is refused", async () => {
  const claims = { iss: ADFS, tid: undefined, oid: undefined };
  assertEquals(await outcome(await adfs(), claims), "access_token_issuer_mismatch");
});

for (const policy of [{ tfp: "B2C_1_susi" }, { tfp: undefined, acr: "b2c_1_susi" }]) {
  test(`R-156: a user of B2C without scp is no app (${JSON.stringify(policy)})`, async () => {
    const claims = { ...B2C_USER, ...policy, scp: undefined, roles: ["Orders.All"] };
    assertEquals(await outcome(await b2c(), claims, ["Orders.All"]), "access_token_scope_missing");
  });
}

test("an app of B2C that says so is one", async () => {
  const claims = { ...B2C_USER, scp: undefined, idtyp: "app", roles: ["Orders.All"] };
  assertEquals(await outcome(await b2c(), claims, ["Orders.All"]), "app");
});

for (const authority of [POLICY, CIAM, ADFS]) {
  test(`${authority}: all that takes an authority takes it`, () => {
    const options = { authority, knownAuthorities: KNOWN };
    new AccessTokenValidator({ ...options, audience: API });
    new IdTokenValidator({ ...options, clientId: API });
    createApiAuth({ ...options, audience: API });
  });
}
