/**
 * Whether what a caller may do is enough for a route.
 *
 * @module
 */

import { isGuid } from "../authority/tenant.ts";
import type { AccessTokenErrorCode } from "../errors/access_token_codes.ts";
import { refuse } from "../errors/errors.ts";
import { refuseToken } from "./access_token_fail.ts";
import type { AccessTokenRequirements } from "./options.ts";
import type { ValidatedAccessToken } from "./validated_token.ts";

/** What a route may ask. */
export const REQUIREMENTS: readonly (keyof AccessTokenRequirements)[] = [
  "scopes",
  "roles",
  "userRoles",
  "allowedApps",
  "acrs",
];

/**
 * Checks that what a route asks is not said among the options of an API, where it would be passed over and let everybody in.
 *
 * @param options The options.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireNoRequirements(options: object): void {
  const name = REQUIREMENTS.find((one) => (options as AccessTokenRequirements)[one] !== undefined);
  if (name === undefined) return;
  const why = "a route asks it: give it to protect() or validate(), or as requireBearer()'s second argument";
  refuse("invalid_option", name, why);
}

/**
 * Checks what a route asks. What is misspelt or empty would let everybody in, or nobody.
 *
 * @param requirements What the caller of the library gave.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function requireRequirements(requirements: AccessTokenRequirements): void {
  for (const name in requirements) {
    const list: unknown = requirements[name as keyof AccessTokenRequirements];
    if (list === undefined) continue;
    if (!(REQUIREMENTS as readonly string[]).includes(name)) {
      refuse("invalid_request", name, `there is only ${REQUIREMENTS.join(", ")}`);
    }
    const isWord = (word: unknown): boolean => typeof word === "string" && word !== "";
    if (!Array.isArray(list) || list.length === 0 || !list.every(isWord)) {
      refuse("invalid_request", name, "it must be an array of texts, and not empty: leave it out");
    }
  }
}

/** Which permission an app lacks. */
function lackOfApp(
  { roles: own, clientId }: ValidatedAccessToken,
  { scopes, userRoles, roles, allowedApps }: AccessTokenRequirements,
): AccessTokenErrorCode | undefined {
  if (own.length === 0 || (roles === undefined && (scopes ?? userRoles) !== undefined)) {
    return "access_token_scope_missing";
  }
  if (roles !== undefined && !roles.some((role) => own.includes(role))) return "access_token_role_missing";
  const isOwn = (app: string): boolean =>
    app === clientId || (clientId !== undefined && isGuid(clientId) && app.toLowerCase() === clientId);
  return allowedApps === undefined || allowedApps.some(isOwn) ? undefined : "access_token_actor_not_allowed";
}

/** Which permission a user's token lacks. */
function lackOfUser(
  { scopes: own, roles: assigned }: ValidatedAccessToken,
  { scopes, userRoles, roles }: AccessTokenRequirements,
): AccessTokenErrorCode | undefined {
  if (own.length === 0) return "access_token_scope_missing";
  if (roles !== undefined && (scopes ?? userRoles) === undefined) return "access_token_role_missing";
  if (scopes?.every((scope) => own.includes(scope)) === false) return "access_token_scope_missing";
  return userRoles?.some((role) => assigned.includes(role)) === false
    ? "access_token_role_missing"
    : undefined;
}

/** whether the client that asked understands claims challenges. */
function understandsChallenges({ xms_cc: capabilities }: Readonly<Record<string, unknown>>): boolean {
  const isCp1 = (one: unknown): boolean => typeof one === "string" && one.toLowerCase() === "cp1";
  return [capabilities].flat().some(isCp1);
}

/**
 * Checks that a caller may do what a route is for.
 *
 * @param caller The caller.
 * @param requirements What the route asks, checked by {@linkcode requireRequirements}.
 * @param correlationId The id of the call, if it has one.
 * @returns The caller.
 * @throws {AccessTokenError} with status 403; 401 with a claims challenge for callers that understand it.
 */
export function requireEnough(
  caller: ValidatedAccessToken,
  requirements: AccessTokenRequirements,
  correlationId: string | undefined,
): ValidatedAccessToken {
  const lack = caller.kind === "app" ? lackOfApp(caller, requirements) : lackOfUser(caller, requirements);
  if (lack !== undefined) {
    const { scopes } = requirements;
    refuseToken(lack, { status: 403, error: "insufficient_scope", ...(scopes && { scopes }) }, correlationId);
  }
  const satisfied = [caller.claims["acrs"]].flat();
  const value = requirements.acrs?.find((acr) => !satisfied.includes(acr));
  if (value === undefined) return caller;
  const error = "insufficient_claims";
  const details = understandsChallenges(caller.claims)
    ? {
      status: 401,
      error,
      claims: JSON.stringify({ access_token: { acrs: { essential: true, value } } }),
    } as const
    : { status: 403, error } as const;
  return refuseToken("access_token_claims_insufficient", details, correlationId);
}
