/** Access tokens that are right: both versions, all kinds of authority, users and apps (R-078, R-083, R-153..R-156). */
import { assert, assertEquals } from "@std/assert";
import { ConfidentialClientApplication } from "../mod.ts";
import { accessTokenValidatorOf } from "../src/validate/app_validator.ts";
import { AccessTokenValidator, type ValidatedAccessToken } from "../src/validate/mod.ts";
import { LocalAuthority } from "../src/testing/mod.ts";
import {
  API,
  API_URI,
  apiFixture,
  APP,
  APP_OID,
  appToken,
  AS_APP,
  type Claims,
  genericClaims,
  genericFixture,
  userClaims,
  userToken,
  v1Claims,
} from "./support/access_tokens.ts";
import { FakeClock } from "./support/fake_clock.ts";
import {
  encodeJson,
  encodeText,
  HOME,
  keySet,
  MSA,
  OID,
  OTHER,
  SHAPES,
  signParts,
  signToken,
  tenantOf,
} from "./support/id_tokens.ts";
import { printed } from "./support/printed.ts";
import { jsonResponse, scriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const NOW = Math.floor(new FakeClock().now() / 1000);

test("R-155 a user's token: who calls, through which app, with which permissions", async () => {
  const one = await apiFixture();
  const found = await one.validate(await userToken(one, { roles: ["Admin"] }), { scopes: ["Files.Read"] });
  const { claims, expiresOn, ...rest } = found;
  assertEquals(rest, {
    kind: "delegated",
    scopes: ["Files.Read", "Orders.Write"],
    roles: ["Admin"],
    tenantId: HOME,
    callerId: OID,
    clientId: APP,
  });
  assertEquals([claims["name"], expiresOn.getTime()], ["Jane", one.clock.now() + 3_600_000]);
  assertEquals(one.requests.map(({ url }) => url), [
    `https://login.microsoftonline.com/${HOME}/discovery/v2.0/keys`,
  ]);
});

test("R-156 an app's token: idtyp, or its object for a subject and no scp", async () => {
  const one = await apiFixture();
  for (const idtyp of ["app", undefined]) {
    const found = await one.validate(await appToken(one, { idtyp }), { roles: ["Orders.All"] });
    assertEquals([found.kind, found.scopes, found.roles, found.callerId, found.clientId], [
      "app",
      [],
      ["Orders.All"],
      APP_OID,
      APP,
    ]);
  }
});

test("R-078 tokens of version 1 at an authority that is asked for version 2", async () => {
  for (const shape of SHAPES) {
    const one = await apiFixture(shape);
    const found = await one.validate(await signToken(v1Claims(one.clock, shape)));
    assertEquals([found.kind, found.clientId, found.tenantId], ["delegated", APP, tenantOf(shape)]);
    const app = await one.validate(
      await signToken({ ...v1Claims(one.clock, shape), ...AS_APP, upn: undefined }),
    );
    assertEquals([app.kind, app.roles], ["app", ["Orders.All"]]);
  }
});

const ACCEPTED: [string, Claims, Claims?][] = [
  ["R-153 aud a client id", { aud: API }],
  ["R-153 aud an Application ID URI", { aud: API_URI }],
  ["R-153 aud a list with this API in it", { aud: ["https://other.example", API] }],
  ["R-060 exp a minute ago", { exp: NOW - 60 }],
  ["R-061 nbf in 30 seconds", { nbf: NOW + 30 }],
  ["no nbf and no iat", { nbf: undefined, iat: undefined }],
  ["a token of continuous access evaluation, a day old", { iat: NOW - 95_000, nbf: NOW - 95_000 }],
  ["R-154 no typ", {}, { typ: undefined }],
  ["R-154 typ jwt", {}, { typ: "jwt" }],
  ["R-154 typ at+jwt", {}, { typ: "at+jwt" }],
  ["R-154 typ AT+JWT", {}, { typ: "AT+JWT" }],
  ["R-154 typ application/at+jwt", {}, { typ: "application/at+jwt" }],
  ["R-154 a nonce beside scp, as B2C writes it", { nonce: "n" }],
  ["no oid", { oid: undefined }],
  ["R-076 a key of no issuer", {}, { kid: "plain" }],
  ["R-071 tid in capitals", { tid: HOME.toUpperCase() }],
  ["R-092 a header with keys of its own, signed by the right one", {}, {
    jku: "https://evil.example",
    jwk: {},
    x5c: ["x"],
  }],
];
for (const [name, claims, header] of ACCEPTED) {
  test(`${name} is accepted`, async () => {
    const one = await apiFixture();
    assertEquals((await one.validate(await userToken(one, claims, header))).kind, "delegated");
    assertEquals(one.requests.length, 1);
  });
}

test("R-079 several tenants: any where that is said, else those that are listed", async () => {
  const of = (one: { clock: FakeClock }, tid: string): Promise<string> =>
    userToken(one, { tid, iss: `https://login.microsoftonline.com/${tid}/v2.0` });
  for (const tid of [HOME, OTHER, MSA]) {
    const any = await apiFixture("common");
    assertEquals((await any.validate(await of(any, tid))).tenantId, tid);
    const listed = await apiFixture("common", { allowedTenants: [HOME.toUpperCase(), MSA] });
    const outcome = await listed.validate(await of(listed, tid)).then(() => "accepted", ({ code }) => code);
    assertEquals(outcome, tid === OTHER ? "tenant_not_allowed" : "accepted");
  }
});

test("R-083 the same e-mail in two tenants is two callers", async () => {
  const one = await apiFixture("common");
  const callers = new Set<string>();
  for (const [tid, oid] of [[HOME, OID], [OTHER, APP_OID]]) {
    const iss = `https://login.microsoftonline.com/${tid}/v2.0`;
    const found = await one.validate(await userToken(one, { tid, oid, iss, email: "jane@contoso.example" }));
    callers.add(`${found.tenantId} ${found.callerId}`);
    assert(!Object.keys(found).some((name) => /mail|name|upn/i.test(name)));
  }
  assertEquals(callers.size, 2);
});

test("R-154 R-155 another issuer: scope, client_id and at+jwt as RFC 9068 has them", async () => {
  const one = await genericFixture();
  const token = await signToken(genericClaims(one.clock), { typ: "at+jwt" });
  const { claims: _, expiresOn: __, ...found } = await one.validate(token, { scopes: ["orders.read"] });
  assertEquals(found, {
    kind: "delegated",
    scopes: ["orders.read", "profile"],
    roles: [],
    tenantId: undefined,
    callerId: "jane",
    clientId: "spa",
  });
  for (const [key, alg] of [["ec", "ES256"], ["ed", "Ed25519"], ["ed", "EdDSA"]] as const) {
    const other = signToken(genericClaims(one.clock), { alg }, key);
    const outcome = await one.validate(await other).then(() => "accepted", ({ code }) => code);
    assertEquals(outcome, alg === "EdDSA" ? "access_token_algorithm_refused" : "accepted");
  }
  assertEquals(one.requests.length, 2);
});

test("R-155 another issuer's scp may be a list; oid and tid mean nothing there", async () => {
  const one = await genericFixture();
  const claims = {
    ...genericClaims(one.clock),
    scope: undefined,
    scp: ["orders.read", "x"],
    oid: 5,
    tid: "no guid",
  };
  const found = await one.validate(await signToken(claims), { scopes: ["orders.read"] });
  assertEquals([found.scopes, found.callerId, found.tenantId], [["orders.read", "x"], "jane", undefined]);
});

test("R-156 an app at another issuer is its own subject; its scopes count as roles", async () => {
  const one = await genericFixture();
  const claims = {
    ...genericClaims(one.clock),
    sub: "job",
    client_id: "job",
    scope: "orders.all",
    roles: ["r"],
  };
  const found = await one.validate(await signToken(claims), { roles: ["orders.all"] });
  assertEquals([found.kind, found.scopes, found.roles], ["app", [], ["r", "orders.all"]]);
  assertEquals((await one.refused(await signToken(claims), { scopes: ["orders.all"] })).status, 403);
});

test("R-188 claims and lists are frozen, own data properties, whatever their names are", async () => {
  const one = await apiFixture();
  const odd =
    '{"__proto__":{"scp":"x"},"constructor":"c","toString":"t","hasOwnProperty":"h","toJSON":"j","then":"p",';
  const json = JSON.stringify(userClaims(one.clock)).replace("{", odd);
  const found = await one.validate(
    await signParts(encodeJson({ alg: "RS256", kid: "main" }), encodeText(json)),
  );
  assert([found, found.claims, found.scopes, found.roles, found.claims["__proto__"]].every(Object.isFrozen));
  for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "toJSON", "then"]) {
    assert(Object.getOwnPropertyDescriptor(found.claims, name)?.enumerable, name);
  }
  assertEquals(found.scopes, ["Files.Read", "Orders.Write"]);
});

