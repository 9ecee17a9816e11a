/**
 * What the middleware for Hono must do, for any version of Hono.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import type { Hono as NewestHono } from "hono";
import { ClientConfigurationError, isAuthError, NetworkError } from "../../mod.ts";
import { AccessTokenError } from "../../src/errors/access_token_error.ts";
import {
  type ApiAuthOptions,
  type CallerVariables,
  entraAuth,
  type EntraVariables,
  protectedResource,
  requireBearer,
  requireUser,
} from "../../src/hono/mod.ts";
import { thrown } from "./app_fixture.ts";
import { apiDouble, interaction, webDouble } from "./hono_doubles.ts";
import { test } from "./suite.ts";

type Variables = EntraVariables & CallerVariables;
type App = NewestHono<{ Bindings: Record<string, unknown>; Variables: Variables }>;
/** The class `Hono` of some version. */
export type HonoClass = new () => App;

const USER = { headers: { cookie: "user=alex" } };
const CALLER = { headers: { authorization: "Bearer good" } };
/** What a foreign error handler says. */
const HANDLED = "the application's error page";

/** Spellings of `/api/orders`, with which something may get past a guard of `/api/*`. */
const SPELLINGS: readonly string[] = [
  "/api/orders",
  "/api/orders/",
  "//api/orders",
  "/api//orders",
  "/api/%6frders",
  "/%61pi/orders",
  "/api%2forders",
  "/api%2Forders",
  "/api/%2e%2e/api/orders",
  "/api/./orders",
  "/x/../api/orders",
  "/api\\orders",
  "/API/orders",
  "/api/orders%00",
  "/api/orders%3f",
  "/api/orders;x=1",
  "/api/%",
  "/api%252forders",
  "/%2fapi/orders",
  "/./api/orders",
];

/** Registers the cases. */
export function honoCases(version: string, Hono: HonoClass): void {
  userCases(version, Hono);
  errorCases(version, Hono);
  orderCases(version, Hono);
  callerCases(version, Hono);
  contextCases(version, Hono);
}

function userCases(version: string, Hono: HonoClass): void {
  test(`Hono ${version}: the library's own paths are answered, and no handler runs`, async () => {
    const { web, seen } = webDouble();
    let ran = false;
    const app = new Hono().use(entraAuth(web)).all("*", (c) => {
      ran = true;
      return c.text("handler");
    });
    assertEquals(await (await app.request("/auth/sign-in")).text(), "sign-in page");
    assertEquals([ran, seen.finished], [false, 0]);
  });

  test(`Hono ${version}: c.var.auth is the user or null, and the answer is finished once (R-137)`, async () => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", (c) => {
      c.header("set-cookie", "own=1", { append: true });
      return c.text(c.var.auth?.user.username ?? `${c.var.auth}`);
    });
    const response = await app.request("/", USER);
    assertEquals([await response.text(), response.status], ["alex", 200]);
    assertEquals(response.headers.getSetCookie(), ["own=1", "session=renewed"]);
    assertEquals(response.headers.get("cache-control"), "private, no-store");
    assertEquals(response.headers.get("content-type")?.toLowerCase(), "text/plain; charset=utf-8");
    assertEquals(await (await app.request("/")).text(), "null");
    assertEquals(seen.finished, 2);
  });

  test(`Hono ${version}: redirects, streams, empty and missing pages are finished, too`, async () => {
    const { web } = webDouble();
    const app = new Hono().use(entraAuth(web))
      .get("/redirect", () => Response.redirect("https://app.example/there"))
      .get("/stream", (c) => c.body(new Blob(["streamed"]).stream()))
      .get("/empty", (c) => c.body(null, 204));
    for (
      const [path, status, body] of [
        ["/redirect", 302, ""],
        ["/stream", 200, "streamed"],
        ["/empty", 204, ""],
        ["/missing", 404, "404 Not Found"],
      ] as const
    ) {
      const response = await app.request(path, USER);
      assertEquals([response.status, await response.text()], [status, body]);
      assertEquals(response.headers.getSetCookie(), ["session=renewed"]);
    }
  });

  test(`Hono ${version}: requireUser lets a user pass and challenges everybody else, before the handler runs`, async () => {
    const { web, seen } = webDouble();
    let ran = 0;
    const app = new Hono().use(entraAuth(web)).get("/me", requireUser({ loginHint: "alex" }), (c) => {
      ran++;
      return c.text(c.var.auth?.user.username ?? "");
    });
    const refused = await app.request("/me");
    assertEquals([refused.status, await refused.text(), ran], [401, "sign in", 0]);
    assertEquals(refused.headers.get("cache-control"), "private, no-store");
    assertEquals(seen.challenges, [{ loginHint: "alex" }]);
    assertEquals([await (await app.request("/me", USER)).text(), ran], ["alex", 1]);
  });

  test(`Hono ${version}: a session that cannot be judged runs no handler, and nobody is signed in (R-138)`, async () => {
    const { web } = webDouble();
    let ran = false;
    const app = new Hono().use(entraAuth(web)).get("/", (c) => {
      ran = true;
      return c.text("handler");
    });
    const response = await app.request("/", { headers: { cookie: "user=outage" } });
    assertEquals([response.status, await response.text(), ran], [503, "the session store is down", false]);
  });

  test(`Hono ${version}: requireUser without entraAuth fails closed with a configuration error (R-138)`, async () => {
    let ran = false;
    const errors: unknown[] = [];
    const app = new Hono().get("/", requireUser(), (c) => {
      ran = true;
      return c.text("handler");
    });
    app.onError((error, c) => {
      errors.push(error);
      return c.text(HANDLED, 500);
    });
    assertEquals([(await app.request("/", USER)).status, ran], [500, false]);
    assert(isAuthError(errors[0]) && errors[0].name === "ClientConfigurationError");
    assert(errors[0].message.includes("entraAuth()"));
  });

  test(`Hono ${version}: what another middleware puts into c.var.auth is no user (R-138)`, async () => {
    const { web } = webDouble();
    const app = new Hono().use(entraAuth(web)).use(async (c, next) => {
      c.set("auth", { user: { username: "error" } } as EntraVariables["auth"]);
      await next();
    }).get("/me", requireUser(), (c) => c.text(c.var.auth?.user.username ?? ""));
    assertEquals((await app.request("/me")).status, 401);
    assertEquals(await (await app.request("/me", USER)).text(), "alex");
  });
}

