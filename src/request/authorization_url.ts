/**
 * The URL that a sign-in begins at, RFC 6749 section 4.1.1.
 *
 * @module
 */

import type { CheckedAuthorizationRequest } from "./authorization_request.ts";
import { decorateScopes } from "./scopes.ts";

/** What the URL says. */
export interface AuthorizationUrlParameters extends Omit<CheckedAuthorizationRequest, "appState" | "keyId"> {
  /** The client id. */
  readonly clientId: string;
  /** Which of the scopes that are added to leave out: the `excludeScopes` option. */
  readonly excludeScopes?: readonly string[];
  /** The name of the sign-in, random. */
  readonly state: string | undefined;
  /** The hash of what is kept as nonce. */
  readonly nonce: string | undefined;
  /** The challenge of the PKCE verifier. */
  readonly codeChallenge: string | undefined;
  /** The `claims` parameter, capabilities included. */
  readonly claims: string | undefined;
  /** Whether the authority is Entra's, which says `client_info` and routes by the login hint. */
  readonly isEntra: boolean;
}

/**
 * What a sign-in asks for, by the names of MSAL; the library's own come last, so that nothing overrides them.
 *
 * @param parameters What to say, checked.
 * @returns Names and values.
 */
export function authorizationParameters(parameters: AuthorizationUrlParameters): [string, string][] {
  const { scopes, extraScopesToConsent, excludeScopes, isEntra, loginHint, codeChallenge } = parameters;
  const own: Readonly<Record<string, string | undefined>> = {
    client_id: parameters.clientId,
    response_type: "code",
    redirect_uri: parameters.redirectUri,
    scope: decorateScopes([...scopes, ...extraScopesToConsent], excludeScopes).join(" "),
    state: parameters.state,
    code_challenge: codeChallenge,
    code_challenge_method: codeChallenge && "S256",
    nonce: parameters.nonce,
    client_info: isEntra ? "1" : undefined,
    login_hint: loginHint,
    prompt: parameters.prompt,
    domain_hint: parameters.domainHint,
    claims: parameters.claims,
    dpop_jkt: parameters.dpopJkt,
    max_age: parameters.maxAge?.toString(),
    response_mode: parameters.responseMode,
    "X-AnchorMailbox": isEntra && loginHint ? `UPN:${loginHint}` : undefined,
  };
  const said = Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return [...new Map([...parameters.extraQueryParameters, ...said])];
}

/**
 * Makes the URL to send the user's browser to. The endpoint keeps its own parameters.
 *
 * @param endpoint The authorization endpoint, checked.
 * @param parameters What to say, checked.
 * @returns The URL.
 */
export function buildAuthorizationUrl(endpoint: string, parameters: AuthorizationUrlParameters): string {
  return withParameters(endpoint, authorizationParameters(parameters));
}

/**
 * Adds parameters to an endpoint, which keeps its own others.
 *
 * @param endpoint The endpoint.
 * @param parameters Names and values.
 * @returns The URL.
 */
export function withParameters(endpoint: string, parameters: readonly (readonly [string, string])[]): string {
  const url = new URL(endpoint);
  for (const [name, value] of parameters) url.searchParams.set(name, value);
  return url.href;
}
