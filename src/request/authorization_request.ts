/**
 * What begins a sign-in, and its checks.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { type AuthScheme, requireAuthScheme } from "./auth_scheme.ts";
import type { ClaimsRequest } from "./claims.ts";
import { type ExtraParameters, requireExtraParameters } from "./extra_parameters.ts";
import { requireRedirectUri } from "./redirect_uri.ts";
import { requireScopeTokens, requireUserScopes } from "./scopes.ts";

/** What the user is asked although they are signed in already, OpenID Connect Core section 3.1.2.1. */
export type Prompt = "login" | "none" | "consent" | "select_account" | "create";

/** How the authority's answer comes back: in the URL of a GET, or as the form of a POST. */
export type ResponseMode = "query" | "form_post";

/** What `initiateAuthCodeFlow` takes. */
export interface AuthorizationRequest {
  /** The scopes of one API, possibly none; `openid`, `profile` and `offline_access` are added. */
  readonly scopes: readonly string[];
  /** Where the answer goes, as it is registered. Take it from your configuration, never from a request's `Host`. */
  readonly redirectUri: string;
  /** What to ask the user; several are joined. `none` asks nothing and fails where something would have to be asked. */
  readonly prompt?: Prompt | readonly Prompt[] | undefined;
  /** Who will sign in: a user name or the `login_hint` claim. */
  readonly loginHint?: string | undefined;
  /** Where they will sign in: `organizations`, `consumers` or a domain. */
  readonly domainHint?: string | undefined;
  /** How the answer comes back. With `form_post` a cookie must be `SameSite=None` to come along. @default {"query"} */
  readonly responseMode?: ResponseMode | undefined;
  /** How long ago the user may have proved who they are, in seconds; 0 asks them now. The ID token must agree. */
  readonly maxAge?: number | undefined;
  /** Scopes of other APIs that the user consents to in one go; the token does not hold them. */
  readonly extraScopesToConsent?: readonly string[] | undefined;
  /** Added to the URL. Reserved names are refused; never put a secret here. */
  readonly extraQueryParameters?: ExtraParameters | undefined;
  /** A claims challenge, as JSON text or as an object. */
  readonly claims?: ClaimsRequest | undefined;
  /**
   * Binds the code to the key of a `DpopAuthScheme`, RFC 9449 section 10, and the flow to that of any scheme. Give it to
   * `acquireTokenByAuthCodeFlow`, too: it is no JSON.
   */
  readonly authScheme?: AuthScheme | undefined;
  /** Another tenant than that of the `authority`: a GUID or a domain name. */
  readonly tenantId?: string | undefined;
  /** The application's own text, such as where to go afterwards. It stays in the flow and is never sent. */
  readonly appState?: string | undefined;
  /** The `client-request-id` of the sign-in, a GUID. Made if absent. */
  readonly correlationId?: string | undefined;
  /** Ends the caller's wait. */
  readonly signal?: AbortSignal | undefined;
}

/** An {@linkcode AuthorizationRequest}, checked: what the URL takes of it. */
export interface CheckedAuthorizationRequest {
  /** The scopes, as they were given. */
  readonly scopes: readonly string[];
  /** Where the answer goes. */
  readonly redirectUri: string;
  /** The prompts, joined by a space. */
  readonly prompt: string | undefined;
  /** Who will sign in. */
  readonly loginHint: string | undefined;
  /** Where they will sign in. */
  readonly domainHint: string | undefined;
  /** How the answer comes back. */
  readonly responseMode: ResponseMode | undefined;
  /** How long ago the user may have proved who they are, in seconds. */
  readonly maxAge: number | undefined;
  /** Scopes to consent to beside those of the token. */
  readonly extraScopesToConsent: readonly string[];
  /** Parameters of the caller's own. */
  readonly extraQueryParameters: readonly (readonly [string, string])[];
  /** The application's own text. */
  readonly appState: string | undefined;
  /** The key that the flow is bound to. */
  readonly keyId?: string | undefined;
  /** The same, where the authority is told of it. */
  readonly dpopJkt?: string | undefined;
}

/** Which client asks whom. */
export interface AuthorizationRules {
  /** Whether the authority is Entra's. */
  readonly isEntra: boolean;
  /** Whether the client is public: then a redirect URI may have a scheme of its own. */
  readonly isPublic: boolean;
}

const PROMPTS = ["login", "none", "consent", "select_account", "create"];

function promptOf(prompt: unknown): string | undefined {
  if (prompt === undefined) return undefined;
  const list: unknown[] = Array.isArray(prompt) ? [...new Set(prompt)] : [prompt];
  const alone = list.length === 1 || !list.includes("none");
  if (list.length > 0 && alone && list.every((one) => PROMPTS.includes(one as string))) return list.join(" ");
  refuse("invalid_request", "prompt", `it takes ${PROMPTS.join(", ")}, and none only alone`);
}

/**
 * Checks a member that is a text, if it is there.
 *
 * @param option The member's name, for the error.
 * @param value What the caller gave.
 * @returns The text.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function optionalText(option: string, value: unknown): string | undefined {
  if (value === undefined || (typeof value === "string" && value !== "")) return value;
  refuse("invalid_request", option, "it must be a text that is not empty");
}

/**
 * Checks `maxAge`, if it is there.
 *
 * @param maxAge What the caller gave.
 * @returns The seconds.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function optionalMaxAge(maxAge: unknown): number | undefined {
  if (maxAge === undefined || (Number.isSafeInteger(maxAge) && maxAge as number >= 0)) {
    return maxAge as number | undefined;
  }
  refuse("invalid_request", "maxAge", "it must be a whole number of seconds from 0");
}

/**
 * Checks what begins a sign-in, all but `claims`, `tenantId`, `correlationId` and `signal`, which every request has.
 *
 * @param request What the caller gave.
 * @param rules Which client asks whom.
 * @returns The request.
 * @throws {ClientConfigurationError} that names the member.
 */
export function checkAuthorizationRequest(
  request: AuthorizationRequest,
  rules: AuthorizationRules,
): CheckedAuthorizationRequest {
  const { authScheme, scopes, responseMode, extraScopesToConsent = [], ...given } = request ?? {};
  requireUserScopes(scopes, rules.isEntra);
  requireScopeTokens(extraScopesToConsent, "extraScopesToConsent");
  if (responseMode !== undefined && responseMode !== "query" && responseMode !== "form_post") {
    refuse("invalid_request", "responseMode", "it must be query or form_post");
  }
  requireAuthScheme(authScheme);
  const keyId = authScheme?.keyId;
  return {
    scopes: [...scopes],
    redirectUri: requireRedirectUri(given.redirectUri, rules.isPublic),
    prompt: promptOf(given.prompt),
    loginHint: optionalText("loginHint", given.loginHint),
    domainHint: optionalText("domainHint", given.domainHint),
    responseMode,
    maxAge: optionalMaxAge(given.maxAge),
    extraScopesToConsent: [...extraScopesToConsent],
    extraQueryParameters: requireExtraParameters(given.extraQueryParameters, "extraQueryParameters"),
    appState: optionalText("appState", given.appState),
    keyId,
    dpopJkt: authScheme?.tokenType === "DPoP" ? keyId : undefined,
  };
}