function errorCases(version: string, Hono: HonoClass): void {
  test(`Hono ${version}: a handler that needs the user steps up, and middleware outside keeps its headers`, async () => {
    const { web, seen } = webDouble();
    const handled: string[] = [];
    const app = new Hono().use(async (c, next) => {
      c.header("x-outside", "1");
      c.header("location", "/elsewhere");
      c.header("set-cookie", "own=1", { append: true });
      await next();
    }).use(entraAuth(web)).get("/", requireUser(), () => Promise.reject(interaction()));
    app.onError((error, c) => {
      handled.push(error.name);
      return c.text(HANDLED, 500, { "content-language": "en" });
    });
    const response = await app.request("/", USER);
    assertEquals([response.status, response.headers.get("location"), await response.text()], [
      303,
      "/step-up",
      "",
    ]);
    assertEquals(response.headers.getSetCookie(), ["flow=1", "own=1", "session=renewed"]);
    assertEquals([response.headers.get("x-outside"), response.headers.get("content-language")], ["1", null]);
    assertEquals([handled, seen.finished], [["InteractionRequiredAuthError"], 1]);
  });

  test(`Hono ${version}: the step-up of a mounted application with its own error handler comes through`, async () => {
    const { web, seen } = webDouble();
    const inner = new Hono().get("/", () => Promise.reject(interaction()));
    inner.onError((_, c) => c.text("inner", 500));
    const app = new Hono().use(entraAuth(web)).route("/inner", inner);
    const response = await app.request("/inner", USER);
    assertEquals([response.status, seen.finished], [303, 1]);
  });

  test(`Hono ${version}: another error of a handler is the error handler's, and its answer is finished`, async () => {
    const { web } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", () => Promise.reject(new TypeError("not ours")));
    app.onError((_, c) => c.text(HANDLED, 418));
    const response = await app.request("/", USER);
    assertEquals([response.status, await response.text()], [418, HANDLED]);
    assertEquals(response.headers.getSetCookie(), ["session=renewed"]);
  });

  test(`Hono ${version}: an API's refusal inside a web application stays one, and is no step-up`, async () => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web))
      .get("/api", requireBearer(apiDouble().api), () => Promise.reject(interaction()));
    app.onError((_, c) => c.text(HANDLED, 500));
    const response = await app.request("/api", { headers: { ...USER.headers, ...CALLER.headers } });
    assertEquals([response.status, await response.text(), seen.finished], [401, "interaction_required", 1]);
  });

  test(`Hono ${version}: a handler without an answer stays without one`, async () => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", (() => undefined) as never);
    app.onError((_, c) => c.text(HANDLED, 500));
    assertEquals([(await app.request("/", USER)).status, seen.finished], [500, 0]);
  });

  test(`Hono ${version}: a handler's need for the user is a 401 of the API, and CORS stays on it`, async () => {
    const { api } = apiDouble();
    const app = new Hono().use(async (c, next) => {
      c.header("access-control-allow-origin", "https://spa.example");
      c.header("vary", "origin");
      await next();
    }).get("/", requireBearer(api), () => Promise.reject(interaction()));
    app.onError((_, c) => c.json({ error: HANDLED }, 500));
    const response = await app.request("/", CALLER);
    assertEquals([response.status, await response.text()], [401, "interaction_required"]);
    assertEquals(response.headers.get("www-authenticate"), "Bearer");
    assertEquals(response.headers.get("access-control-allow-origin"), "https://spa.example");
    assert(response.headers.get("vary")?.includes("origin"));
    assertFalse(response.headers.get("content-type")?.includes("json"));
  });

  test(`Hono ${version}: errors of the library are the API's to answer, other errors the application's`, async () => {
    const { api } = apiDouble();
    const app = new Hono().use(requireBearer(api))
      .get(
        "/role",
        () => Promise.reject(new AccessTokenError("access_token_role_missing", "no", { status: 403 })),
      )
      .get("/outage", () => Promise.reject(new NetworkError("network_error", "no authority")))
      .get("/mistake", () => Promise.reject(new ClientConfigurationError("invalid_scopes", "scopes", "no")))
      .get("/other", () => Promise.reject(new TypeError("not ours")));
    app.onError((_, c) => c.text(HANDLED, 418));
    assertEquals(await (await app.request("/role", CALLER)).text(), "access_token_role_missing");
    assertEquals((await app.request("/outage", CALLER)).status, 503);
    assertEquals(await (await app.request("/mistake", CALLER)).text(), HANDLED);
    assertEquals(await (await app.request("/other", CALLER)).text(), HANDLED);
  });

  test(`Hono ${version}: caches keep the answers to different callers apart (R-137)`, async () => {
    const app = new Hono().use(requireBearer(apiDouble().api)).get("/", (c) => c.text("in"))
      .get("/redirect", () => Response.redirect("https://app.example/there"))
      .get("/own", (c) => c.text("in", 200, { vary: "Origin" }));
    for (
      const [path, vary] of [["/", "Authorization"], ["/redirect", "Authorization"], [
        "/own",
        "Origin, Authorization",
      ]] as const
    ) {
      assertEquals((await app.request(path, CALLER)).headers.get("vary"), vary);
    }
  });

  test(`Hono ${version}: requirements that are none are refused at once`, () => {
    for (const scopes of ["Orders.Read", [5]]) {
      assertEquals(
        thrown(() => requireBearer(apiDouble().api, { scopes } as never)).name,
        "ClientConfigurationError",
      );
    }
  });
}

