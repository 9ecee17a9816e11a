/** What the local authority tells apps when their users sign out: logout tokens, hidden frames, posts. */
import { assert, assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { LocalAuthority, LogoutTokenOptions } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, type Json, ORDERS, UserScene, WEB } from "./support/user_scene.ts";

const EVENT = "http://schemas.openid.net/event/backchannel-logout";
const ADA = "ada@contoso.onmicrosoft.com";

async function keySetOf({ fetch }: LocalAuthority): Promise<ReturnType<typeof createLocalJWKSet>> {
  return createLocalJWKSet(await (await fetch(`${HOST}/common/discovery/v2.0/keys`)).json());
}

test("R-145: a logout token is what Back-Channel Logout says, for the app that knows the user", async () => {
  const { authority, clock } = new UserScene();
  const token = await authority.issueLogoutToken({ sid: "the-session" });
  const { payload, protectedHeader } = await jwtVerify<Json>(token, await keySetOf(authority), {
    typ: "logout+jwt",
    issuer: `${HOST}/${CONTOSO.id}/v2.0`,
    audience: WEB.clientId,
    currentDate: new Date(clock.now()),
  });
  assertEquals([protectedHeader.alg, payload.events], ["RS256", { [EVENT]: {} }]);
  const { sub } = decodeJwt(await authority.issueIdToken());
  const iat = Math.floor(clock.now() / 1000);
  const { jti, ...rest } = payload;
  assertEquals<Json>(rest, {
    iss: `${HOST}/${CONTOSO.id}/v2.0`,
    aud: WEB.clientId,
    iat,
    exp: iat + 120,
    events: { [EVENT]: {} },
    sub,
    sid: "the-session",
  });
  assert(jti);
  assertNotEquals(decodeJwt(await authority.issueLogoutToken()).jti, jti);
});

test("R-145: logout tokens that no app should accept", async () => {
  const { authority } = new UserScene();
  const issued = async (options: LogoutTokenOptions): Promise<[Json, Json]> => {
    const token = await authority.issueLogoutToken(options);
    return [decodeProtectedHeader(token), decodeJwt(token)];
  };
  const wrong = {
    aud: "x",
    iss: "https://evil.example",
    nonce: "n",
    events: undefined,
    jti: "again",
    sub: undefined,
  };
  const [, claims] = await issued({ claims: wrong });
  const { aud, iss, nonce, jti } = claims;
  assertEquals([aud, iss, nonce, jti], ["x", "https://evil.example", "n", "again"]);
  assertEquals(["events" in claims, "sub" in claims], [false, false]);
  assertEquals((await issued({ signature: "none" }))[0].alg, "none");
  assertEquals((await issued({ signature: "hs256" }))[0].alg, "HS256");
  assertEquals((await issued({ header: { typ: "JWT", kid: undefined } }))[0], { typ: "JWT", alg: "RS256" });
  const keys = await keySetOf(authority);
  for (const signature of ["none", "hs256", "foreign_key", "broken"] as const) {
    const token = await authority.issueLogoutToken({ signature });
    await assertRejects(() => jwtVerify(token, keys, { algorithms: ["RS256"] }));
  }
  const [, { iat, exp }] = await issued({ lifetimeSeconds: -5 });
  assertEquals(exp - iat, -5);
  await assertRejects(() => authority.issueLogoutToken({ username: "nobody" }), TypeError);
  await assertRejects(() => authority.issueLogoutToken({ clientId: ORDERS.appId }), TypeError);
});

test("a logout token names the user's latest session, if there is one", async () => {
  const scene = new UserScene({ apps: [{ ...WEB, optionalClaims: ["sid"] }] });
  const sidOf = async (options: LogoutTokenOptions) =>
    decodeJwt(await scene.authority.issueLogoutToken(options))["sid"];
  assertEquals(await sidOf({ username: ADA }), undefined);
  const { id_token } = await scene.tokens({}, { username: ADA });
  assertEquals(await sidOf({ username: ADA }), decodeJwt(id_token)["sid"]);
  assertEquals(await sidOf({ username: "bob@contoso.onmicrosoft.com" }), undefined);
});

test("access tokens, too, are issued such as no API should accept", async () => {
  const { authority } = new UserScene();
  const keys = await keySetOf(authority);
  for (const signature of ["none", "hs256", "foreign_key", "broken"] as const) {
    for (
      const token of [
        await authority.issueUserToken({ signature }),
        await authority.issueAppToken({ signature }),
      ]
    ) {
      await assertRejects(() => jwtVerify(token, keys, { algorithms: ["RS256"] }));
    }
  }
  const header = decodeProtectedHeader(
    await authority.issueUserToken({ header: { typ: "at+jwt", kid: "x" } }),
  );
  assertEquals([header.typ, header.kid], ["at+jwt", "x"]);
});
