/** What the local authority tells apps when their users sign out: logout tokens, hidden frames, posts. */
import { assert, assertEquals, assertMatch, assertNotEquals, assertRejects } from "@std/assert";
import { createLocalJWKSet, decodeJwt, decodeProtectedHeader, jwtVerify } from "jose";
import type { LocalAuthority, LocalAuthorityOptions, LogoutTokenOptions } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import { unescaped } from "./support/form_browser.ts";
import {
  ADA as PERSON,
  ASKING_APP,
  authorizeUrl,
  ORIGIN,
  signInScene,
  WEB_APP,
} from "./support/sign_in_scene.ts";
import { CONTOSO, FABRIKAM, HOST, type Json, ORDERS, UserScene, WEB } from "./support/user_scene.ts";

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
  const later = await scene.tokens({}, { username: ADA });
  assertEquals(await sidOf({ username: ADA }), decodeJwt(later.id_token)["sid"]);
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

const SHOP = {
  ...WEB,
  optionalClaims: ["sid"],
  logoutUris: ["https://shop.example/out?kept=1", "https://shop.example/out2"],
  backChannelLogoutUris: ["https://shop.example/told"],
};
const BLOG = {
  clientId: "0f1e2d3c-4b5a-4968-8776-655443322111",
  name: "Blog",
  secrets: ["s3cret-2"],
  redirectUris: ["http://localhost/callback"],
  optionalClaims: ["sid"],
  logoutUris: ["http://127.0.0.1:9000/out"],
  backChannelLogoutUris: ["https://blog.example/told", "https://blog.example/told-too"],
};
const LOGOUT = `${HOST}/${CONTOSO.id}/oauth2/v2.0/logout`;
const ISSUER = `${HOST}/${CONTOSO.id}/v2.0`;

interface Posted {
  readonly url: string;
  readonly init: RequestInit;
  readonly claims: Json;
}

interface SignOutScene {
  readonly scene: UserScene;
  readonly posts: Posted[];
  /** Signs in to an app, and returns the `sid` of the ID token. */
  signIn(
    app: { readonly clientId: string; readonly secrets: readonly string[] },
    username?: string,
  ): Promise<string>;
}

function signOutScene(options: LocalAuthorityOptions = {}, answer = () => new Response(null)): SignOutScene {
  const posts: Posted[] = [];
  const post = (url: string, init: RequestInit): Promise<Response> => {
    const token = (init.body as URLSearchParams).get("logout_token") ?? "";
    posts.push({ url, init, claims: decodeJwt(token) });
    return Promise.resolve().then(answer);
  };
  const scene = new UserScene({ apps: [SHOP, BLOG], fetch: post, ...options });
  const signIn: SignOutScene["signIn"] = async ({ clientId, secrets }, username = ADA) => {
    const code = await scene.code({ client_id: clientId }, { username });
    const { body } = await scene.redeem(code, { client_id: clientId, client_secret: secrets[0] });
    return String(decodeJwt(body.id_token)["sid"]);
  };
  return { scene, posts, signIn };
}

function told(frames: readonly URL[]): unknown[] {
  return frames.map(({ origin, pathname, searchParams }) => [origin + pathname, ...searchParams.values()]);
}

test("R-141: hidden frames carry the issuer and the session that each app was told", async () => {
  const { scene: { authority }, signIn } = signOutScene();
  const first = await signIn(SHOP);
  const { frames, url } = await authority.signOut(LOGOUT);
  assertEquals(told(frames), [
    ["https://shop.example/out", "1", ISSUER, first],
    ["https://shop.example/out2", ISSUER, first],
  ]);
  assertEquals(url, undefined);
  // It has ended.
  assertEquals((await authority.signOut(LOGOUT)).frames, []);
});

test("R-141: only apps that were signed in to are told, each with its own session", async () => {
  const { scene, signIn, posts } = signOutScene();
  const sids = [await signIn(SHOP), await signIn(BLOG), await signIn(BLOG)] as const;
  assertEquals(new Set(sids).size, 3);
  const bobs = await signIn(SHOP, "bob@contoso.onmicrosoft.com");
  const { frames } = await scene.authority.signOut(LOGOUT, { username: ADA });
  assertEquals(frames.map(({ host }) => host), [
    "shop.example",
    "shop.example",
    "127.0.0.1:9000",
    "127.0.0.1:9000",
  ]);
  assertEquals(frames.map(({ searchParams }) => searchParams.get("sid")), [
    sids[0],
    sids[0],
    sids[1],
    sids[2],
  ]);
  posts.length = 0;
  const others = await scene.authority.signOut(`${LOGOUT}?logout_hint=bob@contoso.onmicrosoft.com`);
  assertEquals(others.frames.map(({ searchParams }) => searchParams.get("sid")), [bobs, bobs]);
  assertEquals(posts.map(({ claims }) => claims.sid), [bobs]);
});

