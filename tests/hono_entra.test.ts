/** A web application and an API in Hono, end to end at the local authority: sign-in, on behalf of the user, step-up, sign-out. */
import { assert, assertEquals } from "@std/assert";
import { Hono } from "hono";
import { entraAuth, requireBearer } from "../src/hono/mod.ts";
import { apiScene } from "./support/api_scene.ts";
import { API, HonoScene } from "./support/hono_scene.ts";
import { LEDGER_API, ORDERS_API } from "./support/on_behalf_of_scene.ts";
import { test } from "./support/suite.ts";
import { ORDERS } from "./support/user_scene.ts";
import { PEOPLE, type Visited } from "./support/web_scene.ts";

async function signedIn(scene: HonoScene, path: string, init = {}): Promise<Visited> {
  const sent = await scene.visitor.visit(path);
  assertEquals(sent.status, 303);
  const { url } = await scene.authority.signIn(sent.location, init);
  const back = await scene.visitor.visit(url, { crossSite: true });
  assertEquals([back.status, back.location], [303, path]);
  return await scene.visitor.visit(back.location);
}

test("a user signs in for a page of a Hono application, and comes back to it", async () => {
  const scene = new HonoScene();
  assertEquals((await scene.visitor.visit("/")).text, "nobody");
  const page = await signedIn(scene, "/me");
  assertEquals([page.status, page.text], [200, "Ada Byron"]);
  assertEquals(page.headers.get("cache-control"), "private, no-store");
  assertEquals((await scene.visitor.visit("/")).text, "ada@contoso.onmicrosoft.com");
  assertEquals((await scene.another().visit("/")).text, "nobody");
});

test("a script without a session is answered 401, not sent to the authority (R-140)", async () => {
  const { status, headers } = await new HonoScene().visitor.visit("/me", { script: true });
  assertEquals([status, headers.get("content-type")?.startsWith("application/json")], [401, true]);
});

test("the site calls its API as the user, and the API another one on behalf of the user", async () => {
  const scene = new HonoScene();
  const { status, text } = await signedIn(scene, "/api/ledger");
  assertEquals(status, 200);
  assertEquals(JSON.parse(text).scopes, ["api://ledger/Ledger.Read"]);
  assertEquals(scene.authority.countRequests({ kind: "token" }), 2);
});

test("what the API behind the API asks of the user reaches their browser as a step-up (R-164)", async () => {
  const scene = new HonoScene();
  await signedIn(scene, "/me");
  const sent = await scene.visitor.visit("/api/pay");
  assertEquals(sent.status, 303);
  const asked = new URL(sent.location);
  assert(asked.searchParams.get("claims")?.includes("access_token"));
  const { url } = await scene.authority.signIn(asked, { username: PEOPLE[0].username, mfa: true });
  const back = await scene.visitor.visit(url, { crossSite: true });
  const page = await scene.visitor.visit(back.location);
  assertEquals([page.status, JSON.parse(page.text).scopes], [200, ["api://payroll/Pay.Read"]]);
});

test("a sign-out ends the session and leads to the authority; a link of another site ends nothing", async () => {
  const scene = new HonoScene();
  await signedIn(scene, "/me");
  await scene.visitor.post("/auth/sign-out", {
    crossSite: true,
    headers: { origin: "https://evil.example" },
  });
  assertEquals((await scene.visitor.visit("/")).text, "ada@contoso.onmicrosoft.com");
  const out = await scene.visitor.post("/auth/sign-out", { headers: { origin: "https://app.example" } });
  assert(out.location.includes("/oauth2/v2.0/logout"), out.location);
  assertEquals((await scene.visitor.visit("/")).text, "nobody");
});

test("the API describes itself, and names the description in its challenge (R-160)", async () => {
  const { api } = new HonoScene();
  const description = await api.fetch(new Request(`${API}/.well-known/oauth-protected-resource/orders`));
  assertEquals((await description.json()).resource, `${API}/orders`);
  const refused = await api.fetch(new Request(`${API}/orders/ledger`));
  assertEquals(refused.status, 401);
  assert(refused.headers.get("www-authenticate")?.includes("resource_metadata="));
});

test("an API refuses tokens for others, expired ones, ID tokens and tokens without the scope", async () => {
  const { api, authority } = new HonoScene();
  const resource = ORDERS_API.appId;
  const call = async (token: string): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    return (await api.fetch(new Request(`${API}/orders/ledger`, { headers }))).status;
  };
  assertEquals(await call(await authority.issueUserToken({ resource, scopes: ["Orders.Read"] })), 200);
  assertEquals(await call(await authority.issueUserToken({ resource, scopes: ["Other"] })), 403);
  assertEquals(await call(await authority.issueUserToken({ resource, lifetimeSeconds: -600 })), 401);
  assertEquals(await call(await authority.issueUserToken({ resource: LEDGER_API.appId })), 401);
  assertEquals(await call(await authority.issueIdToken({ clientId: resource })), 401);
  assertEquals(await call("x.y.z"), 401);
});

test("options may be a function of the bindings: made once for each, and nobody gets in without (R-138)", async () => {
  const { scene, token } = apiScene();
  let made = 0;
  const app = new Hono<{ Bindings: { AUDIENCE: string } }>().use(
    requireBearer((env: { AUDIENCE: string }) => {
      made++;
      const { fetch } = scene.authority;
      return {
        audience: env.AUDIENCE,
        authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
        fetch,
        clock: scene.clock,
      };
    }, { scopes: ["Orders.Read"] }),
  ).get("/", (c) => c.text("in"));
  app.onError((error, c) => c.text(error.message, 500));
  const headers = { authorization: `Bearer ${await token()}` };
  const env = { AUDIENCE: ORDERS.appId };
  for (let i = 0; i < 2; i++) assertEquals((await app.request("/", { headers }, env)).status, 200);
  assertEquals(made, 1);
  assertEquals((await app.request("/", { headers }, { AUDIENCE: "another" })).status, 401);
  assertEquals(made, 2);
});

test("options of a web application that are wrong let nobody in (R-138)", async () => {
  const app = new Hono().use(entraAuth(() => ({}) as never)).get("/", (c) => c.text("in"));
  app.onError((error, c) => c.text(error.name, 500));
  assertEquals(await (await app.request("/", {}, {})).text(), "ClientConfigurationError");
});
