/**
 * An assertion as it was presented, and what is refused of assertions of both kinds.
 *
 * @module
 */
import {
  compactVerify,
  type CryptoKey,
  decodeJwt,
  decodeProtectedHeader,
  errors,
  type JWTPayload,
  type ProtectedHeaderParameters,
} from "jose";
import { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";

/** An assertion that was read, and not yet verified. */
export interface PresentedAssertion {
  readonly text: string;
  readonly header: ProtectedHeaderParameters;
  readonly claims: JWTPayload;
}

/** How far clocks may differ, in seconds. */
const TOLERANCE_SECONDS = 300;
/** The last second that `Date` can write with four digits of the year. */
const MAX_SECONDS = 253_402_300_799;

/** Refuses the client. */
export function invalidClient(code: number, text: string): EntraError {
  return new EntraError(401, "invalid_client", code, text);
}

/** A claim that has to be there. */
export function missingClaim(name: string): EntraError {
  const text = `The required field '${name}' is missing from the credential. Ensure that you have all the ` +
    "necessary parameters for the login request.";
  return new EntraError(400, "invalid_request", 90014, text);
}

function malformed(): EntraError {
  return new EntraError(400, "invalid_request", 50027, "JWT token is invalid or malformed.");
}

/** Reads an assertion. Throws AADSTS50027. */
export function presentedAssertion(text: string): PresentedAssertion {
  try {
    const header = decodeProtectedHeader(text);
    // Nothing that a header could call critical is understood here.
    if (header.crit === undefined) return { text, header, claims: decodeJwt(text) };
  } catch {
    throw malformed();
  }
  throw malformed();
}

/** Only the algorithms that are named may sign. Throws AADSTS5002738. */
export function requireAlgorithm(
  { header: { alg } }: PresentedAssertion,
  supported: readonly string[],
): void {
  if (supported.includes(alg ?? "none")) return;
  const text =
    `Invalid JWT token. '${alg ?? "none"}' is not a supported signature algorithm. Supported signing ` +
    `algorithms are: '${supported.join(",")}'`;
  throw invalidClient(5002738, text);
}

/** Whether a key made the signature. Throws AADSTS50027 for what is no JWS of today. */
export async function isSignedBy(presented: PresentedAssertion, key: CryptoKey): Promise<boolean> {
  try {
    await compactVerify(presented.text, key, { algorithms: [presented.header.alg ?? ""] });
    return true;
  } catch (cause) {
    // A key that is too short, or is for something else, is a `TypeError` and verifies nothing.
    if (cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof TypeError) return false;
    throw malformed();
  }
}

function secondsOf(value: unknown): number {
  if (value === undefined) return 0;
  if (typeof value === "number" && Math.abs(value) <= MAX_SECONDS) return value;
  throw malformed();
}

function written(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace("Z", "0000Z");
}

/** Entra counts a time that is not there as the beginning of the epoch. Throws AADSTS700024. */
export function requireLive({ services }: Exchange, { claims }: PresentedAssertion): void {
  const nowSeconds = services.clock.now() / 1000;
  const [notBefore, expires] = [secondsOf(claims.nbf), secondsOf(claims.exp)];
  if (nowSeconds >= notBefore - TOLERANCE_SECONDS && nowSeconds < expires + TOLERANCE_SECONDS) return;
  const text = `Client assertion is not within its valid time range. Current time: ${written(nowSeconds)}, ` +
    `assertion valid from ${written(notBefore)}, expiry time of assertion ${written(expires)}. Review the ` +
    "documentation at https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
  throw invalidClient(700024, text);
}
