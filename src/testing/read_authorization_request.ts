/**
 * Reads and checks an authorization request.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.1 | RFC 6749 section 4.1.1}
 * @see {@link https://www.rfc-editor.org/rfc/rfc7636#section-4.3 | RFC 7636 section 4.3}
 */
import {
  type AnswerTarget,
  type AuthorizationRequest,
  RedirectableError,
  type ResponseMode,
} from "./authorization_request.ts";
import { readClaims } from "./claims_request.ts";
import type { App } from "./declared.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { userOfHint } from "./login_hint.ts";
import { appOnPath, pathSegment } from "./path_client.ts";
import { isRegisteredRedirect } from "./redirect_uri.ts";
import { asksForMfa, readScopes, splitScopes } from "./requested_scopes.ts";

const RESPONSE_MODES: readonly string[] = ["query", "fragment", "form_post"];
const PROMPTS: readonly string[] = ["login", "select_account", "consent", "create", "none"];
const CODE_CHALLENGE = /^[A-Za-z0-9._~-]{43,128}$/;

type Failure = readonly [error: string, code: number, text: string];

function present(parameters: URLSearchParams, name: string): string | undefined {
  return parameters.get(name) || undefined;
}

function refuseRepeated(parameters: URLSearchParams): void {
  const names = [...parameters.keys()];
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice === undefined) return;
  const text = `The request is not properly formatted. The parameter '${twice}' is duplicated.`;
  throw new EntraError(400, "invalid_request", 9000411, text);
}

function requireRedirectUri(app: App, redirectUri: string | undefined): string {
  if (app.redirectUris.length === 0) {
    const text = "No reply address is registered for the application.";
    throw new EntraError(400, "invalid_client", 500113, text);
  }
  if (redirectUri === undefined) throw missingParameter("redirect_uri");
  if (isRegisteredRedirect(app.redirectUris, redirectUri)) return redirectUri;
  const text =
    `The redirect URI '${redirectUri}' specified in the request does not match the redirect URIs ` +
    `configured for the application '${app.clientId}'. Make sure the redirect URI sent in the request matches one ` +
    "added to your application in the Azure portal.";
  throw new EntraError(400, "invalid_request", 50011, text);
}

function targetOf(redirectUri: string, parameters: URLSearchParams): AnswerTarget {
  const named = parameters.get("response_mode") ?? "query";
  const responseMode = RESPONSE_MODES.includes(named) ? named as ResponseMode : "query";
  const state = parameters.get("state");
  return { redirectUri, responseMode, ...(state === null ? {} : { state }) };
}

function responseFailure(app: App, parameters: URLSearchParams): Failure | undefined {
  const type = present(parameters, "response_type");
  const mode = parameters.get("response_mode") ?? "query";
  if (type === undefined) return ["invalid_request", 900144, missingParameter("response_type").message];
  if (type !== "code") {
    const text = `response_type '${type}' is not enabled for the application '${app.clientId}'.`;
    return ["unsupported_response_type", 700054, text];
  }
  if (!RESPONSE_MODES.includes(mode)) {
    return ["invalid_request", 70007, `'${mode}' is not a supported value of 'response_mode'.`];
  }
  if (parameters.has("request")) return ["request_not_supported", 90023, "'request' is not supported."];
  if (parameters.has("request_uri")) {
    return ["request_uri_not_supported", 90023, "'request_uri' is not supported."];
  }
  return undefined;
}

function challengeFailure(parameters: URLSearchParams): Failure | undefined {
  const challenge = parameters.get("code_challenge");
  const method = parameters.get("code_challenge_method");
  if (challenge === null && method === null) return undefined;
  if (challenge === null || !CODE_CHALLENGE.test(challenge)) {
    return ["invalid_request", 501491, "Invalid size of Code_Challenge parameter."];
  }
  if (method === "S256") return undefined;
  return ["invalid_request", 50147, "The value of 'code_challenge_method' must be S256."];
}

function promptFailure(prompt: readonly string[]): Failure | undefined {
  const unknown = prompt.find((value) => !PROMPTS.includes(value));
  if (unknown !== undefined) return ["invalid_request", 90023, `Unsupported 'prompt' value '${unknown}'.`];
  if (!prompt.includes("none") || prompt.length === 1) return undefined;
  return ["invalid_request", 90023, "The 'prompt' value 'none' cannot be combined with others."];
}

function maxAgeOf(target: AnswerTarget, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new RedirectableError(target, "invalid_request", 90023, "'max_age' must be a number of seconds.");
}

/** Sends an error of the endpoint's own to the client. */
function redirecting<T>(target: AnswerTarget, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    if (!(cause instanceof EntraError)) throw cause;
    throw new RedirectableError(target, cause.error, cause.code, cause.message);
  }
}

function scopesOf(exchange: Exchange, app: App, parameters: URLSearchParams): readonly string[] {
  const scope = present(parameters, "scope");
  if (scope === undefined) throw missingParameter("scope");
  const scopes = splitScopes(scope);
  readScopes(exchange.services.directory, app, scopes, exchange.route.shape?.dialect);
  return scopes;
}

/** The members that only some requests have. */
function optionalParts(target: AnswerTarget, parameters: URLSearchParams): Partial<AuthorizationRequest> {
  const given = {
    nonce: present(parameters, "nonce"),
    codeChallenge: present(parameters, "code_challenge"),
    loginHint: userOfHint(parameters.get("login_hint")),
    domainHint: present(parameters, "domain_hint"),
    maxAge: maxAgeOf(target, present(parameters, "max_age")),
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
}

/**
 * Reads and checks an authorization request.
 *
 * Throws `EntraError` where nothing may be redirected (unknown client, bad redirect URI), and `RedirectableError`
 * where the error goes back to the client.
 */
export function readAuthorizationRequest(
  exchange: Exchange,
  parameters: URLSearchParams,
): AuthorizationRequest {
  refuseRepeated(parameters);
  const clientId = present(parameters, "client_id");
  if (clientId === undefined) throw missingParameter("client_id");
  const app = appOnPath(exchange, clientId);
  const target = targetOf(requireRedirectUri(app, present(parameters, "redirect_uri")), parameters);
  const prompt = splitScopes(parameters.get("prompt") ?? "");
  const failure = responseFailure(app, parameters) ?? challengeFailure(parameters) ?? promptFailure(prompt);
  if (failure) throw new RedirectableError(target, ...failure);
  const claims = redirecting(target, () => readClaims(present(parameters, "claims")));
  const scopes = redirecting(target, () => scopesOf(exchange, app, parameters));
  const { dialect, place } = exchange.route.shape ?? {};
  return {
    ...target,
    ...optionalParts(target, parameters),
    clientId: app.clientId,
    app,
    tenantSegment: pathSegment(exchange),
    place,
    dialect,
    scopes,
    prompt,
    claims,
    needsMfa: asksForMfa(exchange.services.directory, app, scopes, claims, dialect),
    parameters,
  };
}