function orderCases(version: string, Hono: HonoClass): void {
  const guards = { requireUser: () => requireUser(), requireBearer: () => requireBearer(apiDouble().api) };
  for (const [name, guard] of Object.entries(guards)) {
    test(`Hono ${version}: ${name} behind an answer fails, and the answer is not sent (R-161)`, async () => {
      const app = new Hono().use(entraAuth(webDouble().web)).use(async (c, next) => {
        c.res = new Response("a secret");
        await next();
      }).get("/", guard(), (c) => c.text("handler"));
      app.onError((error, c) => c.text(error.message, 500));
      for (const init of [{}, USER, CALLER]) {
        const response = await app.request("/", init);
        const text = await response.text();
        assertEquals(response.status, 500);
        assert(text.includes("before the routes") && !text.includes("secret"), text);
      }
    });

    test(`Hono ${version}: ${name} of all paths runs before the route, not after it (R-161)`, async () => {
      const order: string[] = [];
      const app = new Hono().use(entraAuth(webDouble().web)).use("/guarded/*", guard())
        .get("/guarded/x", (c) => {
          order.push("handler");
          return c.text("handler");
        });
      for (const method of ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"]) {
        const { status } = await app.request("/guarded/x", { method });
        assertEquals([method, status, order], [method, 401, []]);
      }
    });

    test(`Hono ${version}: no spelling of a path gets past ${name} (R-161)`, async () => {
      const inner = new Hono().get("/orders", (c) => c.text("a secret")).get(
        "/:id",
        (c) => c.text("a secret"),
      );
      const apps: App[] = [
        new Hono().use(entraAuth(webDouble().web)).use("/api/*", guard()).route("/api", inner),
        new Hono().use(entraAuth(webDouble().web)).route("/api", new Hono().use(guard()).route("/", inner)),
        new Hono().use(entraAuth(webDouble().web)).get("/api/orders", guard(), (c) => c.text("a secret")),
        new Hono().use(entraAuth(webDouble().web)).use(guard()).all("*", (c) => c.text("a secret")) as App,
        new Hono().basePath("/api").use(entraAuth(webDouble().web)).use(guard())
          .get("/orders", (c) => c.text("a secret")) as unknown as App,
      ];
      for (const [index, app] of apps.entries()) {
        for (const path of SPELLINGS) {
          const response = await app.fetch(new Request(`https://app.example${path}`));
          const text = await response.text();
          assert(
            !text.includes("secret") && response.status >= 400,
            `${index} ${path}: ${response.status} ${text}`,
          );
        }
        const good = new Request("https://app.example/api/orders", {
          headers: { ...USER.headers, ...CALLER.headers },
        });
        assertEquals(await (await app.fetch(good)).text(), "a secret");
      }
    });
  }
}

