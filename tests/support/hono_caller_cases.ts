/**
 * Callers of a Hono API, and what comes with a request, whatever the version.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type ApiAuthOptions, entraAuth, protectedResource, requireBearer } from "../../src/hono/mod.ts";
import { CALLER, type HonoCases } from "./hono_case.ts";
import { apiDouble, webDouble } from "./hono_doubles.ts";
/** The tests. */
export const CALLER_CASES: HonoCases = {
  "c.var.caller is who calls, and the route's requirements are asked": async (Hono) => {
    const { api, seen } = apiDouble();
    const app = new Hono().use("/api/*", requireBearer(api))
      .get(
        "/api/orders",
        requireBearer(api, { scopes: ["Orders.Read"] }),
        (c) => c.text(c.var.caller.callerId),
      );
    assertEquals(await (await app.request("/api/orders", CALLER)).text(), "caller");
    assertEquals(seen.requirements, [{}, { scopes: ["Orders.Read"] }]);
  },

  "a bearer is no user: c.var.auth says nothing of callers (R-138)": async (Hono) => {
    const app = new Hono().use(requireBearer(apiDouble().api)).get(
      "/",
      (c) => c.json({ auth: c.var.auth ?? null }),
    );
    assertEquals(await (await app.request("/", CALLER)).json(), { auth: null });
  },

  "a caller is refused, and no handler runs": async (Hono) => {
    let ran = false;
    const app = new Hono().use(requireBearer(apiDouble().api)).get("/", (c) => {
      ran = true;
      return c.text("handler");
    });
    for (const [token, status] of [["", 401], ["bad", 401], ["outage", 503]] as const) {
      const response = await app.request("/", { headers: { authorization: `Bearer ${token}` } });
      assertEquals([response.status, response.headers.get("www-authenticate"), ran], [
        status,
        "Bearer",
        false,
      ]);
    }
  },

  "a preflight passes to a CORS handler before the guard, and to nobody behind it (R-161)": async (Hono) => {
    let ran = false;
    const cors = new Hono().use(async (c, next) => {
      if (c.req.method === "OPTIONS") return c.body(null, 204, { "access-control-allow-origin": "*" });
      await next();
    });
    const guarded = new Hono().use(requireBearer(apiDouble().api)).all("*", (c) => {
      ran = true;
      return c.text("handler");
    });
    const preflight = {
      method: "OPTIONS",
      headers: { origin: "https://spa.example", "access-control-request-method": "GET" },
    };
    assertEquals([(await guarded.request("/", preflight)).status, ran], [401, false]);
    assertEquals([(await cors.route("/", guarded).request("/", preflight)).status, ran], [204, false]);
  },

  "the description of the API is public, behind the guard and by itself (R-160)": async (Hono) => {
    const { api } = apiDouble();
    const path = "/.well-known/oauth-protected-resource/api";
    const guarded = new Hono().use(requireBearer(api)).all("*", (c) => c.text("handler"));
    const apart = new Hono().use(protectedResource(api)).use("/api/*", requireBearer(api))
      .get("/api", (c) => c.text("handler"));
    for (const app of [guarded, apart]) {
      assertEquals(await (await app.request(path)).json(), { resource: "https://app.example/api" });
      assertEquals((await app.request("/api")).status, 401);
    }
    assertEquals((await guarded.request("/.well-known/other")).status, 401);
  },

  "what a route asks is never passed over beside a function of the bindings": async (Hono) => {
    const made = (): ApiAuthOptions => ({ audience: "api", scopes: ["Orders.Read"] } as ApiAuthOptions);
    const app = new Hono().get("/", requireBearer(made), (c) => c.text("handler"));
    app.onError((error, c) => c.text(error.message, 500));
    const response = await app.request("/", CALLER, {});
    assertEquals(response.status, 500);
    assert((await response.text()).includes("second argument"));
  },
  "the bindings and waitUntil reach the handlers of ./web": async (Hono) => {
    const web = webDouble();
    const api = apiDouble();
    const app = new Hono().use(entraAuth(web.web)).get("/", requireBearer(api.api), (c) => c.text("ok"));
    const kept: Promise<unknown>[] = [];
    const ctx = {
      waitUntil: (promise: Promise<unknown>) => void kept.push(promise),
      passThroughOnException() {},
      props: {},
    };
    const env = { SECRET: "x" };
    await app.fetch(new Request("https://app.example/", CALLER), env, ctx);
    for (const { contexts: [context] } of [web.seen, api.seen]) {
      assertEquals(context?.env, env);
      const promise = Promise.resolve();
      assert(typeof context?.waitUntil === "function");
      context.waitUntil(promise);
      assert(kept.includes(promise));
    }
  },

  "without an execution context nothing fails": async (Hono) => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", (c) => c.text("ok"));
    assertEquals(await (await app.fetch(new Request("https://app.example/"))).text(), "ok");
    const [{ waitUntil } = {}] = seen.contexts;
    if (typeof waitUntil === "function") waitUntil(Promise.resolve());
  },
};