test("expiresOn is a date of the caller's own, who may change it", async () => {
  const one = await apiFixture();
  const token = await userToken(one);
  const first = await one.validate(token);
  first.expiresOn.setTime(0);
  assertEquals((await one.validate(token)).expiresOn.getTime(), one.clock.now() + 3_600_000);
});

test("R-170 what is returned shows nothing of the token's text", async () => {
  const one = await apiFixture();
  const token = await userToken(one);
  const found = await one.validate(token);
  const told = [printed(found), printed(one.validator), JSON.stringify({ ...found }), printed(one.events)]
    .join();
  assert(token.split(".").every((part) => !told.includes(part)));
});

test("R-153 R-078 tokens of the local authority, of an app and of a user, in both versions", async () => {
  const clock = new FakeClock();
  const resource = { appId: API, identifierUris: [API_URI], scopes: ["Any.Read"] };
  for (const accessTokenVersion of [1, 2] as const) {
    const authority = new LocalAuthority({ clock, resources: [{ ...resource, accessTokenVersion }] });
    const { tenantId, clientId } = authority.defaults;
    const validator = new AccessTokenValidator({
      authority: `https://login.microsoftonline.com/${tenantId}`,
      audience: [API, API_URI],
      fetch: authority.fetch,
      clock,
    });
    const userToken = await authority.issueUserToken({ resource: API_URI, scopes: ["Any.Read"] });
    const user: ValidatedAccessToken = await validator.validate(userToken, { scopes: ["Any.Read"] });
    assertEquals([user.kind, user.clientId, user.tenantId], ["delegated", clientId, tenantId]);
    const appToken = await authority.issueAppToken({ resource: API_URI, roles: ["Any.All"] });
    const app = await validator.validate(appToken, { roles: ["Any.All"] });
    assertEquals([app.kind, app.clientId], ["app", clientId]);
    const idToken = await authority.issueIdToken({ clientId, nonce: "n" });
    const other = new AccessTokenValidator({
      authority: `https://login.microsoftonline.com/${tenantId}`,
      audience: clientId,
      fetch: authority.fetch,
      clock,
    });
    const code = await other.validate(idToken).then(() => "accepted", (error) => error.code);
    assertEquals(code, "access_token_type_refused");
  }
});

