/**
 * A web application on Cloudflare Workers, with Hono, that signs its users in, and the API that it calls for them. Sessions and
 * tokens are in a Durable Object; what the authority says, such as its signing keys, is in Workers KV. Nothing here knows of
 * the local authority; `local_web.ts` puts it around this module for `wrangler dev`.
 *
 * @module
 */
import {
  ConfidentialClientApplication,
  type ConfidentialClientOptions,
  isAuthError,
  perEnv,
  TokenCache,
} from "@msal-edge/msal";
import { type DurableObjectNamespaceLike, DurableObjectStore } from "@msal-edge/msal/cache/durable-object";
import { type KvNamespaceLike, WorkersKvStore } from "@msal-edge/msal/cache/workers-kv";
import {
  type CallerVariables,
  createApiAuth,
  entraAuth,
  type EntraVariables,
  protectedResource,
  requireBearer,
  requireUser,
  type UserAuth,
  type UserVariables,
} from "@msal-edge/msal/hono";
import { type ExecutionContext, Hono, type MiddlewareHandler } from "hono";
import { homePage, listPage, Pages, profilePage, troublePage } from "../shared/pages.ts";
import { SETTINGS } from "../shared/settings.ts";

export { TokenStoreObject } from "@msal-edge/msal/cache/durable-object";

/** The Worker's variables and bindings; the three secrets are set by `wrangler secret put`. */
export interface Env {
  readonly TENANT_ID: string;
  readonly CLIENT_ID: string;
  readonly CLIENT_SECRET: string;
  readonly API_CLIENT_ID: string;
  readonly API_CLIENT_SECRET: string;
  readonly COOKIE_SECRET: string;
  /** This Worker's public address. */
  readonly BASE_URL: string;
  /** For how long a session lasts without a request; eight hours where empty. */
  readonly SESSION_SECONDS?: string;
  readonly TOKENS: DurableObjectNamespaceLike;
  readonly DOCUMENTS: KvNamespaceLike;
}

/** Sends the two applications to a tenant that is played. */
export interface Local {
  readonly web?: Partial<ConfidentialClientOptions>;
  readonly api?: Partial<ConfidentialClientOptions>;
}

/** Answers requests, as the default export of a Worker does. */
export type Worker = Pick<Hono<{ Bindings: Env }>, "fetch">;

const GRAPH = "https://graph.microsoft.com";

/** The options that both applications have. */
function shared(env: Env) {
  return {
    authority: { instance: "login.microsoftonline.com", tenant: env.TENANT_ID },
    // Both understand claims challenges, so they may be sent some.
    clientCapabilities: ["cp1"],
    tokenCache: new TokenCache({ store: new DurableObjectStore(env.TOKENS), seal: env.COOKIE_SECRET }),
    httpCache: new WorkersKvStore(env.DOCUMENTS),
    // What fails is told here, without secrets: browsers only get a reference.
    logger: { warn: console.warn, error: console.error },
  };
}

/** Lets signed-in users pass; with Hono's own type the pages know that there is one. */
const user: MiddlewareHandler<{ Variables: UserVariables }> = requireUser();

/** One line for the Worker's log. The library's errors hold no secrets and say what to do. */
function report(error: unknown): void {
  // The library answers this with a new sign-in.
  if (isAuthError(error) && error.name === "InteractionRequiredAuthError") return;
  console.error(isAuthError(error) ? `${error.code}: ${error.message}` : error);
}

