/**
 * What tokens of all kinds are put together from.
 *
 * @module
 */
import { base64url } from "jose";
import type { App, Resource, Tenant } from "./declared.ts";
import { guidOfHex } from "./guid.ts";
import type { SigningKey } from "./signing_keys.ts";

/** A JSON object. */
export type Json = Readonly<Record<string, unknown>>;

/** Entra dates tokens back, for the sake of slow clocks. */
export const BACKDATED_SECONDS = 300;

const encoder = new TextEncoder();

/** Random bytes, base64url. */
export function opaque(byteLength: number): string {
  return base64url.encode(crypto.getRandomValues(new Uint8Array(byteLength)));
}

/** A SHA-256 digest. */
export async function sha256(text: string): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(text)));
}

/** The object id of an app's service principal: always the same for one app in one tenant. */
export async function principalId(tenant: Tenant, app: App): Promise<string> {
  const digest = await sha256(`service principal:${tenant.id}:${app.clientId}`);
  const hex = [...digest.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
  return guidOfHex(hex);
}

/** The subject that one recipient knows an object by; no two recipients know the same one. */
export async function pairwiseSubject(
  tenantId: string,
  objectId: string,
  recipient: string,
): Promise<string> {
  return base64url.encode(await sha256(`subject:${tenantId}:${objectId}:${recipient}`));
}

/** The header of an access token. Version 1 tokens name their key twice, as `kid` and as `x5t`. */
export function accessTokenHeader(resource: Resource, { kid }: SigningKey): Json {
  const v1 = resource.accessTokenVersion === 1;
  return { typ: "JWT", alg: "RS256", ...(v1 ? { x5t: kid } : {}), kid };
}

/** The part of a token that is signed. */
export function signingInput(header: Json, claims: Json): string {
  return [header, claims].map((part) => base64url.encode(JSON.stringify(part))).join(".");
}

/** Signs with RS256, whatever the header says: a test may want a header that no library would write. */
export async function signCompact(header: Json, claims: Json, key: SigningKey): Promise<string> {
  const input = signingInput(header, claims);
  const signature = await crypto.subtle.sign("RSASSA-PKCS1-v1_5", key.privateKey, encoder.encode(input));
  return `${input}.${base64url.encode(new Uint8Array(signature))}`;
}