function callerCases(version: string, Hono: HonoClass): void {
  test(`Hono ${version}: c.var.caller is who calls, and the route's requirements are asked`, async () => {
    const { api, seen } = apiDouble();
    const app = new Hono().use("/api/*", requireBearer(api))
      .get(
        "/api/orders",
        requireBearer(api, { scopes: ["Orders.Read"] }),
        (c) => c.text(c.var.caller.callerId),
      );
    assertEquals(await (await app.request("/api/orders", CALLER)).text(), "caller");
    assertEquals(seen.requirements, [{}, { scopes: ["Orders.Read"] }]);
  });

  test(`Hono ${version}: a bearer is no user: c.var.auth says nothing of callers (R-138)`, async () => {
    const app = new Hono().use(requireBearer(apiDouble().api)).get(
      "/",
      (c) => c.json({ auth: c.var.auth ?? null }),
    );
    assertEquals(await (await app.request("/", CALLER)).json(), { auth: null });
  });

  for (const [token, status] of [["", 401], ["bad", 401], ["outage", 503]] as const) {
    test(`Hono ${version}: a caller is refused with ${status}: "${token}"`, async () => {
      let ran = false;
      const app = new Hono().use(requireBearer(apiDouble().api)).get("/", (c) => {
        ran = true;
        return c.text("handler");
      });
      const response = await app.request("/", { headers: { authorization: `Bearer ${token}` } });
      assertEquals([response.status, response.headers.get("www-authenticate"), ran], [
        status,
        "Bearer",
        false,
      ]);
    });
  }

  test(`Hono ${version}: a preflight passes to a CORS handler before the guard, and to nobody behind it (R-161)`, async () => {
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
  });

  test(`Hono ${version}: the description of the API is public, behind the guard and by itself (R-160)`, async () => {
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
  });

  test(`Hono ${version}: what a route asks is never passed over beside a function of the bindings`, async () => {
    const made = (): ApiAuthOptions => ({ audience: "api", scopes: ["Orders.Read"] } as ApiAuthOptions);
    const app = new Hono().get("/", requireBearer(made), (c) => c.text("handler"));
    app.onError((error, c) => c.text(error.message, 500));
    const response = await app.request("/", CALLER, {});
    assertEquals(response.status, 500);
    assert((await response.text()).includes("second argument"));
  });
}

function contextCases(version: string, Hono: HonoClass): void {
  test(`Hono ${version}: the bindings and waitUntil reach the handlers of ./web`, async () => {
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
  });

  test(`Hono ${version}: without an execution context nothing fails`, async () => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", (c) => c.text("ok"));
    assertEquals(await (await app.fetch(new Request("https://app.example/"))).text(), "ok");
    const [{ waitUntil } = {}] = seen.contexts;
    if (typeof waitUntil === "function") waitUntil(Promise.resolve());
  });
}
