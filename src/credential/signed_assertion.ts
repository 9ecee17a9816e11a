/**
 * The assertion that the library makes of who a client is, RFC 7523 section 3: what is in it, and how it is signed.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import type { Thumbprints } from "./certificate.ts";
import type { AssertionAlgorithm, CredentialContext } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";

const LIFETIME_SECONDS = 600;
/** Where each request has one of its own: some authorities take none that lives for longer than five minutes. */
const SINGLE_USE_SECONDS = 60;

/**
 * Chooses how to sign.
 *
 * @param algorithms What the key signs by, the best one first.
 * @param asked What the application asks for, if anything.
 * @param sha1 Whether the application names the certificate by SHA-1 alone, which goes with `RS256`.
 * @param context The request.
 * @throws {ClientConfigurationError} `invalid_client_credential` where the key cannot sign as the authority wants it.
 */
export function chooseAlgorithm(
  algorithms: readonly AssertionAlgorithm[],
  asked: AssertionAlgorithm | undefined,
  sha1: boolean,
  { authorityType, signingAlgorithms }: CredentialContext,
): AssertionAlgorithm {
  let wanted: readonly string[] = sha1 ? ["RS256", "PS256"] : ["PS256", "RS256"];
  if (authorityType === "adfs") wanted = ["RS256"];
  if (authorityType === "oidc") wanted = signingAlgorithms ?? algorithms;
  if (asked !== undefined) wanted = [asked];
  // An issuer lists what it takes in any order; Entra takes both.
  const [one, other] = algorithms.filter((algorithm) => wanted.includes(algorithm));
  if (one === undefined) {
    failCredential(`its key is for ${algorithms}, which the authority does not take: give another key`);
  }
  return other !== undefined && authorityType !== "oidc" ? wanted[0] as AssertionAlgorithm : one;
}

/** What goes into an assertion. */
export interface AssertionParts {
  /** How it is signed. */
  readonly algorithm: AssertionAlgorithm;
  /** The key's id, if it is to be named. */
  readonly keyId: string | undefined;
  /** The thumbprints that are known. */
  readonly thumbprints: Thumbprints;
  /** The certificates, if they are to be sent. */
  readonly chain: readonly string[] | undefined;
  /** The application's own claims, checked. */
  readonly clientClaims: string;
  /** The time. */
  readonly nowMs: number;
}

function encode(value: unknown): string {
  return encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
}

/**
 * Writes an assertion, up to its signature.
 *
 * @param parts What goes into it.
 * @param context The request.
 * @returns What to sign.
 */
export function unsignedAssertion(
  { algorithm: alg, keyId: kid, thumbprints: { x5t, x5tS256 }, chain: x5c, clientClaims, nowMs }:
    AssertionParts,
  { authorityType, clientId, tokenEndpoint: aud }: CredentialContext,
): string {
  const sha1 = alg === "RS256" ? x5t !== undefined : x5tS256 === undefined;
  const named = sha1 ? { x5t } : { "x5t#S256": x5tS256 };
  const iat = Math.floor(nowMs / 1000);
  const exp = iat + (authorityType === "oidc" ? SINGLE_USE_SECONDS : LIFETIME_SECONDS);
  const own = { aud, iss: clientId, sub: clientId, jti: crypto.randomUUID(), iat, nbf: iat, exp };
  // Ours last: they were refused before, and win in any case.
  return `${encode({ alg, typ: "JWT", kid, ...named, x5c })}.${
    encode({ ...JSON.parse(clientClaims), ...own })
  }`;
}
