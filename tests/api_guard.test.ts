/** Who gets in to a guarded route, and what happens to the answers: ..R-157, R-161, R-163. */
import {
  assert,
  assertEquals,
  assertFalse,
  assertRejects,
  assertStrictEquals,
  assertThrows,
} from "@std/assert";
import { ClientConfigurationError, ConfidentialClientApplication } from "../mod.ts";
import { AccessTokenError, type ApiAuthOptions, type ApiCaller, createApiAuth } from "../src/web/mod.ts";
import { API, type ApiScene, apiScene, takeApart } from "./support/api_scene.ts";
import { printed } from "./support/printed.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, FABRIKAM, HOST, ORDERS, WEB } from "./support/user_scene.ts";

const READ = { scopes: ["Orders.Read"] };

async function requestOf(one: ApiScene, init: RequestInit = {}): Promise<Request> {
  const headers = { authorization: `Bearer ${await one.token()}`, ...init.headers as Record<string, string> };
  return new Request(`${API}/orders`, { ...init, headers });
}

test("a user gets in, and the handler learns who it is", async () => {
  const one = apiScene();
  const answer = await one.call(`Bearer ${await one.token()}`);
  const [caller] = one.callers;
  assertEquals([answer.status, answer.body], [200, { of: caller?.callerId }]);
  assertEquals(caller?.kind, "delegated");
  assertEquals(caller?.scopes, ["Orders.Read"]);
  assertEquals([caller?.tenantId, caller?.clientId], [CONTOSO.id, WEB.clientId]);
  assertEquals([caller?.claims.tid, caller?.claims.aud], [CONTOSO.id, ORDERS.appId]);
  assert(caller!.expiresOn.getTime() > one.scene.clock.now());
});

test("R-155 an app gets in by its role, and not by another", async () => {
  const one = apiScene();
  const needed = { roles: ["Orders.Read.All"] };
  assertEquals((await one.call(`Bearer ${await one.appToken()}`, needed)).status, 200);
  assertEquals(one.callers[0]?.kind, "app");
  assertEquals((await one.call(`Bearer ${await one.appToken(["Orders.Read"])}`, needed)).status, 403);
  assertEquals((await one.call(`Bearer ${await one.token()}`, needed)).status, 403);
  assertEquals((await one.call(`Bearer ${await one.appToken()}`, READ)).status, 403);
  assertEquals(one.callers.length, 1);
});

/** Tokens that no guard of this API takes. */
const STRANGERS: Readonly<Record<string, (one: ApiScene) => Promise<string>>> = {
  "R-153 of Microsoft Graph": ({ scene }) =>
    scene.authority.issueUserToken({ resource: "https://graph.microsoft.com" }),
  "R-153 of an audience that begins alike": ({ scene }) =>
    scene.authority.issueUserToken({ resource: ORDERS.appId, claims: { aud: `${ORDERS.appId}/` } }),
  "R-154 an ID token": ({ scene }) => scene.authority.issueIdToken(),
  "of another tenant": ({ scene }) =>
    scene.authority.issueUserToken({
      resource: ORDERS.appId,
      tenant: FABRIKAM.id,
      username: "fay@fabrikam.example",
    }),
  "with another signature": async (one) => `${(await one.token()).slice(0, -8)}AAAAAAAA`,
  "without a signature": async (one) => (await one.token()).replace(/[^.]+$/, ""),
};
for (const [name, make] of Object.entries(STRANGERS)) {
  test(`R-157 a token is refused, and the handler does not run: ${name}`, async () => {
    const one = apiScene();
    const { status, challenge } = await one.call(`Bearer ${await make(one)}`, {});
    assertEquals([status, challenge?.error, one.callers.length], [401, "invalid_token", 0]);
  });
}

test("R-155 a token without any permission is not enough, even where a route asks for none", async () => {
  const one = apiScene();
  assertEquals((await one.call(`Bearer ${await one.token({ claims: { scp: undefined } })}`, {})).status, 403);
  assertEquals(one.callers.length, 0);
});

for (
  const preflight of [undefined, () => new Response("cors", { headers: { "access-control-max-age": "60" } })]
) {
  test(`R-161 a preflight goes to the CORS handler alone: ${preflight ? "one" : "none"}`, async () => {
    const one = apiScene({ preflight });
    let runs = 0;
    const route = one.api.protect(() => (runs++, new Response("in")), READ);
    const headers = { origin: "https://app.example", "access-control-request-method": "GET" };
    const bare = await route(new Request(API, { method: "OPTIONS", headers }));
    assertEquals([bare.status, await bare.text()], preflight ? [200, "cors"] : [204, ""]);
    assertEquals(bare.headers.has("access-control-allow-origin"), false);
    // Nor with a token: it would be a way round.
    await route(await requestOf(one, { method: "OPTIONS", headers }));
    assertEquals(runs, 0);
  });
}

