/**
 * That a guard runs before the route, whatever the version and the spelling of a path: R-161.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { entraAuth, type HonoMiddleware, requireBearer, requireUser } from "../../src/hono/mod.ts";
import { type App, CALLER, type HonoCases, USER } from "./hono_case.ts";
import { apiDouble, webDouble } from "./hono_doubles.ts";
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

function casesOf(name: string, guard: () => HonoMiddleware): HonoCases {
  return {
    [`${name} behind an answer fails, and the answer is not sent (R-161)`]: async (Hono) => {
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
    },

    [`${name} of all paths runs before the route, not after it (R-161)`]: async (Hono) => {
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
    },

    [`no spelling of a path gets past ${name} (R-161)`]: async (Hono) => {
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
    },
  };
}

/** The tests. */
export const ORDER_CASES: HonoCases = {
  ...casesOf("requireUser", requireUser),
  ...casesOf("requireBearer", () => requireBearer(apiDouble().api)),
};