/** The API: it takes tokens, and asks Graph on behalf of its callers. */
function makeApi(env: Env, local: Local) {
  const app = new ConfidentialClientApplication({
    clientId: env.API_CLIENT_ID,
    clientCredential: env.API_CLIENT_SECRET,
    ...shared(env),
    ...local.api,
  });
  const auth = createApiAuth({
    app,
    audience: [app.clientId, `api://${app.clientId}`],
    protectedResource: {
      resource: new URL("/api", env.BASE_URL),
      resourceName: "Orders",
      scopesSupported: [`api://${app.clientId}/Orders.Read`],
    },
  });
  const scopes = ["Orders.Read"];
  return new Hono<{ Variables: CallerVariables }>()
    .use(protectedResource(auth))
    .get("/api/orders", requireBearer(auth, { scopes }), async (c) => {
      const graph = c.var.caller.fetch({ scopes: [`${GRAPH}/User.Read`], origins: [GRAPH] });
      const response = await graph(`${GRAPH}/v1.0/me`);
      if (!response.ok) return c.json({ error: "graph_failed" }, 502);
      const { displayName } = await response.json() as { displayName: string };
      return c.json({ for: displayName, items: ["40 chairs", "2 desks"] });
    })
    // This asks for more than a password: a caller without it is told what to get.
    .get(
      "/api/invoices",
      requireBearer(auth, { scopes, acrs: ["c1"] }),
      (c) =>
        c.json({ for: "whoever passed the second check", items: ["Chairs, 2 400 EUR", "Desks, 990 EUR"] }),
    )
    .all("/api/*", (c) => c.json({ error: "not_found" }, 404))
    .onError((error, c) => {
      report(error);
      return c.json({ error: "server_error" }, 500);
    });
}

/** The whole Worker, for one `env`. */
export function makeWorker(env: Env, local: Local = {}): Worker {
  const api = makeApi(env, local);
  const app = new ConfidentialClientApplication({
    clientId: env.CLIENT_ID,
    clientCredential: env.CLIENT_SECRET,
    ...shared(env),
    ...local.web,
  });
  const pages = new Pages(app.authority);
  const scopes = [`api://${local.api?.clientId ?? env.API_CLIENT_ID}/Orders.Read`];
  const trouble = (title: string, text: string, status: number) =>
    pages.show(...troublePage(title, text), status);

  /** A page of the API's answer. The API is in this Worker: no request leaves it. */
  const list = async (auth: UserAuth, title: string, path: string): Promise<Response> => {
    const { origin } = new URL(env.BASE_URL);
    const send = (url: string, init?: RequestInit) => Promise.resolve(api.request(url, init, env));
    const response = await auth.fetch({ scopes, origins: [origin], fetch: send })(new URL(path, origin));
    if (!response.ok) return trouble(`No ${title}`, "The API does not answer. Please try again later.", 502);
    return pages.show(...listPage(title, await response.json()));
  };

  return new Hono<{ Bindings: Env; Variables: EntraVariables }>()
    .route("/", api)
    .use(entraAuth({
      app,
      baseUrl: env.BASE_URL,
      cookieSecret: env.COOKIE_SECRET,
      scopes,
      sessionClaims: ["roles"],
      sessionStore: new DurableObjectStore(env.TOKENS),
      session: { idleSeconds: Number(env.SESSION_SECONDS || 28_800) },
    }))
    .get("/", (c) => pages.show(...homePage(c.var.auth?.user ?? null)))
    .get("/favicon.ico", (c) => c.body(null, 204))
    .get("/orders", user, (c) => list(c.var.auth, "Orders", "/api/orders"))
    .get("/invoices", user, (c) => list(c.var.auth, "Invoices", "/api/invoices"))
    .get("/me", user, async (c) => {
      // Nobody has been asked for this yet: the first time, the user is.
      const graph = c.var.auth.fetch({ scopes: ["User.Read"], origins: [GRAPH] });
      const response = await graph(`${GRAPH}/v1.0/me`);
      if (!response.ok) return trouble("No profile", "Graph does not answer. Please try again later.", 502);
      return pages.show(...profilePage(await response.json()));
    })
    .notFound(() => trouble("Nothing here", "There is no such page.", 404))
    .onError((error) => {
      report(error);
      return trouble("That did not work", "Please try again later.", 500);
    });
}

/** One of them for each isolate. */
const workerOf = perEnv((env: Env) => makeWorker(env));

export default {
  fetch(request: Request, env: Env, ctx: ExecutionContext): Response | Promise<Response> {
    let worker: Worker;
    try {
      worker = workerOf(env);
    } catch (error) {
      // A variable is missing or wrong. Visitors are told nothing of it: the log is for you.
      const missing = [...SETTINGS, "BASE_URL" as const].filter((name) => !env[name]);
      if (missing.length > 0) console.error(`Set ${missing.join(", ")}`);
      else report(error);
      return new Response("This site cannot be used just now\n", { status: 503 });
    }
    return worker.fetch(request, env, ctx);
  },
};
