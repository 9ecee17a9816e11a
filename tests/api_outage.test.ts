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
  for (const [what, document, tries] of [["keys", /\/keys/, 2], ["discovery", /openid-conf/, 1]] as const) {
    test(`R-087 ${what} of an authority that ${how}: of many calls at a time one asks, and the next finds it up`, async () => {
      const { call, state } = await world(document, fault);
      const many = await Promise.all(Array.from({ length: 20 }, call));
      assertEquals([[...new Set(many)], state.sent], [[503], tries]);
      state.isDown = false;
      assertEquals([await call(), await call(), state.sent], [200, 200, tries + 1]);
    });
  }
}
