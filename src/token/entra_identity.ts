/**
 * Who a user is, by claims that were validated, and by `client_info`.
 *
 * @module
 */

import { type Authority, isEntra } from "../authority/authority.ts";
import { isGuid } from "../authority/tenant.ts";
import { decodeJsonPart } from "../jwt/compact.ts";
import type { IdTokenClaims } from "../request/id_token_claims.ts";
import { idTokenFail } from "./id_token.ts";

/** A user at home, as `client_info` tells of them. */
export interface ClientInfo {
  /** The object id in the home tenant, a GUID; with the policy behind it at Azure AD B2C. */
  readonly uid: string;
  /** The home tenant, a GUID. */
  readonly utid: string;
}

/**
 * Reads `client_info`.
 *
 * @param text The member of the token endpoint's answer: base64url of JSON.
 * @param policy The policy at Azure AD B2C, which follows the user's id there: each policy has users of its own.
 * @returns The user at home, or `undefined` for anything else.
 */
export function readClientInfo(text: unknown, policy?: string): ClientInfo | undefined {
  const { uid, utid } = (typeof text === "string" && text.length < 1024 && decodeJsonPart(text)) || {};
  const id = typeof uid === "string" && policy ? uid.replace(new RegExp(`-${policy}$`, "i"), "") : uid;
  const sound = [id, utid].every((one) => typeof one === "string" && isGuid(one.toLowerCase()));
  return sound ? { uid: policy && id === uid ? `${uid}-${policy}` : uid, utid } as ClientInfo : undefined;
}

/**
 * The key of a user in all tenants.
 *
 * @param authority Who issued the token.
 * @param claims Its claims, validated.
 * @param clientInfo The answer's `client_info`, whatever it is.
 * @param correlationId The call's correlation id.
 * @returns `<uid>.<utid>` at Entra, `<iss>#<sub>` where nothing says `client_info`.
 * @throws {ClientAuthError} `client_info_mismatch` where it names another user than the token, or nobody.
 */
export function homeAccountIdOf(
  authority: Authority,
  claims: IdTokenClaims,
  clientInfo: unknown,
  correlationId: string,
): string {
  const { iss, sub, tid, oid } = claims;
  if (authority.policy) return b2cAccountId(authority.policy, claims, clientInfo, correlationId);
  if (!isEntra(authority) || clientInfo === undefined) return `${iss}#${sub}`;
  const { uid, utid } = readClientInfo(clientInfo) ?? idTokenFail(correlationId)("client_info_mismatch");
  // In a tenant that is not their home, a guest has an object id of its own.
  const atHome = utid.toLowerCase() === tid?.toLowerCase();
  if (atHome && oid !== undefined && oid.toLowerCase() !== uid.toLowerCase()) {
    idTokenFail(correlationId)("client_info_mismatch");
  }
  return `${uid}.${utid}`;
}

/** A policy's token names its user in `oid`, in `sub`, or in both; its `client_info` may name the policy alone. */
function b2cAccountId(
  policy: string,
  { iss, sub, oid }: IdTokenClaims,
  clientInfo: unknown,
  correlationId: string,
): string {
  const fail = idTokenFail(correlationId);
  const [id] = [oid, sub].filter((one) => typeof one === "string" && isGuid(one.toLowerCase()));
  // What the policy puts there for everybody, where it is not set to tell.
  if (id === undefined && /^not supported/i.test(sub)) fail("id_token_subject_invalid");
  const info = readClientInfo(clientInfo, policy);
  if (id === undefined || info === undefined) {
    // The form of issuer that names the policy, whatever the policy is set to.
    return `${iss.replace(/^(https:..[^/]+)\/(?!tfp\/)([^/]+)/, `$1/tfp/$2/${policy}`)}#${id ?? sub}`;
  }
  const { uid, utid } = info;
  const names = [oid, sub].map((one) => `${one}`.toLowerCase());
  const isOwn = names.includes(uid.slice(0, 36).toLowerCase()) && iss.includes(utid.toLowerCase());
  return isOwn ? `${uid}.${utid}` : fail("client_info_mismatch");
}

/**
 * Tells whether a user's address is proven to be theirs. Even then know users by `tid` and `oid`, or `iss` and `sub`.
 *
 * @param claims The claims of a validated ID token.
 * @returns `true` where `xms_edov` or `email_verified` says so.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/migrate-off-email-claim-authorization | Migrate away from e-mail claims}
 */
export function isEmailVerified(claims: IdTokenClaims): boolean {
  const { email, xms_edov: verifiedDomain, email_verified: verified } = claims;
  return typeof email === "string" &&
    (verified === true || [true, 1, "1"].includes(verifiedDomain as string));
}

/**
 * Tells whether a user is in more groups than the token has room for. A check of groups must fail then, or ask Graph.
 *
 * @param claims The claims of a validated ID token.
 * @returns `true` where `groups` is not, or not all, in the token.
 */
export function isGroupOverage(claims: IdTokenClaims): boolean {
  const { hasgroups: hasGroups, _claim_names: names } = claims;
  return hasGroups === true || hasGroups === "true" || Object.hasOwn(Object(names), "groups");
}
