/**
 * A web application that signs its users in and calls the orders API for them. One handler on web standards: it runs on Deno, Bun
 * and Workers.
 *
 * @module
 */
import { createWebAuth, type RequestContext, type UserAuth, type WebAuthOptions } from "@msal-edge/msal/web";
import { homePage, listPage, Pages, profilePage, troublePage } from "./pages.ts";

/** What the web application is made of. */
export interface OrdersSiteOptions extends WebAuthOptions {
  /** The client id of the orders API. */
  readonly apiClientId: string;
  /** The address of the orders API. */
  readonly apiUrl: string;
}

type Handler = (request: Request, context?: RequestContext) => Promise<Response>;

/** The web application. */
export interface OrdersSite {
  /** Its pages, by their paths. */
  readonly pages: Readonly<Record<string, Handler>>;
  /** Answers any request: sign-in and sign-out, the pages, and that there is no such page. */
  readonly answer: Handler;
}

const GRAPH = "https://graph.microsoft.com";

/** Makes the web application. */
export function ordersSite({ apiClientId, apiUrl, ...options }: OrdersSiteOptions): OrdersSite {
  const scopes = [`api://${apiClientId}/Orders.Read`];
  const web = createWebAuth({ ...options, scopes });
  const pages = new Pages(options.app.authority);
  const trouble = (title: string, text: string, status: number) =>
    pages.show(...troublePage(title, text), status);

  /** A page of the API's answer. What the API asks for besides becomes a new sign-in, by itself. */
  const listOf = (title: string, path: string) =>
    web.requireUser(async (_request: Request, auth: UserAuth) => {
      const api = auth.fetch({ scopes, origins: [new URL(apiUrl).origin] });
      const response = await api(new URL(path, apiUrl));
      if (!response.ok) {
        return trouble(`No ${title}`, "The API does not answer. Please try again later.", 502);
      }
      return pages.show(...listPage(title, await response.json()));
    });

  const home = web.withUser((_request, auth) => pages.show(...homePage(auth?.user ?? null)));
  const me = web.requireUser(async (_request, auth) => {
    // Nobody has been asked for this yet: the first time, the user is.
    const graph = auth.fetch({ scopes: ["User.Read"], origins: [GRAPH] });
    const response = await graph(`${GRAPH}/v1.0/me`);
    if (!response.ok) return trouble("No profile", "Graph does not answer. Please try again later.", 502);
    return pages.show(...profilePage(await response.json()));
  });
  const own: Record<string, Handler> = {
    "/": home,
    "/me": me,
    "/orders": listOf("Orders", "/api/orders"),
    "/invoices": listOf("Invoices", "/api/invoices"),
    "/favicon.ico": () => Promise.resolve(new Response(null, { status: 204 })),
  };
  const answer: Handler = async (request, context) => {
    const { pathname } = new URL(request.url);
    return await web.route(request, context) ?? await own[pathname]?.(request, context) ??
      trouble("Nothing here", "There is no such page.", 404);
  };
  return { pages: own, answer };
}
