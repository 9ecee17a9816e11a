/**
 * An API that is guarded, an authority that issues tokens for it, and requests to it.
 *
 * @module
 */
import type { MsalEvent } from "../../mod.ts";
import { parseWwwAuthenticate } from "../../src/request/www_authenticate.ts";
import type { LocalAuthorityOptions, UserTokenOptions } from "../../src/testing/mod.ts";
import {
  type AccessTokenRequirements,
  type ApiAuth,
  type ApiAuthOptions,
  type ApiCaller,
  createApiAuth,
  type RequestContext,
} from "../../src/web/mod.ts";
import { CONTOSO, HOST, ORDERS, UserScene } from "./user_scene.ts";

/** Where the API is. */
export const API = "https://api.example";

/** An answer of the API, taken apart. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  /** The challenge's parameters; `undefined` where there is none, or several. */
  readonly challenge: Record<string, string | undefined> | undefined;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

/** Takes a response apart. */
export async function takeApart(response: Response): Promise<ApiAnswer> {
  const challenges = parseWwwAuthenticate(response);
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  return {
    status: response.status,
    headers: response.headers,
    challenge: challenges.length === 1 && challenges[0]!.scheme === "Bearer"
      ? { ...challenges[0]!.parameters }
      : undefined,
    body: isJson ? JSON.parse(text) : text,
  };
}

/** The parts of a test. */
export interface ApiScene {
  readonly scene: UserScene;
  readonly api: ApiAuth;
  readonly events: MsalEvent[];
  /** Those whom the handler saw. */
  readonly callers: ApiCaller[];
  /** A user's token for the API. */
  token(options?: UserTokenOptions): Promise<string>;
  /** An app's own token for the API. */
  appToken(roles?: readonly string[]): Promise<string>;
  /** Calls a route that asks for `Orders.Read`, or for something else. */
  call(
    authorization: string | undefined,
    requirements?: AccessTokenRequirements,
    context?: RequestContext,
  ): Promise<ApiAnswer>;
}

/** Makes an API at a local authority. */
export function apiScene(
  options: Partial<ApiAuthOptions> = {},
  authority: LocalAuthorityOptions = {},
): ApiScene {
  const scene = new UserScene(authority);
  const events: MsalEvent[] = [];
  const callers: ApiCaller[] = [];
  const own = options.app === undefined
    ? { authority: `${HOST}/${CONTOSO.id}`, fetch: scene.authority.fetch, clock: scene.clock }
    : {};
  const api = createApiAuth({
    audience: [ORDERS.appId, ...ORDERS.identifierUris],
    onEvent: (event) => void events.push(event),
    ...own,
    ...options,
  });
  return {
    scene,
    api,
    events,
    callers,
    token: (given) =>
      scene.authority.issueUserToken({ resource: ORDERS.appId, scopes: ["Orders.Read"], ...given }),
    appToken: (roles = ["Orders.Read.All"]) =>
      scene.authority.issueAppToken({ resource: ORDERS.appId, roles, claims: { idtyp: "app" } }),
    call: async (authorization, requirements = { scopes: ["Orders.Read"] }, context = {}) => {
      const route = api.protect((_request, caller) => {
        callers.push(caller);
        return Response.json({ of: caller.callerId });
      }, requirements);
      const headers = authorization === undefined ? {} : { authorization };
      return await takeApart(await route(new Request(`${API}/orders`, { headers }), context));
    },
  };
}
