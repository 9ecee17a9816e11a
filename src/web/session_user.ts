/**
 * The user of a session, as the validated ID token names them.
 *
 * @module
 */

import { GUID } from "../authority/tenant.ts";
import { ClientAuthError } from "../errors/errors.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { SessionUser } from "./user_auth.ts";

const TENANT = /* @__PURE__ */ new RegExp(`^${GUID}$`, "i");

function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/**
 * Who has signed in.
 *
 * @param result What a sign-in gave.
 * @param names Claims to keep.
 * @returns The user; nothing of the tokens.
 */
export function sessionUserOf(
  { account, idTokenClaims: claims, correlationId }: AuthenticationResult,
  names: readonly string[],
): SessionUser {
  if (account === null || claims === undefined) {
    throw new ClientAuthError(
      "id_token_missing",
      "Cannot begin a session: nobody knows whose it is",
      correlationId,
    );
  }
  const { homeAccountId, localAccountId, username } = account;
  const { iss, sub, tid, name, auth_time: authTime } = claims;
  const optional = {
    name: textOf(name),
    sid: textOf(claims["sid"]),
    loginHint: textOf(claims["login_hint"]),
    authTime: typeof authTime === "number" ? authTime : undefined,
  };
  const kept = names.filter((one) => Object.hasOwn(claims, one)).map((one) => [one, claims[one]]);
  return {
    homeAccountId,
    tenantId: typeof tid === "string" && TENANT.test(tid) ? tid.toLowerCase() : "",
    localAccountId,
    issuer: iss,
    subject: sub,
    username,
    ...Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined)),
    claims: Object.fromEntries(kept),
  };
}
