/** The ID token validator of `./validate`: the rules of R-053..R-085 are tested beside the clients; here is what it adds. */
import { assert, assertEquals } from "@std/assert";
import { IdTokenValidator, type IdTokenValidatorOptions } from "../src/validate/mod.ts";
import { LocalAuthority } from "../src/testing/mod.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { settle, thrown } from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import {
  CLIENT,
  codeOf,
  goodClaims,
  HOME,
  keyPair,
  keySet,
  NONCE,
  OIDC_ISSUER,
  OTHER,
  type Shape,
  SHAPES,
  signToken,
} from "./support/id_tokens.ts";
import { printed } from "./support/printed.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const NOW = Math.floor(new FakeClock().now() / 1000);

type Claims = Record<string, unknown>;
type Options = Omit<Partial<IdTokenValidatorOptions>, "clock">;

/** A validator, its clock and its requests. */
async function fixture(
  shape: Shape = "tenant",
  options: Options = {},
  respond?: (request: RecordedRequest) => Answer,
) {
  const clock = new FakeClock();
  const document = await keySet(shape);
  const { fetch, requests } = scriptedFetch(respond ?? (() => jsonResponse(document)));
  const validator = new IdTokenValidator({
    clientId: CLIENT,
    ...(options.oidcAuthority === undefined && {
      authority: `https://login.microsoftonline.com/${shape === "tenant" ? HOME : shape}`,
    }),
    ...(shape !== "tenant" && { allowedTenants: "any" }),
    fetch,
    clock,
    ...options,
  });
  const outcome = async (claims: Claims, expected = {}, header: Claims = {}): Promise<string> => {
    const token = await signToken({ ...goodClaims(shape, clock), ...claims }, header);
    return await settle(clock, codeOf(validator.validate(token, expected)));
  };
  return { clock, requests, validator, outcome };
}

for (const shape of SHAPES) {
  test(`a good ID token, ${shape}: its claims, frozen, for one request`, async () => {
    const one = await fixture(shape);
    const token = await signToken(goodClaims(shape, one.clock));
    const claims = await one.validator.validate(token, { nonce: NONCE });
    assertEquals([claims.name, claims.aud, Object.isFrozen(claims)], ["Jane", CLIENT, true]);
    assertEquals(one.requests.length, 1);
  });
}

const at = async (text: string): Promise<string> => {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return encodeBase64Url(new Uint8Array(digest).subarray(0, 16));
};

const ROWS: [string, Claims | (() => Promise<Claims>), Claims, string][] = [
  ["R-063 the nonce that was expected", {}, { nonce: NONCE }, "accepted"],
  ["R-063 another nonce", {}, { nonce: "another" }, "nonce_mismatch"],
  ["R-063 a nonce that nobody expected", {}, {}, "nonce_mismatch"],
  ["R-063 no nonce, and none expected", { nonce: undefined }, {}, "accepted"],
  ["R-063 no nonce where one is expected", { nonce: undefined }, { nonce: NONCE }, "nonce_mismatch"],
  ["R-063 an empty nonce", { nonce: "" }, { nonce: NONCE }, "nonce_mismatch"],
  ["R-063 a nonce in a list", { nonce: [NONCE] }, { nonce: NONCE }, "nonce_mismatch"],
  ["R-063 an empty nonce expected", { nonce: "" }, { nonce: "" }, "invalid_request"],
  ["R-063 null expected", { nonce: null }, { nonce: null }, "invalid_request"],
  ["R-067 signed in within max_age", { auth_time: NOW - 60 }, { nonce: NONCE, maxAge: 60 }, "accepted"],
  [
    "R-067 signed in before max_age",
    { auth_time: NOW - 181 },
    { nonce: NONCE, maxAge: 60 },
    "id_token_auth_time_invalid",
  ],
  ["R-067 no auth_time", {}, { nonce: NONCE, maxAge: 60 }, "id_token_auth_time_invalid"],
  ["R-067 a maxAge that is a text", { auth_time: NOW }, { nonce: NONCE, maxAge: "60" }, "invalid_request"],
  ["R-067 a maxAge that is no number", { auth_time: NOW }, { nonce: NONCE, maxAge: NaN }, "invalid_request"],
  ["R-068 at_hash of the access token", async () => ({ at_hash: await at("AT") }), {
    nonce: NONCE,
    accessToken: "AT",
  }, "accepted"],
  [
    "R-068 at_hash of another",
    async () => ({ at_hash: await at("AT") }),
    { nonce: NONCE, accessToken: "at" },
    "id_token_access_token_hash_mismatch",
  ],
  ["R-068 no at_hash", {}, { nonce: NONCE, accessToken: "AT" }, "accepted"],
  ["R-068 an access token that is none", {}, { nonce: NONCE, accessToken: 5 }, "invalid_request"],
  ["R-054 another audience", { aud: OTHER }, { nonce: NONCE }, "id_token_audience_mismatch"],
  ["R-055 another audience beside", { aud: [CLIENT, OTHER] }, { nonce: NONCE }, "id_token_audience_mismatch"],
  ["R-053 another issuer", { iss: "https://evil.example" }, { nonce: NONCE }, "id_token_issuer_mismatch"],
  ["R-060 expired", { exp: NOW - 121 }, { nonce: NONCE }, "id_token_expired"],
  ["R-074 another tenant", { tid: OTHER }, { nonce: NONCE }, "id_token_tenant_mismatch"],
];
for (const [name, given, expected, code] of ROWS) {
  test(`${name}: ${code}`, async () => {
    const one = await fixture();
    assertEquals(await one.outcome(typeof given === "function" ? await given() : given, expected), code);
  });
}

