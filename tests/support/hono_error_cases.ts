/**
 * What handlers throw in a Hono application, whatever the version.
 *
 * @module
 */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { ClientConfigurationError, NetworkError } from "../../mod.ts";
import { AccessTokenError } from "../../src/errors/access_token_error.ts";
import { entraAuth, requireBearer, requireUser } from "../../src/hono/mod.ts";
import { thrown } from "./app_fixture.ts";
import { CALLER, HANDLED, type HonoCases, USER } from "./hono_case.ts";
import { apiDouble, interaction, webDouble } from "./hono_doubles.ts";
/** The tests. */
export const ERROR_CASES: HonoCases = {
  "a handler that needs the user steps up, and middleware outside keeps its headers": async (Hono) => {
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
  },

  "the step-up of a mounted application with its own error handler comes through": async (Hono) => {
    const { web, seen } = webDouble();
    const inner = new Hono().get("/", () => Promise.reject(interaction()));
    inner.onError((_, c) => c.text("inner", 500));
    const app = new Hono().use(entraAuth(web)).route("/inner", inner);
    const response = await app.request("/inner", USER);
    assertEquals([response.status, seen.finished], [303, 1]);
  },

  "another error of a handler is the error handler's, and its answer is finished": async (Hono) => {
    const { web } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", () => Promise.reject(new TypeError("not ours")));
    app.onError((_, c) => c.text(HANDLED, 418));
    const response = await app.request("/", USER);
    assertEquals([response.status, await response.text()], [418, HANDLED]);
    assertEquals(response.headers.getSetCookie(), ["session=renewed"]);
  },

  "an API's refusal inside a web application stays one, and is no step-up": async (Hono) => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web))
      .get("/api", requireBearer(apiDouble().api), () => Promise.reject(interaction()));
    app.onError((_, c) => c.text(HANDLED, 500));
    const response = await app.request("/api", { headers: { ...USER.headers, ...CALLER.headers } });
    assertEquals([response.status, await response.text(), seen.finished], [401, "interaction_required", 1]);
  },

  "a handler without an answer stays without one": async (Hono) => {
    const { web, seen } = webDouble();
    const app = new Hono().use(entraAuth(web)).get("/", (() => undefined) as never);
    app.onError((_, c) => c.text(HANDLED, 500));
    assertEquals([(await app.request("/", USER)).status, seen.finished], [500, 0]);
  },

  "a handler's need for the user is a 401 of the API, and CORS stays on it": async (Hono) => {
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
  },

  "errors of the library are the API's to answer, other errors the application's": async (Hono) => {
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
  },

  "caches keep the answers to different callers apart (R-137)": async (Hono) => {
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
  },

  "requirements that are none are refused at once": () => {
    for (const scopes of ["Orders.Read", [5]]) {
      assertEquals(
        thrown(() => requireBearer(apiDouble().api, { scopes } as never)).name,
        "ClientConfigurationError",
      );
    }
  },
};
