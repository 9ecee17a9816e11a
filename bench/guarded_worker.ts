/**
 * The server of `guarded_routes.ts`, on Deno and on workerd: the same answer behind guards that cost more and less.
 *
 * @module
 */
import { createLocalJWKSet, jwtVerify } from "jose";
import { ConfidentialClientApplication, MemoryStore } from "../mod.ts";
import { LocalAuthority } from "../src/testing/mod.ts";
import { createApiAuth, createWebAuth, type RequestHandler } from "../src/web/mod.ts";

const SITE = "https://app.example";
const API_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e13";
const WEB_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e11";
const API = {
  appId: API_ID,
  identifierUris: [`api://${API_ID}`],
  accessTokenVersion: 2,
  scopes: ["Orders.Read"],
};

/** What a load has to send. */
export interface Credentials {
  readonly authorization: string;
  readonly cookie: string;
}

interface Routes {
  readonly credentials: Credentials;
  readonly handlers: Readonly<Record<string, RequestHandler>>;
}

const answer = (): Response => Response.json({ orders: [1, 2, 3] });

async function joseGuard(authority: LocalAuthority, tenantId: string): Promise<RequestHandler> {
  const host = "https://login.microsoftonline.com";
  const jwks = createLocalJWKSet(
    await (await authority.fetch(`${host}/${tenantId}/discovery/v2.0/keys`)).json(),
  );
  const expected = { issuer: `${host}/${tenantId}/v2.0`, audience: API_ID, algorithms: ["RS256"] };
  return async (request) => {
    try {
      const token = request.headers.get("authorization")?.slice("Bearer ".length) ?? "";
      const { payload } = await jwtVerify(token, jwks, expected);
      if (String(payload["scp"]).split(" ").includes("Orders.Read")) return answer();
    } catch {
      // Refused below.
    }
    return new Response(null, { status: 401 });
  };
}

async function sessionCookie(
  authority: LocalAuthority,
  route: (request: Request) => Promise<Response | undefined>,
) {
  const pairs = (response: Response | undefined): string =>
    response!.headers.getSetCookie().filter((line) => !/max-age=0/i.test(line))
      .map((line) => line.split(";")[0]).join("; ");
  const begun = await route(new Request(`${SITE}/auth/sign-in`));
  const { url } = await authority.signIn(begun!.headers.get("location")!);
  return pairs(await route(new Request(url, { headers: { cookie: pairs(begun) } })));
}

async function makeRoutes(): Promise<Routes> {
  const authority = new LocalAuthority({
    apps: [{ clientId: WEB_ID, secrets: ["local~secret"], redirectUris: [`${SITE}/*`] }],
    resources: [{ ...API, accessTokenVersion: 2 }],
  });
  const { tenantId } = authority.defaults;
  const options = {
    authority: `https://login.microsoftonline.com/${tenantId}`,
    fetch: authority.fetch,
  };
  const api = (maxVerifiedBytes?: number) =>
    createApiAuth({ ...options, audience: API_ID, maxVerifiedBytes }).protect(answer, {
      scopes: ["Orders.Read"],
    });
  const site = (sessionStore?: MemoryStore) =>
    createWebAuth({
      app: new ConfidentialClientApplication({
        ...options,
        clientId: WEB_ID,
        clientCredential: "local~secret",
      }),
      baseUrl: SITE,
      cookieSecret: crypto.randomUUID() + crypto.randomUUID(),
      // Two sites at one address: each has its own cookie.
      cookies: { prefix: sessionStore ? "server" : "sealed" },
      sessionStore,
    });
  const [sealed, server] = [site(), site(new MemoryStore())];
  const token = await authority.issueUserToken({
    resource: API_ID,
    clientId: WEB_ID,
    scopes: ["Orders.Read"],
  });
  const cookies = [
    await sessionCookie(authority, sealed.route),
    await sessionCookie(authority, server.route),
  ];
  return {
    credentials: { authorization: `Bearer ${token}`, cookie: cookies.join("; ") },
    handlers: {
      "/open": () => Promise.resolve(answer()),
      // The least that any guard does, whatever it guards by: what a platform takes for that is not the guard's.
      "/headers": (request) => {
        const response = answer();
        response.headers.set("vary", request.headers.has("authorization") ? "Authorization" : "Cookie");
        return Promise.resolve(response);
      },
      "/jose": await joseGuard(authority, tenantId),
      "/guarded": api(0),
      "/verified": api(),
      "/sealed-session": sealed.requireUser(answer),
      "/server-session": server.requireUser(answer),
    },
  };
}

let routes: Promise<Routes> | undefined;

export default {
  async fetch(request: Request): Promise<Response> {
    const { pathname } = new URL(request.url);
    if (pathname === "/credentials") return Response.json((await (routes ??= makeRoutes())).credentials);
    return await (await routes!).handlers[pathname]!(request);
  },
};
