/**
 * The UserInfo endpoint, which is Microsoft Graph's.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-core-1_0.html#UserInfo | OpenID Connect Core section 5.3}
 */
import { type Bearer, bearerOf, permissionsOf } from "./bearer.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { GraphError } from "./graph_error.ts";

/** The subject that the client knows from its ID token, not the one that Graph knows. */
function clientSubject({ claims }: Bearer): unknown {
  const names = claims["xms_st"];
  const sub = typeof names === "object" && names !== null ? Reflect.get(names, "sub") : undefined;
  return sub ?? claims.sub;
}

/** Answers a UserInfo request, GET or POST. Throws a `GraphError`. */
export async function answerUserInfo(exchange: Exchange): Promise<Response> {
  if (!["GET", "POST"].includes(exchange.incoming.method)) {
    const text = "Specified HTTP method is not allowed for the request target.";
    throw new GraphError(405, "Request_BadRequest", text);
  }
  const bearer = await bearerOf(exchange);
  const { user } = bearer;
  const scopes = permissionsOf(bearer, "scp");
  if (!user || !scopes.includes("openid")) {
    throw new GraphError(
      403,
      "UnknownError",
      "The access token is not for a user, or lacks the scope 'openid'.",
    );
  }
  const [givenName = "", ...more] = user.name.split(" ");
  const profile = {
    name: user.name,
    given_name: givenName,
    ...(more.length > 0 ? { family_name: more.join(" ") } : {}),
  };
  const body = {
    sub: clientSubject(bearer),
    ...(scopes.includes("profile") ? profile : {}),
    ...(scopes.includes("email") && user.email !== undefined ? { email: user.email } : {}),
  };
  return jsonResponse(exchange, body, 200, { "cache-control": "no-store" });
}
