/**
 * One route, open and guarded in several ways: what `guarded_routes.ts` measures on Deno and in a Worker.
 *
 * @module
 */
import { createLocalJWKSet, jwtVerify } from "jose";
import { createApiAuth } from "../src/web/mod.ts";

export const TENANT = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
export const ISSUER: string = `https://login.microsoftonline.com/${TENANT}/v2.0`;
export const AUDIENCE = "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91";
export const SCOPE = "Orders.Read";

/** The routes by their paths. */
export const ROUTES = ["/open", "/jose", "/warm", "/known"] as const;

type Handler = (request: Request) => Response | Promise<Response>;

/** The route itself: a page of orders. */
const answer = (): Response =>
  Response.json({
    orders: Array.from(
      { length: 20 },
      (_, id) => ({ id, of: "Ada", item: `Item ${id}`, open: id % 2 === 0 }),
    ),
  });

/** What one writes by hand: signature, issuer, audience, time and scope. */
function joseGuard(jwks: string): Handler {
  const keys = createLocalJWKSet(JSON.parse(jwks));
  const expected = { issuer: ISSUER, audience: AUDIENCE, algorithms: ["RS256"] };
  return async ({ headers }) => {
    try {
      const token = headers.get("authorization")?.slice("Bearer ".length) ?? "";
      const { payload } = await jwtVerify(token, keys, expected);
      if (!`${payload["scp"]}`.split(" ").includes(SCOPE)) return new Response(null, { status: 403 });
    } catch {
      return new Response(null, { status: 401 });
    }
    return answer();
  };
}

/** Ours, with keys at hand; with or without memory for tokens that were verified before. */
function ownGuard(jwks: string, maxVerifiedBytes: number): Handler {
  const api = createApiAuth({
    authority: `https://login.microsoftonline.com/${TENANT}`,
    audience: AUDIENCE,
    maxVerifiedBytes,
    fetch: () => Promise.resolve(new Response(jwks, { headers: { "content-type": "application/json" } })),
  });
  return api.protect(answer, { scopes: [SCOPE] });
}

/**
 * Makes the routes.
 *
 * @param jwks The issuer's keys, JSON text.
 */
export function guardedHandler(jwks: string): Handler {
  const handlers: Readonly<Record<string, Handler>> = {
    "/open": answer,
    "/jose": joseGuard(jwks),
    "/warm": ownGuard(jwks, 0),
    "/known": ownGuard(jwks, 2 ** 20),
  };
  return (request) => {
    const handler = handlers[new URL(request.url).pathname];
    return handler === undefined ? new Response(null, { status: 404 }) : handler(request);
  };
}