test("R-145: servers are posted a logout token each, which their app accepts", async () => {
  const { scene: { authority, clock }, signIn, posts } = signOutScene();
  const sid = await signIn(SHOP);
  const blogSid = await signIn(BLOG);
  await authority.signOut(LOGOUT);
  assertEquals(posts.map(({ url }) => url).sort(), [
    "https://blog.example/told",
    "https://blog.example/told-too",
    "https://shop.example/told",
  ]);
  const keys = await keySetOf(authority);
  for (const { url, init, claims } of posts) {
    const isShop = url.includes("shop");
    assertEquals(init.method, "POST");
    const token = (init.body as URLSearchParams).get("logout_token") ?? "";
    await jwtVerify(token, keys, {
      typ: "logout+jwt",
      issuer: ISSUER,
      audience: isShop ? SHOP.clientId : BLOG.clientId,
      currentDate: new Date(clock.now()),
    });
    assertEquals([claims.sid, claims.events], [isShop ? sid : blogSid, { [EVENT]: {} }]);
  }
  assertEquals(new Set(posts.map(({ claims }) => claims.jti)).size, 3);
});

test("a server that fails, or cannot be reached, keeps nobody signed in", async () => {
  const answers = [
    () => new Response("no", { status: 500 }),
    (): Response => {
      throw new TypeError("fetch failed");
    },
  ];
  for (const answer of answers) {
    const { scene: { authority }, signIn, posts } = signOutScene({}, answer);
    await signIn(SHOP);
    const back =
      `${LOGOUT}?client_id=${WEB.clientId}&state=s&post_logout_redirect_uri=https://web.example/callback`;
    const { url } = await authority.signOut(back);
    assertEquals([url?.href, posts.length], ["https://web.example/callback?state=s", 1]);
    assertEquals((await authority.signOut(LOGOUT)).frames, []);
  }
});

test("a guest's apps are told the issuer of the tenant that they know", async () => {
  const { scene, posts } = signOutScene();
  await scene.tokens({}, { username: ADA }, FABRIKAM.id);
  const { frames } = await scene.authority.signOut(LOGOUT);
  assertEquals(frames[0]?.searchParams.get("iss"), `${HOST}/${FABRIKAM.id}/v2.0`);
  assertEquals(posts[0]?.claims.iss, `${HOST}/${FABRIKAM.id}/v2.0`);
});

test("the page loads the frames of the apps that were signed in to in this browser", async () => {
  const posts: string[] = [];
  const { authority, browser } = signInScene({
    apps: [{ ...WEB_APP, backChannelLogoutUris: ["https://orders.example/told"] }, {
      ...ASKING_APP,
      logoutUris: ["https://asking.example/out"],
    }],
    fetch: (url) => {
      posts.push(url);
      return Promise.resolve(new Response());
    },
  });
  const signIn = async () => {
    await browser.open(authorizeUrl({ prompt: "login", scope: "openid" }));
    await browser.submit({ username: PERSON.username, password: PERSON.password });
    return browser.page.location?.searchParams.get("session_state") ?? "";
  };
  const sids = [await signIn(), await signIn()];
  const logout = `${ORIGIN}/common/oauth2/v2.0/logout`;
  const page = await browser.open(`${logout}?client_id=${ASKING_APP.clientId}`);
  const sources = [...page.text.matchAll(/<iframe src="([^"]*)"/g)].map(([, src]) =>
    new URL(unescaped(src ?? ""))
  );
  assertEquals(sources.map(({ origin, pathname }) => origin + pathname), [
    "https://orders.example/signed-out",
    "https://orders.example/signed-out",
  ]);
  assertEquals(sources.map(({ searchParams }) => searchParams.get("sid")), sids);
  assertEquals(sources[0]?.searchParams.get("iss"), `${ORIGIN}/${authority.defaults.tenantId}/v2.0`);
  assertMatch(page.headers.get("content-security-policy") ?? "", /; frame-src https:\/\/orders\.example; /);
  assertEquals(posts.length, 2);
  // Nobody is signed in any more, so nobody is told.
  assert(!(await browser.open(logout)).text.includes("<iframe"));
  assertEquals(posts.length, 2);
});

test("a browser in which nobody signed in tells nobody", async () => {
  const { scene: { authority }, signIn, posts } = signOutScene();
  await signIn(SHOP);
  const page = await authority.handler(new Request(LOGOUT));
  assertEquals([page.status, (await page.text()).includes("<iframe"), posts], [200, false, []]);
  await assertRejects(() => authority.signOut(`${HOST}/common/oauth2/v2.0/authorize`), TypeError);
});

test("discovery promises posts only where an app wants them", async () => {
  const documentOf = async ({ authority }: UserScene) =>
    await (await authority.fetch(`${HOST}/common/v2.0/.well-known/openid-configuration`)).json();
  const [with_, without] = [await documentOf(signOutScene().scene), await documentOf(new UserScene())];
  const names = ["backchannel_logout_supported", "backchannel_logout_session_supported"];
  assertEquals(names.map((name) => [with_[name], name in without]), [[true, false], [true, false]]);
  assertEquals(without.frontchannel_logout_supported, true);
});
