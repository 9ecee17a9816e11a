/** `./web`, `./hono` and `./azure` with B2C, External ID and ADFS as the authority. */
import { assert, assertEquals } from "@std/assert";
import { createTokenCredential } from "../src/azure/mod.ts";
import { createWebAuth } from "../src/web/mod.ts";
import { shapeDouble, shapeOf } from "./support/client_shapes.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, SITE, Visitor } from "./support/web_scene.ts";

for (
  const name of ["B2C", "B2C by tfp", "External ID by its host", "External ID on a domain of its own", "ADFS"]
) {
  test(`a visitor signs in with ${name}, has a token for the API, and signs out there`, async () => {
    const shape = shapeOf(name);
    const double = shapeDouble(shape);
    const app = double.confidential(shape.options);
    const auth = createWebAuth({ app, baseUrl: SITE, cookieSecret: COOKIE_SECRET, sessionClaims: ["iss"] });
    const page = auth.requireUser(async (_, { user, acquireToken }) => {
      const { accessToken, tokenSource } = await acquireToken({ scopes: [] });
      return Response.json({ user, accessToken, tokenSource });
    });
    const visitor = new Visitor(async (request) => await auth.route(request) ?? await page(request));
    const sent = await visitor.visit("/page");
    const url = new URL(sent.location);
    assertEquals([sent.status, url.origin + url.pathname], [303, `${shape.at}/authorize`]);
    const { state = "", nonce = "" } = Object.fromEntries(url.searchParams);
    double.next(await double.answer({ ...shape.claims, nonce }, shape.members));
    const callback = `${SITE}/auth/callback?${new URLSearchParams({ code: "a code", state })}`;
    const back = await double.settle(visitor.visit(callback, { crossSite: true }));
    assertEquals([back.status, back.location], [303, "/page"], back.text);
    const shown = JSON.parse((await visitor.visit("/page")).text);
    assertEquals([shown.accessToken, shown.tokenSource], ["AT 1", "cache"]);
    assertEquals(shown.user.homeAccountId, shape.homeAccountId);
    assertEquals([shown.user.username, shown.user.claims.iss], ["alex@contoso.example", shape.claims["iss"]]);
    assertEquals(double.posts.map((post) => post.url), [`${shape.at}/token`]);
    const out = await visitor.post("/auth/sign-out", { headers: { origin: SITE } });
    assert(out.location.startsWith(`${shape.at}/logout?`), `${out.status} ${out.location}`);
    assertEquals((await visitor.visit("/page")).status, 303);
  });

  test(`./azure has an app token of ${name} for an SDK`, async () => {
    const shape = shapeOf(name);
    const double = shapeDouble(shape);
    const credential = createTokenCredential(double.confidential(shape.options));
    double.next({ access_token: "AT", token_type: "Bearer", expires_in: 3600 });
    const token = await double.settle(credential.getToken(shape.appScopes[0]!));
    assertEquals([token?.token, double.posts[0]?.url], ["AT", `${shape.at}/token`]);
  });
}
