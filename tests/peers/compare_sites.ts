/**
 * The same web application twice: with `@hono/oidc-auth`, and with `@msal-edge/msal/hono`.
 *
 * @module
 */
import { getAuth, initOidcAuthMiddleware, oidcAuthMiddleware } from "@hono/oidc-auth";
import { Hono } from "hono";
import { ConfidentialClientApplication } from "../../mod.ts";
import { entraAuth, type EntraVariables, requireUser } from "../../src/hono/mod.ts";
import {
  answerQuietly,
  APP_ID,
  APP_SECRET,
  type Browser,
  issuerOf,
  SITE,
  type World,
} from "./compare_world.ts";

/** What signed-in users see. */
const SECRET_PAGE = "for signed-in users";

/** A way to make the application. */
export type Site = (world: World, tenant: string) => (request: Request) => Response | Promise<Response>;

/** The columns. */
export const SITES: Readonly<Record<string, Site>> = {
  "`@hono/oidc-auth`": (_, tenant) => {
    const app = new Hono();
    app.onError(answerQuietly);
    app.use(initOidcAuthMiddleware({
      OIDC_AUTH_SECRET: "a secret of 32 characters or more",
      // Every request finds a session that has to be renewed.
      OIDC_AUTH_REFRESH_INTERVAL: "-1",
      OIDC_ISSUER: issuerOf(tenant),
      OIDC_CLIENT_ID: APP_ID,
      OIDC_CLIENT_SECRET: APP_SECRET,
      OIDC_SCOPES: "openid profile email offline_access",
    }));
    app.use(oidcAuthMiddleware());
    app.get("/page", async (c) => c.text(await getAuth(c) ? SECRET_PAGE : "nobody"));
    return app.fetch;
  },
  "`@msal-edge/msal/hono`": (world, tenant) => {
    const app = new Hono<{ Variables: EntraVariables }>();
    app.onError(answerQuietly);
    app.use(entraAuth({
      app: new ConfidentialClientApplication({
        clientId: APP_ID,
        clientCredential: APP_SECRET,
        authority: `https://login.microsoftonline.com/${tenant}`,
        allowedTenants: "any",
        fetch: world.fetch,
      }),
      baseUrl: SITE,
      cookieSecret: "k3J9vQ2xWm7Rt5Yb8Zc1Ld4Fg6Hn0Ps-",
      scopes: ["User.Read"],
    }));
    app.get("/page", requireUser(), async (c) => {
      await c.var.auth?.acquireToken({ scopes: ["User.Read"] });
      return c.text(SECRET_PAGE);
    });
    return app.fetch;
  },
};

/** Whether somebody with these cookies is let in. */
export async function isIn(browser: Browser): Promise<boolean> {
  const response = await browser.get("/page");
  return response.status === 200 && await response.text() === SECRET_PAGE;
}

/** Begins a sign-in: where the browser is sent to. */
export async function begin(browser: Browser): Promise<{ status: number; url: string | null }> {
  const { status, headers } = await browser.get("/page");
  const url = headers.get("location");
  return { status, url: url?.startsWith("https://login.microsoftonline.com/") ? url : null };
}

/** Signs somebody in who is let in. */
export async function signIn(world: World, browser: Browser): Promise<Response> {
  const { url } = await begin(browser);
  if (url === null) throw new Error("the sign-in did not begin");
  return await browser.get((await world.authority.signIn(url)).url);
}
