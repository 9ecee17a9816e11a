/**
 * An API that takes tokens of Microsoft Entra ID, and asks Graph on behalf of its callers. One handler on web standards: it runs
 * on Deno, Bun and Workers.
 *
 * @module
 */
import type { ConfidentialClientApplication } from "@msal-edge/msal";
import { type ApiCaller, createApiAuth, type RequestContext } from "@msal-edge/msal/web";

/** What the API is made of. */
export interface OrdersApiOptions {
  /** The API's own registration: it proves who it is when it asks Graph. */
  readonly app: ConfidentialClientApplication;
  /** This API's public address. */
  readonly baseUrl: string;
}

const GRAPH = "https://graph.microsoft.com";
const ORDERS = ["40 chairs", "2 desks"];
const INVOICES = ["Chairs, 2 400 EUR", "Desks, 990 EUR"];

/** Answers requests below `/api/`; `undefined` for others. */
export type OrdersApi = (request: Request, context?: RequestContext) => Promise<Response | undefined>;

/** Makes the API. */
export function ordersApi({ app, baseUrl }: OrdersApiOptions): OrdersApi {
  const api = createApiAuth({
    app,
    // A token of version 2 names the API by its client id.
    audience: [app.clientId, `api://${app.clientId}`],
    protectedResource: {
      resource: new URL("/api", baseUrl),
      resourceName: "Orders",
      scopesSupported: [`api://${app.clientId}/Orders.Read`],
    },
  });
  const routes: Record<string, ReturnType<typeof api.protect>> = {
    "GET /api/orders": api.protect(listOrders, { scopes: ["Orders.Read"] }),
    // This asks for more than a password: a caller without it is told what to get.
    "GET /api/invoices": api.protect(listInvoices, { scopes: ["Orders.Read"], acrs: ["c1"] }),
  };
  return async (request, context) => {
    const { pathname } = new URL(request.url);
    const found = await api.route(request, context);
    if (found !== undefined) return found;
    if (!pathname.startsWith("/api/")) return undefined;
    const route = routes[`${request.method} ${pathname}`];
    return route ? await route(request, context) : Response.json({ error: "not_found" }, { status: 404 });
  };
}

/** The orders, and who asks: Graph is asked on behalf of the caller. */
async function listOrders(_request: Request, caller: ApiCaller): Promise<Response> {
  const graph = caller.fetch({ scopes: [`${GRAPH}/User.Read`], origins: [GRAPH] });
  const response = await graph(`${GRAPH}/v1.0/me`);
  if (!response.ok) return Response.json({ error: "graph_failed" }, { status: 502 });
  const { displayName } = await response.json() as { displayName: string };
  return Response.json({ for: displayName, items: ORDERS });
}

function listInvoices(): Response {
  return Response.json({ for: "whoever passed the second check", items: INVOICES });
}