/** An application and how often it was asked for keys. */
async function application(tenant: string, options = {}) {
  const clock = new FakeClock();
  const document = await keySet(tenant === HOME ? "tenant" : "common");
  const { fetch, requests } = scriptedFetch(() => jsonResponse(document));
  const authority = `https://login.microsoftonline.com/${tenant}`;
  const app = new ConfidentialClientApplication({
    clientId: API,
    clientCredential: "secret",
    authority,
    clock,
    fetch,
    ...options,
  });
  return { app, clock, requests };
}

test("a validator of an application uses its authority, clock, fetch and keys", async () => {
  const { app, clock, requests } = await application(HOME);
  const [first, second] = [0, 1].map(() => accessTokenValidatorOf({ app, audience: API }));
  const token = await signToken(userClaims(clock));
  for (const validator of [first!, second!]) assertEquals((await validator.validate(token)).callerId, OID);
  assertEquals(requests.length, 1);
  const own = accessTokenValidatorOf({ app, audience: API, clockToleranceSeconds: 1 });
  assertEquals([(await own.validate(token)).callerId, requests.length], [OID, 1]);
  const apart = accessTokenValidatorOf({ app, audience: API, timeoutMs: 1_000 });
  assertEquals([(await apart.validate(token)).callerId, requests.length], [OID, 2]);
});

test("R-079 an application of many tenants: its allowedTenants, or the validator's own", async () => {
  const { app, clock } = await application("organizations", { allowedTenants: [OTHER] });
  const token = await signToken(userClaims(clock));
  const codeOf = (options: { allowedTenants?: readonly string[] | "any" }): Promise<string> =>
    accessTokenValidatorOf({ app, audience: API, ...options }).validate(token).then(
      () => "accepted",
      ({ code }) => code,
    );
  assertEquals(await codeOf({}), "tenant_not_allowed");
  assertEquals(await codeOf({ allowedTenants: [HOME] }), "accepted");
  assertEquals(await codeOf({ allowedTenants: "any" }), "accepted");
});