/** What looks like a preflight and is none. */
const NO_PREFLIGHTS: Readonly<Record<string, [method: string, headers: Record<string, string>]>> = {
  "OPTIONS alone": ["OPTIONS", {}],
  "without an origin": ["OPTIONS", { "access-control-request-method": "GET" }],
  "without a method": ["OPTIONS", { origin: "https://app.example" }],
  "another method": ["POST", { origin: "https://app.example", "access-control-request-method": "GET" }],
};
for (const [name, [method, headers]] of Object.entries(NO_PREFLIGHTS)) {
  test(`R-161 what is no preflight needs a token: ${name}`, async () => {
    const { api } = apiScene({ preflight: () => new Response("cors") });
    const route = api.protect(() => new Response("in"), READ);
    assertEquals((await route(new Request(API, { method, headers }))).status, 401);
  });
}

test("R-161 the guard looks at no path, so none leads round it", async () => {
  const { api } = apiScene();
  const route = api.protect(() => new Response("in"), READ);
  const paths = [
    "/",
    "//orders",
    "/%6frders",
    "/a%2f..%2forders",
    "/orders;x",
    "/.well-known/oauth-protected-resource",
  ];
  for (const path of paths) assertEquals((await route(new Request(API + path))).status, 401, path);
});

test("R-137 answers of a guarded route are kept apart by caches, and keep their own headers", async () => {
  const one = apiScene();
  const varyOf = async (response: Response): Promise<string | null> => {
    const answer = await one.api.protect(() => response, READ)(await requestOf(one));
    assertEquals([answer.status, answer.headers.get("x-own")], [
      response.status,
      response.headers.get("x-own"),
    ]);
    return answer.headers.get("vary");
  };
  assertEquals(await varyOf(new Response("in", { headers: { "x-own": "1" } })), "Authorization");
  assertEquals(await varyOf(new Response("in", { headers: { vary: "Origin" } })), "Origin, Authorization");
  assertEquals(
    await varyOf(new Response("in", { headers: { vary: "accept, AUTHORIZATION" } })),
    "accept, AUTHORIZATION",
  );
  assertEquals(await varyOf(new Response("in", { headers: { vary: "*" } })), "*");
  assertEquals(await varyOf(new Response(null, { status: 204 })), "Authorization");
  assertEquals(await varyOf(Response.redirect("https://app.example/", 302)), "Authorization");
});

test("an answer that cannot be changed is copied, its body with it", async () => {
  const one = apiScene();
  // Headers of a redirect are immutable everywhere, those of a fetch in some runtimes alone.
  const answer = await one.api.protect(() => Response.redirect("https://app.example/x", 303), READ)(
    await requestOf(one),
  );
  assertEquals([answer.status, answer.headers.get("location")], [303, "https://app.example/x"]);
  const body = new ReadableStream({
    start: (controller) => {
      controller.enqueue(new TextEncoder().encode("in"));
      controller.close();
    },
  });
  const mutable = new Response(body);
  // Whoever looks at it makes a stream of what can be sent at once.
  let looks = 0;
  Object.defineProperty(mutable, "body", { get: () => (looks++, body) });
  const same = await one.api.protect(() => mutable, READ)(await requestOf(one));
  assertStrictEquals(same, mutable);
  assertEquals(looks, 0);
  assertEquals(await same.text(), "in");
});

test("R-138 what a handler throws of ours is answered, and what is not is thrown", async () => {
  const one = apiScene();
  const thrower = (error: unknown) => one.api.protect(() => Promise.reject(error), READ);
  const own = new AccessTokenError("access_token_role_missing", "Managers alone", {
    status: 403,
    error: "insufficient_scope",
  });
  const { status, challenge } = await takeApart(await thrower(own)(await requestOf(one)));
  assertEquals([status, challenge?.error_description], [403, "Managers alone"]);
  const request = await requestOf(one);
  await assertRejects(() => thrower(new RangeError("of the handler"))(request), RangeError, "of the handler");
});

test("authenticate says who calls, or throws what refuse answers", async () => {
  const { api, ...one } = apiScene();
  const request = await requestOf({ api, ...one });
  assertEquals((await api.authenticate(request)).scopes, ["Orders.Read"]);
  const error = await assertRejects(() => api.authenticate(new Request(API)), AccessTokenError);
  assertEquals(error.code, "access_token_missing");
  assertEquals(api.refuse(error, request).status, 401);
});

test("R-134 nothing of the token is in what a program could print of a caller", async () => {
  const one = apiScene({ app: undefined });
  const token = await one.token();
  await one.call(`Bearer ${token}`);
  const [caller] = one.callers;
  const shown = printed(caller) + JSON.stringify({ ...caller }) + Object.keys(caller!).join();
  for (const part of token.split(".")) assertFalse(shown.includes(part));
  assertEquals(Object.keys(JSON.parse(JSON.stringify(caller))).sort(), [
    "callerId",
    "claims",
    "clientId",
    "expiresOn",
    "kind",
    "roles",
    "scopes",
    "tenantId",
  ]);
});

