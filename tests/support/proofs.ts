/**
 * Reads and verifies what binds a token to a key, by another library.
 *
 * @module
 */
import { calculateJwkThumbprint, decodeJwt, EmbeddedJWK, jwtVerify } from "jose";
import { assert, assertEquals } from "@std/assert";

/** A verified JWT. */
export interface Verified {
  readonly header: Readonly<Record<string, unknown>>;
  // deno-lint-ignore no-explicit-any
  readonly payload: Readonly<Record<string, any>>;
  /** The thumbprint of the key in it. */
  readonly thumbprint: string;
}

/** Verifies a DPoP proof by the key in its header, as RFC 9449 section 4.3 has it. */
export async function verifiedProof(proof: string | null | undefined): Promise<Verified> {
  const { payload, protectedHeader } = await jwtVerify(`${proof}`, EmbeddedJWK, { typ: "dpop+jwt" });
  const { jwk } = protectedHeader;
  assert(jwk !== undefined);
  const members = jwk.kty === "EC" ? ["crv", "kty", "x", "y"] : ["e", "kty", "n"];
  assertEquals(Object.keys(jwk).sort(), members);
  assertEquals(Object.keys(protectedHeader).sort(), ["alg", "jwk", "typ"]);
  return { header: { ...protectedHeader }, payload, thumbprint: await calculateJwkThumbprint(jwk) };
}

/** Verifies a signed HTTP request by the key in its payload. */
export async function verifiedRequest(authorization: string | null | undefined): Promise<Verified> {
  const [, shr = ""] = /^PoP ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(`${authorization}`) ?? [];
  // deno-lint-ignore no-explicit-any
  const { jwk } = decodeJwt<{ cnf: any }>(shr).cnf;
  assertEquals(Object.keys(jwk).sort(), ["e", "kty", "n"]);
  const key = await crypto.subtle.importKey(
    "jwk",
    jwk,
    { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" },
    false,
    ["verify"],
  );
  const { payload, protectedHeader } = await jwtVerify(shr, key, { algorithms: ["RS256"] });
  return { header: { ...protectedHeader }, payload, thumbprint: await calculateJwkThumbprint(jwk) };
}
