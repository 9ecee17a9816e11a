/**
 * Reads what an authority says of a token: RFC 7662 section 2.2, and signed RFC 9701 section 5.
 *
 * @module
 */

import type { Engine } from "../client/engine.ts";
import { parseCompact } from "../jwt/compact.ts";
import { verifySignature } from "../jwt/verify.ts";
import type { Operation } from "./operation.ts";

/** A JSON object. */
type Json = Readonly<Record<string, unknown>>;

/** Section 4 of RFC 9701: what the keys of an authority sign with, and nothing symmetric. */
const ALGORITHMS = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519".split(" ");
const TYPE = /^(?:application\/)?token-introspection\+jwt$/i;
/** A signed answer was made for this question: it is not older than this. */
const MAX_AGE_SECONDS = 300;
const DEFAULT_TOLERANCE_SECONDS = 120;
const TEXTS = ["scope", "client_id", "username", "token_type", "sub", "iss", "jti"];
const TIMES = ["exp", "iat", "nbf"];

const isTime = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);

/** How far clocks may be apart, and the time. */
function timesOf({ configuration: { clock, clockToleranceSeconds } }: Engine): { now: number; skew: number } {
  return { now: clock.now() / 1_000, skew: clockToleranceSeconds ?? DEFAULT_TOLERANCE_SECONDS };
}

/**
 * Opens a signed answer: it must be an answer, to us, of this authority, just made.
 *
 * @param text The JWT.
 * @param operation The call.
 * @returns Its `token_introspection`.
 */
export async function openSigned(text: string, operation: Operation): Promise<Json> {
  const { engine, correlationId, waitUntil, unusable } = operation;
  const { clientId, authority } = engine.configuration;
  const fail = (why: string): never => {
    throw unusable(`its JWT: ${why}`);
  };
  const token = parseCompact(text.trim(), fail);
  const { claims, typ } = token;
  const { iss, aud, iat, exp = Infinity, token_introspection: said } = claims;
  if (typeof typ !== "string" || !TYPE.test(typ)) fail("it is of another type");
  const issuer = await engine.metadata.issuer(authority.tenant, correlationId, waitUntil);
  if (iss !== issuer.issuer) fail("it is of another issuer");
  if (!(Array.isArray(aud) ? aud : [aud]).includes(clientId)) fail("it is for another client");
  const { now, skew } = timesOf(engine);
  if (!isTime(iat) || iat - skew > now || iat + MAX_AGE_SECONDS + skew < now) return fail("it is not of now");
  if (typeof exp !== "number" || !(exp + skew > now)) fail("it has expired");
  if (Object(said) !== said || Array.isArray(said)) fail("token_introspection is missing");
  const trusted = { jwksUri: issuer.jwksUri, algorithms: ALGORITHMS };
  await verifySignature(token, trusted, engine.jwks, correlationId, waitUntil, fail);
  return said as Json;
}

/**
 * Reads an answer.
 *
 * @param json The answer.
 * @param operation The call.
 * @returns The claims of a token that counts now; `undefined` for any other.
 */
export async function readIntrospection(json: Json, operation: Operation): Promise<Json | undefined> {
  const { engine, correlationId, waitUntil, unusable } = operation;
  // true, and nothing that looks like it.
  if (typeof json["active"] !== "boolean") throw unusable("active is missing");
  if (!json["active"]) return undefined;
  const wrong = TEXTS.find((name) => json[name] !== undefined && typeof json[name] !== "string") ??
    TIMES.find((name) => json[name] !== undefined && !isTime(json[name]));
  if (wrong !== undefined) throw unusable(`${wrong} is of the wrong type`);
  const { iss, exp = Infinity, nbf = 0 } = json as { iss?: string; exp?: number; nbf?: number };
  if (iss !== undefined) {
    const { tenant } = engine.configuration.authority;
    const { issuer } = await engine.metadata.issuer(tenant, correlationId, waitUntil);
    if (iss !== issuer) throw unusable("the token is of another issuer");
  }
  const { now, skew } = timesOf(engine);
  return exp + skew > now && nbf - skew <= now ? json : undefined;
}