test("R-163 without an app, and for an app that calls, there is no token on anybody's behalf", async () => {
  const one = apiScene();
  await one.call(`Bearer ${await one.token()}`);
  const request = { scopes: ["User.Read"] };
  const without = await assertRejects(() => one.callers[0]!.acquireToken(request), ClientConfigurationError);
  assertEquals(without.option, "app");
  const app = new ConfidentialClientApplication({
    clientId: ORDERS.appId,
    clientCredential: "s3cret",
    authority: `${HOST}/${CONTOSO.id}`,
    fetch: one.scene.authority.fetch,
    clock: one.scene.clock,
  });
  const api = createApiAuth({ app, audience: ORDERS.appId });
  const headers = { authorization: `Bearer ${await one.appToken()}` };
  let caller: ApiCaller | undefined;
  const route = api.protect(async (_, given) => {
    await (caller = given).acquireToken(request);
    return new Response("never");
  }, { roles: ["Orders.Read.All"] });
  one.scene.authority.clearRequests();
  assertEquals((await route(new Request(API, { headers }))).status, 500);
  const error = await assertRejects(() => caller!.acquireToken(request), ClientConfigurationError);
  assertEquals([error.code, error.option], ["invalid_request", "caller"]);
  assertEquals(one.scene.authority.countRequests({ kind: "token" }), 0);
});

test("createApiAuth({ app, audience }) takes the app's authority, keys, fetch and clock", async () => {
  const { scene, token } = apiScene();
  const app = new ConfidentialClientApplication({
    clientId: ORDERS.appId,
    clientCredential: "s3cret",
    authority: `${HOST}/${CONTOSO.id}`,
    fetch: scene.authority.fetch,
    clock: scene.clock,
  });
  await scene.clock.advance(3 * 3_600_000);
  for (let guard = 0; guard < 2; guard++) {
    const route = createApiAuth({ app, audience: ORDERS.appId }).protect(() => new Response("in"), READ);
    const headers = { authorization: `Bearer ${await token()}` };
    assertEquals((await route(new Request(API, { headers }))).status, 200);
  }
  assertEquals(scene.authority.countRequests({ kind: "jwks" }), 1);
});

test("options of the bindings are read once for each env, and never without one (R-138)", async () => {
  const { scene, token } = apiScene();
  let made = 0;
  const api = createApiAuth((env: { readonly AUDIENCE: string }): ApiAuthOptions => {
    made++;
    return {
      authority: `${HOST}/${CONTOSO.id}`,
      audience: env.AUDIENCE,
      fetch: scene.authority.fetch,
      clock: scene.clock,
    };
  });
  const route = api.protect(() => new Response("in"), READ);
  const request = new Request(API, { headers: { authorization: `Bearer ${await token()}` } });
  const env = { AUDIENCE: ORDERS.appId };
  assertEquals(made, 0);
  assertEquals((await route(request, { env })).status, 200);
  assertEquals((await route(request, { env })).status, 200);
  assertEquals(made, 1);
  assertEquals((await route(request, { env: { AUDIENCE: "api://another" } })).status, 401);
  assertEquals(made, 2);
  for (const context of [undefined, {}, { env: undefined }]) {
    const error = await assertRejects(() => route(request, context), ClientConfigurationError);
    assertEquals(error.option, "context.env");
  }
  // deno-lint-ignore no-explicit-any -- a binding that nobody set
  await assertRejects(() => route(request, { env: {} as any }), ClientConfigurationError, "audience");
});

// deno-lint-ignore no-explicit-any
const WRONG: Readonly<Record<string, [option: string, options: any]>> = {
  "nothing": ["audience", undefined],
  "no audience": ["audience", { authority: HOST + "/common", allowedTenants: "any" }],
  "an empty audience": ["audience", { authority: `${HOST}/${CONTOSO.id}`, audience: [] }],
  "no authority": ["authority", { audience: ORDERS.appId }],
  "no tenants": ["allowedTenants", { authority: `${HOST}/common`, audience: ORDERS.appId }],
  "an app that is none": ["app", { app: {}, audience: ORDERS.appId }],
  "an authority that is none": ["authority", {
    authority: "https://login.evil.example/x",
    audience: ORDERS.appId,
  }],
  "a preflight that is none": [
    "preflight",
    { authority: `${HOST}/${CONTOSO.id}`, audience: ORDERS.appId, preflight: {} },
  ],
};
for (const [name, [option, options]] of Object.entries(WRONG)) {
  test(`R-153 options that are wrong are refused when the guard is made: ${name}`, () => {
    const error = assertThrows(() => createApiAuth(options), ClientConfigurationError);
    assertEquals(error.option, option);
  });
}

test("R-138 a handler that is none is refused when the route is made", () => {
  const { api } = apiScene();
  // deno-lint-ignore no-explicit-any
  assertThrows(() => api.protect(undefined as any, READ), ClientConfigurationError, "handler");
});
