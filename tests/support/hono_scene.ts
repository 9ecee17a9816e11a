/**
 * A web application and an API in Hono, the one calling the other, at a local authority.
 *
 * @module
 */
import { type Context, Hono } from "hono";
import { ConfidentialClientApplication } from "../../mod.ts";
import {
  type CallerVariables,
  entraAuth,
  type EntraVariables,
  protectedResource,
  requireBearer,
  requireUser,
  type WebAuthOptions,
} from "../../src/hono/mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { ON_BEHALF_OF, ORDERS_API, ORDERS_APP } from "./on_behalf_of_scene.ts";
import { COOKIE_SECRET, PEOPLE, SITE, TENANT, Visitor, WEB_APP } from "./web_scene.ts";

/** Where the API is. */
export const API = "https://api.example";
const SCOPES = ["api://orders/Orders.Read"];

type Site = Hono<{ Variables: EntraVariables }>;

/** The two applications, the authority and a browser. */
export class HonoScene {
  readonly clock: FakeClock = new FakeClock();
  readonly authority: LocalAuthority = new LocalAuthority({
    ...ON_BEHALF_OF,
    tenants: [{ id: TENANT, domains: ["contoso.onmicrosoft.com"], name: "Contoso" }],
    users: PEOPLE,
    apps: [WEB_APP, ORDERS_APP],
    clock: this.clock,
  });
  readonly api: Hono<{ Variables: CallerVariables }> = this.#makeApi();
  readonly site: Site;
  readonly visitor: Visitor;

  constructor(options: Partial<WebAuthOptions> = {}) {
    this.site = this.#makeSite(options);
    this.visitor = this.another();
  }

  /** Another browser. */
  another(): Visitor {
    return new Visitor(async (request) => await this.site.fetch(request));
  }

  #application({ clientId, secrets: [clientCredential] }: typeof WEB_APP | typeof ORDERS_APP) {
    return new ConfidentialClientApplication({
      clientId,
      clientCredential,
      authority: `https://login.microsoftonline.com/${TENANT}`,
      clientCapabilities: ["cp1"],
      clock: this.clock,
      fetch: async (url, init) =>
        url.startsWith(API)
          ? await this.api.fetch(new Request(url, init))
          : await this.authority.fetch(url, init),
    });
  }

  #makeApi(): Hono<{ Variables: CallerVariables }> {
    const options = {
      app: this.#application(ORDERS_APP),
      audience: ORDERS_API.appId,
      protectedResource: { resource: `${API}/orders` },
    };
    const api = new Hono<{ Variables: CallerVariables }>();
    api.use(protectedResource(options));
    api.use("/orders/*", requireBearer({ ...options, scopes: ["Orders.Read"] }));
    const behind = (scope: string) => async (c: Context<{ Variables: CallerVariables }>) => {
      const { scopes } = await c.var.caller.acquireToken({ scopes: [scope] });
      return c.json({ of: c.var.caller.callerId, scopes });
    };
    api.onError((_, c) => c.text("failed", 500));
    api.get("/orders/ledger", behind("api://ledger/Ledger.Read"));
    api.get("/orders/pay", behind("api://payroll/Pay.Read"));
    return api;
  }

  #makeSite(options: Partial<WebAuthOptions>): Site {
    const site = new Hono<{ Variables: EntraVariables }>();
    const app = this.#application(WEB_APP);
    site.use(entraAuth({ app, baseUrl: SITE, cookieSecret: COOKIE_SECRET, scopes: SCOPES, ...options }));
    site.onError((_, c) => c.text("failed", 500));
    site.get("/", (c) => c.text(c.var.auth?.user.username ?? "nobody"));
    site.get("/me", requireUser(), (c) => c.text(c.var.auth?.user.name ?? ""));
    site.get("/api/:path", requireUser(), async (c) => {
      const call = c.var.auth!.fetch({ scopes: SCOPES, origins: [API] });
      const response = await call(`${API}/orders/${c.req.param("path")}`);
      return c.json(await response.json(), response.status as 200);
    });
    return site;
  }
}
