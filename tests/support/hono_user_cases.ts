/**
 * Users of a Hono application, whatever the version.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { isAuthError } from "../../mod.ts";
import { entraAuth, type EntraVariables, requireUser } from "../../src/hono/mod.ts";
import { HANDLED, type HonoCases, USER } from "./hono_case.ts";
import { webDouble } from "./hono_doubles.ts";
/** The tests. */
export const USER_CASES: HonoCases = {
  "the library's own paths are answered, and no handler runs": async (Hono) => {
    const { web, seen } = webDouble();
    let ran = false;
    const app = new Hono().use(entraAuth(web)).all("*", (c) => {
      ran = true;
      return c.text("handler");
    });
    assertEquals(await (await app.request("/auth/sign-in")).text(), "sign-in page");
    assertEquals([ran, seen.finished], [false, 0]);
  },

  "c.var.auth is the user or null, and the answer is finished once (R-137)": async (Hono) => {
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
  },

  "redirects, streams, empty and missing pages are finished, too": async (Hono) => {
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
  },

  "requireUser lets a user pass and challenges everybody else, before the handler runs": async (Hono) => {
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
  },

  "a session that cannot be judged runs no handler, and nobody is signed in (R-138)": async (Hono) => {
    const { web } = webDouble();
    let ran = false;
    const app = new Hono().use(entraAuth(web)).get("/", (c) => {
      ran = true;
      return c.text("handler");
    });
    const response = await app.request("/", { headers: { cookie: "user=outage" } });
    assertEquals([response.status, await response.text(), ran], [503, "the session store is down", false]);
  },

  "requireUser without entraAuth fails closed with a configuration error (R-138)": async (Hono) => {
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
  },

  "what another middleware puts into c.var.auth is no user (R-138)": async (Hono) => {
    const { web } = webDouble();
    const app = new Hono().use(entraAuth(web)).use(async (c, next) => {
      c.set("auth", { user: { username: "error" } } as EntraVariables["auth"]);
      await next();
    }).get("/me", requireUser(), (c) => c.text(c.var.auth?.user.username ?? ""));
    assertEquals((await app.request("/me")).status, 401);
    assertEquals(await (await app.request("/me", USER)).text(), "alex");
  },
};
