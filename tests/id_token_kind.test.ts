/** What is signed by the right authority, for the right client, and is no ID token all the same: R-154. */
import { assertEquals } from "@std/assert";
import { IdTokenValidator } from "../src/validate/mod.ts";
import { settle } from "./support/app_fixture.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { CLIENT, codeOf, goodClaims, HOME, keySet, OTHER, signToken } from "./support/id_tokens.ts";
import { jsonResponse, scriptedFetch } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

type Claims = Record<string, unknown>;

async function outcome(claims: Claims, header: Claims = {}): Promise<string> {
  const clock = new FakeClock();
  const document = await keySet("tenant");
  const { fetch } = scriptedFetch(() => jsonResponse(document));
  const authority = `https://login.microsoftonline.com/${HOME}`;
  const validator = new IdTokenValidator({ clientId: CLIENT, authority, fetch, clock });
  const token = await signToken({ ...goodClaims("tenant", clock), nonce: undefined, ...claims }, header);
  return await settle(clock, codeOf(validator.validate(token)));
}

const V1 = { ver: "1.0", iss: `https://sts.windows.net/${HOME}/`, scp: "user_impersonation" };

test("R-154: an access token of version 1 that another app got for this one is no ID token", async () => {
  assertEquals(await outcome({ ...V1, scp: undefined, appid: OTHER }), "id_token_authorized_party_mismatch");
  assertEquals(
    await outcome({ ...V1, scp: undefined, appid: [CLIENT] }),
    "id_token_authorized_party_mismatch",
  );
});

test("R-154: an access token that this application got for an API of its own is no ID token", async () => {
  const own = [
    { ...V1, appid: CLIENT },
    { azp: CLIENT, scp: "user_impersonation" },
    { scp: "" },
    { azp: CLIENT, azpacr: "1", roles: ["Orders.Read.All"] },
    { azp: CLIENT, idtyp: "app" },
    { ...V1, scp: undefined, appid: CLIENT, appidacr: "1" },
  ];
  for (const claims of own) {
    assertEquals(await outcome(claims), "id_token_type_refused");
  }
  assertEquals(await outcome({ azp: CLIENT }), "accepted");
});

test("R-154: a logout token is no ID token, whatever type it says it has", async () => {
  const events = { "http://schemas.openid.net/event/backchannel-logout": {} };
  assertEquals(await outcome({ events, jti: "1", sid: "2" }), "id_token_type_refused");
  assertEquals(await outcome({ events, jti: "1" }, { typ: undefined }), "id_token_type_refused");
  assertEquals(await outcome({ events: { "https://example.com/event": {} } }), "accepted");
});

for (const typ of ["at+jwt", "application/at+jwt", "AT+JWT", "logout+jwt", "application/logout+jwt"]) {
  test(`R-154: a token of the type ${typ} is no ID token`, async () => {
    assertEquals(await outcome({}, { typ }), "id_token_type_refused");
  });
}

for (const typ of [undefined, "JWT", "jwt"]) {
  test(`an ID token of the type ${typ} is one`, async () => {
    assertEquals(await outcome({}, { typ }), "accepted");
  });
}
