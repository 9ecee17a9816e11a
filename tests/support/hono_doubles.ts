/**
 * A sign-in and an API guard that do nothing but what Hono's middleware asks of them, and note it.
 *
 * @module
 */
import {
  AuthError,
  ClientConfigurationError,
  InteractionRequiredAuthError,
  NetworkError,
} from "../../mod.ts";
import { AccessTokenError } from "../../src/errors/access_token_error.ts";
import type { AccessTokenRequirements } from "../../src/validate/options.ts";
import type { ApiAuth, ApiCaller } from "../../src/web/api_auth.ts";
import type { RequestContext } from "../../src/web/options.ts";
import type { SignInRequest, UserAuth } from "../../src/web/user_auth.ts";
import type { Visit } from "../../src/web/visit.ts";
import type { WebAuth } from "../../src/web/web_auth.ts";

/** An error of the library that asks for the user. */
export function interaction(): InteractionRequiredAuthError {
  return new InteractionRequiredAuthError("interaction_required", "the user has to step up", {
    status: 400,
    error: "interaction_required",
    errorCodes: [],
    retryable: false,
    throttledLocally: false,
  });
}

/** What a double saw. */
export interface Seen {
  readonly contexts: RequestContext[];
  readonly challenges: (SignInRequest | undefined)[];
  readonly requirements: (AccessTokenRequirements | undefined)[];
  finished: number;
}

function seen(): Seen {
  return { contexts: [], challenges: [], requirements: [], finished: 0 };
}

/** A user by the cookie `user`; a session store that is down for the user `outage`. */
export function webDouble(): { web: WebAuth; seen: Seen } {
  const saw = seen();
  const visit = (request: Request, context: RequestContext = {}): Promise<Visit> => {
    saw.contexts.push(context);
    const user = request.headers.get("cookie")?.match(/user=(\w+)/)?.[1];
    if (user === "outage") {
      return Promise.reject(new NetworkError("network_error", "the sessions cannot be read"));
    }
    return Promise.resolve({
      auth: user === undefined ? null : { user: { username: user } } as UserAuth,
      challenge: (asked) => {
        saw.challenges.push(asked);
        return Promise.resolve(new Response("sign in", { status: 401 }));
      },
      recover: (error) => {
        if (!(error instanceof AuthError)) throw error;
        return Promise.resolve(
          new Response(null, { status: 303, headers: { location: "/step-up", "set-cookie": "flow=1" } }),
        );
      },
      finish: (response) => {
        saw.finished++;
        const answer = new Response(response.body, response);
        answer.headers.append("set-cookie", "session=renewed");
        answer.headers.set("cache-control", "private, no-store");
        return answer;
      },
    });
  };
  const route = (request: Request): Promise<Response | undefined> => {
    const { pathname } = new URL(request.url);
    return Promise.resolve(pathname === "/auth/sign-in" ? new Response("sign-in page") : undefined);
  };
  const withUser: WebAuth["withUser"] = (handler) => async (request, context = {}) => {
    try {
      return await handler(request, null, context);
    } catch {
      return new Response("the session store is down", { status: 503 });
    }
  };
  return { web: { route, visit, withUser } as WebAuth, seen: saw };
}

/** A caller by the token `good`; keys that cannot be had for `outage`. */
export function apiDouble(): { api: ApiAuth; seen: Seen } {
  const saw = seen();
  const authenticate: ApiAuth["authenticate"] = (request, requirements, context = {}) => {
    saw.contexts.push(context);
    saw.requirements.push(requirements);
    const token = request.headers.get("authorization")?.replace("Bearer ", "");
    if (token === "good") return Promise.resolve({ callerId: "caller" } as ApiCaller);
    if (token === "outage") return Promise.reject(new NetworkError("network_error", "no keys"));
    return Promise.reject(new AccessTokenError("access_token_missing", "no token", { status: 401 }));
  };
  const refuse: ApiAuth["refuse"] = (error) => {
    if (!(error instanceof AuthError) || error instanceof ClientConfigurationError) throw error;
    const status = error instanceof NetworkError ? 503 : 401;
    return new Response(error.code, { status, headers: { "www-authenticate": "Bearer" } });
  };
  const route = (request: Request): Promise<Response | undefined> => {
    const { pathname } = new URL(request.url);
    const isMetadata = pathname === "/.well-known/oauth-protected-resource/api";
    return Promise.resolve(isMetadata ? Response.json({ resource: "https://app.example/api" }) : undefined);
  };
  return { api: { authenticate, refuse, route } as ApiAuth, seen: saw };
}
