/**
 * Who calls, by the claims of a token that was validated.
 *
 * @module
 */

import type { JsonObject } from "../jwt/compact.ts";
import type { AccessTokenClaims, ValidatedAccessToken } from "./validated_token.ts";

/** The members of a caller that depend on the issuer's dialect. */
type Caller = Pick<ValidatedAccessToken, "kind" | "scopes" | "roles" | "tenantId" | "callerId" | "clientId">;

function text(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** The words of a text. Of anything but a text there are none: a list would make part of a word look like a whole one. */
function words(value: unknown): readonly string[] {
  return typeof value === "string" ? value.split(" ").filter((word) => word !== "") : [];
}

/** the items of a list of texts; none of anything else. */
function list(value: unknown): readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string") ? value : [];
}

/** Microsoft's access tokens, of both versions. */
function entraCaller(claims: JsonObject): Caller {
  const { idtyp, azp, appid, oid, sub, tid, tfp, acr, scp, roles } = claims;
  const scopes = words(scp);
  // At B2C a user's subject is their object, too, and a token for the client itself has no scp.
  const isB2c = tfp !== undefined || (typeof acr === "string" && /^b2c_/i.test(acr));
  // without the optional claim an app's token is known by its object, which is its subject, and by having no scp.
  const isApp = idtyp === "app" ||
    (!isB2c && idtyp === undefined && scp === undefined && oid !== undefined && oid === sub);
  return {
    kind: isApp ? "app" : "delegated",
    scopes: isApp ? [] : scopes,
    roles: list(roles),
    tenantId: text(tid)?.toLowerCase(),
    callerId: text(oid)?.toLowerCase() ?? text(sub)!,
    clientId: text(azp) ?? text(appid),
  };
}

/** Other issuers', RFC 9068: there an app's permissions are scopes, too, and count as its roles. */
function genericCaller({ idtyp, client_id: client, azp, sub, scope, scp, roles }: JsonObject): Caller {
  const scopes = scope === undefined && Array.isArray(scp) ? list(scp) : words(scope ?? scp);
  const clientId = text(client) ?? text(azp);
  const isApp = idtyp === "app" || (idtyp === undefined && sub === clientId);
  return {
    kind: isApp ? "app" : "delegated",
    scopes: isApp ? [] : scopes,
    roles: isApp ? [...list(roles), ...scopes] : list(roles),
    callerId: text(sub)!,
    clientId,
  };
}

/**
 * Tells who calls.
 *
 * @param claims The claims, validated and frozen.
 * @param isMicrosoft Whether they are in Microsoft's dialect.
 * @returns The caller, frozen.
 */
export function callerOf(claims: JsonObject, isMicrosoft: boolean): ValidatedAccessToken {
  const { kind, scopes, roles, tenantId, callerId, clientId } = isMicrosoft
    ? entraCaller(claims)
    : genericCaller(claims);
  const { exp } = claims as AccessTokenClaims;
  return Object.freeze({
    kind,
    claims: claims as AccessTokenClaims,
    scopes: Object.freeze(scopes),
    roles: Object.freeze(roles),
    tenantId,
    callerId,
    clientId,
    // Made anew each time: a date can be changed, and others get the same object.
    get expiresOn(): Date {
      return new Date(exp * 1000);
    },
  });
}
