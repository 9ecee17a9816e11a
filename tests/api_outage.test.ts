/** An API whose authority is down from the first request on: its callers do not make that worse. */
import { assertEquals } from "@std/assert";
import { createApiAuth } from "../src/web/mod.ts";
import { settle } from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS, UserScene } from "./support/user_scene.ts";

const DOWN: Readonly<Record<string, () => Promise<Response>>> = {
  "cannot be reached": () => Promise.reject(new TypeError("reset")),
  "answers 503": () => Promise.resolve(new Response("{}", { status: 503 })),
};

/** An API, and an authority one of whose documents can be down. */
async function world(document: RegExp, fault: () => Promise<Response>) {
  const { authority, clock } = new UserScene();
  const state = { isDown: true, sent: 0 };
  const api = createApiAuth({
    authority: `${HOST}/${CONTOSO.domains[0]}`,
    audience: ORDERS.appId,
    clock,
    fetch: (url, init) => {
      if (!document.test(`${url}`)) return authority.fetch(url, init);
      state.sent++;
      return state.isDown ? fault() : authority.fetch(url, init);
    },
  });
  const token = await authority.issueUserToken({ resource: ORDERS.appId, scopes: ["Orders.Read"] });
  const route = api.protect(() => new Response("in"));
  const call = async (): Promise<number> => {
    const headers = { authorization: `Bearer ${token}` };
    const response = await settle(clock, route(new Request("https://api.example/", { headers })));
    await response.text();
    return response.status;
  };
  return { call, clock, state };
}

for (const [how, fault] of Object.entries(DOWN)) {
  test(`R-087 keys whose authority ${how} at the first request: many calls send no more than one in five seconds`, async () => {
    const { call, clock, state } = await world(/\/keys/, fault);
    const many = await Promise.all(Array.from({ length: 20 }, call));
    for (let i = 0; i < 20; i++) many.push(await call());
    // One is tried twice.
    assertEquals([[...new Set(many)], state.sent], [[503], 2]);
    await clock.advance(5_000);
    assertEquals([await call(), state.sent], [503, 4]);
    state.isDown = false;
    await clock.advance(5_000);
    assertEquals([await call(), await call(), state.sent], [200, 200, 5]);
  });

  test(`R-021 a discovery document whose authority ${how} is asked for by one of many calls at a time`, async () => {
    const { call, state } = await world(/\/openid-configuration/, fault);
    const many = await Promise.all(Array.from({ length: 20 }, call));
    assertEquals([[...new Set(many)], state.sent], [[503], 1]);
    state.isDown = false;
    assertEquals([await call(), await call(), state.sent], [200, 200, 2]);
  });
}

test("R-087 a clock that was wrong when the keys could not be had makes nobody wait for it", async () => {
  const { call, clock, state } = await world(/\/keys/, () => Promise.reject(new TypeError("reset")));
  const { now } = clock;
  clock.now = () => now.call(clock) + 600_000;
  await call();
  clock.now = now;
  state.isDown = false;
  assertEquals(await call(), 200);
});
