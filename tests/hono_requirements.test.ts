/** What `requireBearer` asks of a token, said in two places: nothing of it is passed over. */
import { assert, assertEquals } from "@std/assert";
import { Hono } from "hono";
import { type BearerOptions, requireBearer } from "../src/hono/mod.ts";
import type { AccessTokenRequirements } from "../src/validate/mod.ts";
import { apiScene } from "./support/api_scene.ts";
import { thrown } from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS } from "./support/user_scene.ts";

/** The answer to a user with `Orders.Read`. */
async function status(own: AccessTokenRequirements, more: AccessTokenRequirements): Promise<number> {
  const { scene: { authority, clock }, token } = apiScene();
  const options: BearerOptions = {
    authority: `${HOST}/${CONTOSO.id}`,
    audience: ORDERS.appId,
    fetch: authority.fetch,
    clock,
    ...own,
  };
  const app = new Hono().get("/", requireBearer(options, more), (c) => c.text("in"));
  const headers = { authorization: `Bearer ${await token()}` };
  return (await app.request("/", { headers })).status;
}

for (const own of [{ scopes: ["Orders.Write"] }, { acrs: ["c1"] }]) {
  test(`R-155: ${JSON.stringify(own)} is asked although the second argument says undefined`, async () => {
    assert(await status(own, { scopes: undefined, acrs: undefined }) >= 401);
  });
}

test("R-155: what both say is asked together", async () => {
  assertEquals(await status({ scopes: ["Orders.Read"] }, { roles: ["Orders.All"] }), 200);
  assertEquals(await status({ scopes: ["Orders.Write"] }, { roles: ["Orders.All"] }), 403);
  assertEquals(await status({ roles: ["Orders.All"] }, { scopes: ["Orders.Write"] }), 403);
});

test("R-155: the same asked twice is a mistake, and neither is dropped", () => {
  const options = { authority: `${HOST}/${CONTOSO.id}`, audience: ORDERS.appId, scopes: ["Orders.Write"] };
  const error = thrown(() => requireBearer(options, { scopes: ["Orders.Read"] }));
  assertEquals(error.name, "ClientConfigurationError");
});
