/**
 * Validates logout tokens: OpenID Connect Back-Channel Logout 1.0 section 2.6.
 *
 * @module
 */

import { isEntra } from "../authority/authority.ts";
import { TEMPLATE } from "../authority/provider_document.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { isGuid } from "../authority/tenant.ts";
import type { Engine } from "../client/engine.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { parseCompact } from "../jwt/compact.ts";
import type { VerificationKey } from "../jwt/key_set.ts";
import { verifySignature } from "../jwt/verify.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { checkTimes, type IdTokenFail, LOGOUT_EVENT } from "../token/id_token_checks.ts";
import type { EndedElsewhere } from "./sessions.ts";

/** What a logout token says. */
export interface LogoutNotice extends EndedElsewhere {
  /** The token's own name: it counts once. */
  readonly id: string;
  /** When it ends, in seconds since the epoch. */
  readonly expiresAt: number;
}

const TOLERANCE_SECONDS = 120;
/** What older issuers write, or leave out. */
const TYPES = [undefined, "jwt", "logout+jwt", "application/logout+jwt"];

function isText(value: unknown): value is string {
  return typeof value === "string" && /^[^\p{Cc}]{1,512}$/u.test(value);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return Object(value) === value && !Array.isArray(value);
}

/** Whether a token is of the authority, and its key may sign for it; Entra's metadata of many tenants has a place for one. */
function isIssuer(iss: unknown, { issuer }: IssuerMetadata, key: VerificationKey): boolean {
  if (typeof iss !== "string") return false;
  const [before = "", after] = issuer.split(TEMPLATE);
  const tenant = after === undefined ? "" : iss.slice(before.length, iss.length - after.length);
  const isOurs = after === undefined ? iss === issuer : iss === before + tenant + after && isGuid(tenant);
  const [keyBefore = "", keyAfter] = (key.issuer ?? iss).split(TEMPLATE);
  return isOurs &&
    (keyAfter === undefined ? keyBefore === iss : iss.startsWith(keyBefore) && iss.endsWith(keyAfter));
}

/**
 * Validates a logout token: signature, issuer, audience, times, and that it is no other kind of token.
 *
 * @param engine The application's parts.
 * @param text The token, whatever it is.
 * @param waitUntil Keeps work alive after the call.
 * @returns What it says.
 * @throws {ClientAuthError} `invalid_auth_response` for a token that is refused; nothing of it is in the message.
 * @throws {NetworkError} where keys cannot be had.
 */
export async function readLogoutToken(
  engine: Engine,
  text: string,
  waitUntil: WaitUntil | "detached" | undefined,
): Promise<LogoutNotice> {
  const { configuration: { authority, clientId, clock, clockToleranceSeconds }, jwks, metadata } = engine;
  const correlationId = crypto.randomUUID();
  const fail = (why: string): never => {
    throw new ClientAuthError(
      "invalid_auth_response",
      `Cannot accept the logout token: ${why}`,
      correlationId,
    );
  };
  const failToken: IdTokenFail = (code) => fail(code.replace("id_token_", "").replaceAll("_", " "));
  const failJwt = (fault: string): never => fail(fault.replaceAll("_", " "));
  const issuer = await metadata.issuer(authority.tenant, correlationId, waitUntil);
  const token = parseCompact(text, failJwt);
  const { claims, typ } = token;
  if (!TYPES.includes(typeof typ === "string" ? typ.toLowerCase() : typ as undefined)) fail("type");
  const key = await verifySignature(token, issuer, jwks, correlationId, waitUntil, failJwt);
  if (!isIssuer(claims["iss"], issuer, key)) fail("issuer mismatch");
  checkTimes(claims, clock.now() / 1000, clockToleranceSeconds ?? TOLERANCE_SECONDS, failToken);
  const { aud, iss, exp, jti, sid, sub, nonce, events } = claims;
  const own = isEntra(authority) ? clientId.toLowerCase() : clientId;
  const audiences: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
  if (!audiences.some((one) => (isEntra(authority) ? `${one}`.toLowerCase() : one) === own)) {
    fail("audience mismatch");
  }
  // An ID token is no logout token, whatever else is in it.
  if (nonce !== undefined || !isObject(events) || !isObject(events[LOGOUT_EVENT])) fail("no logout event");
  if (
    !isText(jti) || ![sid, sub].every((one) => one === undefined || isText(one)) || (sid ?? sub) === undefined
  ) {
    return fail("no jti, or neither sid nor sub");
  }
  const optional = { sid: sid as string | undefined, subject: sub as string | undefined };
  return { id: jti, expiresAt: exp as number, issuer: iss as string, ...optional };
}