test("R-079 tenants that are not allowed", async () => {
  const one = await fixture("common", { allowedTenants: [OTHER] });
  assertEquals(await one.outcome({}, { nonce: NONCE }), "tenant_not_allowed");
});

test("R-060 the tolerance is an option", async () => {
  const one = await fixture("tenant", { clockToleranceSeconds: 0 });
  assertEquals(await one.outcome({ exp: NOW }, { nonce: NONCE }), "id_token_expired");
});

test("R-154 an access token is no ID token of this application", async () => {
  const one = await fixture();
  assertEquals(await one.outcome({ aud: OTHER, scp: "x", nonce: undefined }), "id_token_type_refused");
  assertEquals(await one.outcome({ aud: OTHER, nonce: undefined }), "id_token_audience_mismatch");
});

test("anything but a token is refused", async () => {
  const one = await fixture();
  for (
    const [token, code] of [[undefined, "missing"], [null, "malformed"], [{}, "malformed"], [
      "a.b.c",
      "malformed",
    ]]
  ) {
    assertEquals(await codeOf(one.validator.validate(token)), `id_token_${code}`);
  }
  assertEquals(await codeOf(one.validator.validate("x", null as never)), "invalid_request");
  assertEquals(one.requests.length, 0);
});

test("another issuer: discovery and keys once, its audience letter by letter", async () => {
  const keys = [{ ...(await keyPair("main")).jwk, kid: "main" }];
  const document = {
    issuer: OIDC_ISSUER,
    token_endpoint: `${OIDC_ISSUER}/token`,
    jwks_uri: `${OIDC_ISSUER}/keys`,
  };
  const one = await fixture(
    "tenant",
    { oidcAuthority: OIDC_ISSUER },
    ({ url }) => jsonResponse(url.endsWith("/keys") ? { keys } : document),
  );
  const generic = { iss: OIDC_ISSUER, tid: undefined, oid: undefined, ver: undefined };
  for (let n = 0; n < 5; n++) assertEquals(await one.outcome(generic, { nonce: NONCE }), "accepted");
  assertEquals(
    await one.outcome({ ...generic, aud: CLIENT.toUpperCase() }, { nonce: NONCE }),
    "id_token_audience_mismatch",
  );
  assertEquals(one.requests.length, 2);
});

test("decision 7: keys that cannot be had are an outage", async () => {
  const one = await fixture("tenant", {}, () => new TypeError("reset"));
  assertEquals(await one.outcome({}, { nonce: NONCE }), "network_error");
});

test("an ID token of the local authority", async () => {
  const clock = new FakeClock();
  const authority = new LocalAuthority({ clock });
  const { tenantId, clientId } = authority.defaults;
  const options = {
    authority: `https://login.microsoftonline.com/${tenantId}`,
    clientId,
    fetch: authority.fetch,
    clock,
  };
  const validator = new IdTokenValidator(options);
  const token = await authority.issueIdToken({ nonce: "n", accessToken: "AT" });
  const claims = await validator.validate(token, { nonce: "n", accessToken: "AT" });
  assertEquals(claims.tid, tenantId);
  assertEquals(
    await codeOf(validator.validate(token, { nonce: "n", accessToken: "BT" })),
    "id_token_access_token_hash_mismatch",
  );
});

test("a client id that is none is refused", () => {
  for (const clientId of [undefined, "", "undefined", "a b", 5, null, `${CLIENT}\n`]) {
    const error = thrown(() => new IdTokenValidator({ clientId, oidcAuthority: OIDC_ISSUER } as never));
    assertEquals(error.code, "invalid_client_id");
  }
});

test("R-170 no error tells anything of a token", async () => {
  const one = await fixture();
  const token = await signToken({ ...goodClaims("tenant", one.clock), aud: OTHER });
  const error = await one.validator.validate(token, { nonce: "a-secret-nonce" }).catch((error) => error);
  const told = printed(error) + error.stack;
  for (const secret of [...token.split("."), "Jane", "a-secret-nonce", NONCE]) assert(!told.includes(secret));
});
