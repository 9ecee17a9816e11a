/** What the authority says of sign-outs elsewhere: in a hidden frame, and by a token. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import { settle } from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";
import { PEOPLE, SITE, TENANT, type Visited, WEB_APP, WebScene } from "./support/web_scene.ts";

const ISSUER = `https://login.microsoftonline.com/${TENANT}/v2.0`;
const EVENT = "http://schemas.openid.net/event/backchannel-logout";
type TokenOptions = Parameters<WebScene["authority"]["issueLogoutToken"]>[0];

async function signedIn(onServer = true): Promise<{ scene: WebScene; sid: string; sub: string }> {
  const scene = new WebScene({
    onServer,
    handler: (_, { user }) => Response.json(user),
  });
  await scene.signIn();
  const { sid, subject } = JSON.parse((await scene.visitor.visit("/page")).text);
  return { scene, sid, sub: subject };
}

async function isSignedIn({ visitor }: WebScene): Promise<boolean> {
  return (await visitor.visit("/open")).text === PEOPLE[0].username;
}

function frontChannel(scene: WebScene, query: Record<string, string> | string): Promise<Visited> {
  const path = `/auth/front-channel-logout?${new URLSearchParams(query)}`;
  return scene.another().visit(path, { crossSite: true });
}

async function backChannel(scene: WebScene, token: string): Promise<Visited> {
  return await scene.another().post("/auth/back-channel-logout", {
    bare: true,
    body: `${new URLSearchParams({ logout_token: token })}`,
    headers: { "content-type": "application/x-www-form-urlencoded" },
  });
}

test("a frame without cookies ends the session that it names, and no other (R-141)", async () => {
  const { scene, sid } = await signedIn();
  const other = scene.another();
  await scene.signIn("/page", { username: PEOPLE[1].username }, other);
  const answer = await frontChannel(scene, { iss: ISSUER, sid });
  assertEquals([answer.status, answer.text], [200, "ok"]);
  assertEquals(await isSignedIn(scene), false);
  assertEquals((await other.visit("/open")).text, PEOPLE[1].username);
});

test("the answer is framed by the authority alone, and kept by nobody (R-141)", async () => {
  const { scene, sid } = await signedIn();
  for (const query of [{ iss: ISSUER, sid }, { iss: "https://evil.example", sid }, {}]) {
    const { headers, status, text } = await frontChannel(scene, query);
    assertEquals([status, text, headers.get("x-frame-options")], [200, "ok", null]);
    assertMatch(headers.get("cache-control")!, /no-store/);
    assertEquals(
      headers.get("content-security-policy"),
      "default-src 'none'; frame-ancestors https://login.microsoftonline.com",
    );
    assertEquals(headers.getSetCookie(), []);
  }
});

test("a frame with another issuer, an unknown session, or not both ends nothing (R-141)", async () => {
  const { scene, sid } = await signedIn();
  const queries: (Record<string, string> | string)[] = [
    {},
    { sid },
    { iss: ISSUER },
    { iss: "https://evil.example", sid },
    { iss: `${ISSUER}/`, sid },
    { iss: ISSUER.toUpperCase(), sid },
    { iss: ISSUER, sid: `${sid}x` },
    { iss: ISSUER, sid: "" },
    { iss: ISSUER, sid: "a".repeat(5000) },
    `iss=${ISSUER}&sid=${sid}&sid=other`,
    `iss=${ISSUER}&iss=other&sid=${sid}`,
  ];
  for (const query of queries) assertEquals((await frontChannel(scene, query)).status, 200);
  assert(await isSignedIn(scene));
  assertEquals((await scene.another().post("/auth/front-channel-logout")).status, 405);
});

test("without a store a frame ends a session only where it brings the cookie (R-142)", async () => {
  const { scene, sid } = await signedIn(false);
  await frontChannel(scene, { iss: ISSUER, sid });
  assert(await isSignedIn(scene));
  const other = await scene.visitor.visit(
    `/auth/front-channel-logout?${new URLSearchParams({ iss: ISSUER, sid: "x" })}`,
  );
  assertEquals([other.status, await isSignedIn(scene)], [200, true]);
  await scene.visitor.visit(`/auth/front-channel-logout?${new URLSearchParams({ iss: ISSUER, sid })}`);
  assertEquals(await isSignedIn(scene), false);
});

test("a store that fails is told of, and the frame learns nothing (R-141)", async () => {
  const { scene, sid } = await signedIn();
  const { store } = scene;
  store.get = () => Promise.reject(new Error("down"));
  store.delete = () => Promise.reject(new Error("down"));
  assertEquals((await frontChannel(scene, { iss: ISSUER, sid })).status, 200);
  assert(scene.events.some(({ type }) => type === "cache_failed"));
});

test("a logout token ends the session that it names (R-145)", async () => {
  const { scene, sid } = await signedIn();
  const answer = await backChannel(scene, await scene.authority.issueLogoutToken({ sid }));
  assertEquals([answer.status, await isSignedIn(scene)], [200, false]);
  assertMatch(answer.headers.get("cache-control")!, /no-store/);
});

test("a logout token without a session ends all of its user, and nobody else's (R-145)", async () => {
  const { scene } = await signedIn();
  const [second, bob] = [scene.another(), scene.another()];
  await scene.signIn("/page", {}, second);
  await scene.signIn("/page", { username: PEOPLE[1].username }, bob);
  const token = await scene.authority.issueLogoutToken({ claims: { sid: undefined } } as TokenOptions);
  assertEquals((await backChannel(scene, token)).status, 200);
  assertEquals([await isSignedIn(scene), (await second.visit("/open")).text], [false, "nobody"]);
  assertEquals((await bob.visit("/open")).text, PEOPLE[1].username);
});

test("a logout token with a session and a user ends that session alone (R-145)", async () => {
  const { scene, sid, sub } = await signedIn();
  const second = scene.another();
  await scene.signIn("/page", {}, second);
  const token = await scene.authority.issueLogoutToken({ sid, claims: { sub } } as TokenOptions);
  assertEquals((await backChannel(scene, token)).status, 200);
  assertEquals([await isSignedIn(scene), (await second.visit("/open")).text], [
    false,
    PEOPLE[0].username,
  ]);
});

test("a logout token counts once (R-145)", async () => {
  const { scene } = await signedIn();
  const token = await scene.authority.issueLogoutToken({ claims: { sid: undefined } } as TokenOptions);
  assertEquals((await backChannel(scene, token)).status, 200);
  await scene.signIn();
  const again = await backChannel(scene, token);
  assertEquals([again.status, JSON.parse(again.text).error], [400, "invalid_request"]);
  assert(await isSignedIn(scene));
});

const REFUSED: Readonly<Record<string, Record<string, unknown>>> = {
  "no signature": { signature: "none" },
  "the client's secret as key": { signature: "hs256" },
  "another key": { signature: "foreign_key" },
  "a broken signature": { signature: "broken" },
  "another audience": { claims: { aud: "somebody-else" } },
  "no audience": { claims: { aud: undefined } },
  "another issuer": { claims: { iss: "https://evil.example" } },
  "another tenant's issuer": {
    claims: { iss: "https://login.microsoftonline.com/1d2c3b4a-5e6f-4708-9a1b-2c3d4e5f6071/v2.0" },
  },
  "no issuer": { claims: { iss: undefined } },
  "no event": { claims: { events: undefined } },
  "another event": { claims: { events: { "http://schemas.openid.net/event/other": {} } } },
  "an event that is no object": { claims: { events: { [EVENT]: "yes" } } },
  "events as a list": { claims: { events: [EVENT] } },
  "a nonce": { claims: { nonce: "n" } },
  "no name": { claims: { jti: undefined } },
  "a name that is no text": { claims: { jti: 7 } },
  "nobody": { claims: { sid: undefined, sub: undefined } },
  "a session that is no text": { claims: { sid: ["x"] } },
  "an end in the past": { claims: { exp: 1_000 } },
  "no end": { claims: { exp: undefined } },
  "no beginning": { claims: { iat: undefined } },
  "a beginning in the future": { claims: { iat: 4_000_000_000, exp: 4_000_000_100 } },
  "the type of another token": { header: { typ: "at+jwt" } },
  "a type that is no text": { header: { typ: 7 } },
};

test("a logout token with anything wrong in it is refused, and ends nothing (R-145)", async () => {
  const { scene, sid } = await signedIn();
  for (const [what, forged] of Object.entries(REFUSED)) {
    const token = await scene.authority.issueLogoutToken({ sid, ...forged } as TokenOptions);
    const answer = await backChannel(scene, token);
    assertEquals([what, answer.status, JSON.parse(answer.text).error], [what, 400, "invalid_request"]);
    assertMatch(answer.headers.get("cache-control")!, /no-store/);
  }
  for (
    const token of ["", "a.b.c", await scene.authority.issueIdToken({ clientId: WEB_APP.clientId } as never)]
  ) {
    assertEquals((await backChannel(scene, token)).status, 400);
  }
  assert(await isSignedIn(scene));
});

test("what is no form with one token is refused (R-145, R-192, R-193)", async () => {
  const { scene, sid } = await signedIn();
  const token = await scene.authority.issueLogoutToken({ sid });
  const form = "application/x-www-form-urlencoded";
  const bodies: [string, string][] = [
    [`logout_token=${token}`, "text/plain"],
    [JSON.stringify({ logout_token: token }), "application/json"],
    [`logout_token=${token}&logout_token=${token}`, form],
    [`token=${token}`, form],
    [`logout_token=${token}&filler=${"x".repeat(65_536)}`, form],
  ];
  for (const [body, type] of bodies) {
    const answer = await scene.another().post("/auth/back-channel-logout", {
      bare: true,
      body,
      headers: { "content-type": type },
    });
    assertEquals(answer.status, 400);
  }
  assertEquals((await scene.another().visit(`/auth/back-channel-logout?logout_token=${token}`)).status, 405);
  assert(await isSignedIn(scene));
});

test("where the keys or the store cannot be had the authority is asked to come again (R-145)", async () => {
  const { scene, sid } = await signedIn();
  const { store } = scene;
  const token = await scene.authority.issueLogoutToken({ sid });
  const { get } = store;
  store.get = () => Promise.reject(new Error("down"));
  assertEquals((await backChannel(scene, token)).status, 503);
  store.get = get;
  assertEquals([(await backChannel(scene, token)).status, await isSignedIn(scene)], [200, false]);
});

test("a store that hangs is waited for no longer than its time, and the authority asked to come again (R-113, R-145)", async () => {
  const { scene, sid } = await signedIn();
  const { store, clock } = scene;
  const token = await scene.authority.issueLogoutToken({ sid });
  const { get } = store;
  store.get = () => new Promise(() => {});
  assertEquals((await settle(clock, backChannel(scene, token))).status, 503);
  store.get = get;
  assertEquals([(await backChannel(scene, token)).status, await isSignedIn(scene)], [200, false]);
});

test("sessions that are ended are, although the store cannot note the token (R-145)", async () => {
  const { scene, sid } = await signedIn();
  const { store, events } = scene;
  const token = await scene.authority.issueLogoutToken({ sid });
  const { set } = store;
  store.set = (key, ...rest) =>
    key.startsWith("msal-edge.logout.") ? Promise.reject(new Error("down")) : set.call(store, key, ...rest);
  assertEquals([(await backChannel(scene, token)).status, await isSignedIn(scene)], [200, false]);
  assert(events.some(({ type }) => type === "cache_failed"));
});

test("the same logout token twice at once ends its session, and no answer asks to come again (R-145)", async () => {
  const { scene, sid } = await signedIn();
  const token = await scene.authority.issueLogoutToken({ sid });
  const answers = await Promise.all([backChannel(scene, token), backChannel(scene, token)]);
  assert(answers.some(({ status }) => status === 200) && answers.every(({ status }) => status < 500));
  assertEquals(await isSignedIn(scene), false);
});

test("without a store a logout token cannot end anything, and the answer says so (R-142)", async () => {
  const { scene, sid } = await signedIn(false);
  const answer = await backChannel(scene, await scene.authority.issueLogoutToken({ sid }));
  assertEquals([answer.status, JSON.parse(answer.text).error], [501, "unsupported"]);
  assert(await isSignedIn(scene));
});

test("a site that nobody signed in to answers, too", async () => {
  const scene = new WebScene({ onServer: true });
  assertEquals((await frontChannel(scene, { iss: ISSUER, sid: "x" })).status, 200);
  assertEquals((await backChannel(scene, await scene.authority.issueLogoutToken({ sid: "x" }))).status, 200);
  assertEquals((await scene.visitor.visit(`${SITE}/open`)).text, "nobody");
});
