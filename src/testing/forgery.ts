/**
 * Signs tokens, also such as nobody should accept.
 *
 * @module
 */
import { base64url } from "jose";
import type { App } from "./declared.ts";
import type { IdTokenSignature } from "./faults.ts";
import { makeSigningKey, type SigningKey } from "./signing_keys.ts";
import { type Json, signCompact, signingInput } from "./token_parts.ts";

/** What is wrong with a header and a signature. */
export interface Forgery {
  /** Members of the header that are added, or replaced; `undefined` removes one. */
  readonly header?: Json;
  /** How it is signed; properly if absent. */
  readonly signature?: IdTokenSignature;
}

/** Flips bits of a signature. */
function broken(token: string): string {
  const dot = token.lastIndexOf(".") + 1;
  const signature = base64url.decode(token.slice(dot));
  signature[0] = (signature[0] ?? 0) ^ 0x5a;
  return token.slice(0, dot) + base64url.encode(signature);
}

/** Signs with HMAC: with the client's secret, or with the public key if it has none. */
async function hmacSigned(header: Json, claims: Json, app: App, key: SigningKey): Promise<string> {
  const secret = app.secrets[0]?.value ?? JSON.stringify({ kty: "RSA", n: key.n, e: key.e });
  const input = signingInput(header, claims);
  const encoder = new TextEncoder();
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const hmacKey = await crypto.subtle.importKey("raw", encoder.encode(secret), algorithm, false, ["sign"]);
  const signature = await crypto.subtle.sign("HMAC", hmacKey, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}

/** Signs, as wrongly as is asked for. */
export async function signForged(
  properHeader: Json,
  claims: Json,
  app: App,
  key: SigningKey,
  { header: replaced, signature }: Forgery,
): Promise<string> {
  const alg = signature === "none" ? { alg: "none" } : signature === "hs256" ? { alg: "HS256" } : {};
  const header = { ...properHeader, ...alg, ...replaced };
  switch (signature) {
    case "none":
      return `${signingInput(header, claims)}.`;
    case "hs256":
      return await hmacSigned(header, claims, app, key);
    case "foreign_key":
      return await signCompact(header, claims, await makeSigningKey());
    case "broken":
      return broken(await signCompact(header, claims, key));
    default:
      return await signCompact(header, claims, key);
  }
}
