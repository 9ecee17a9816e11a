/**
 * What an access token tells the authority alone of the sign-in that it comes from.
 *
 * Entra ID writes such things into claims that nobody else can read; here they are only hard to read.
 *
 * @module
 */
import { base64url } from "jose";
import { type Json, opaque } from "./token_parts.ts";

/** How and when the user signed in. */
export interface Origin {
  /** Whether the user passed multi-factor authentication. */
  readonly mfa: boolean;
  /** When the user signed in, in seconds since the epoch. */
  readonly authTimeSeconds: number;
  /** The session, as ID tokens name it. */
  readonly sid: string;
}

/** The `aio` claim. */
export function originClaim({ mfa, authTimeSeconds, sid }: Origin): string {
  return base64url.encode(JSON.stringify([opaque(6), mfa, authTimeSeconds, sid]));
}

function parsed(aio: unknown): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(new TextDecoder().decode(base64url.decode(String(aio))));
    return Array.isArray(value) ? value : [];
  } catch {
    return [];
  }
}

/** What a token that this authority signed says of its origin; the weakest sign-in if it says nothing. */
export function originOf(claims: Json): Origin {
  const [, mfa, authTimeSeconds, sid] = parsed(claims["aio"]);
  return {
    mfa: mfa === true,
    authTimeSeconds: typeof authTimeSeconds === "number" ? authTimeSeconds : Number(claims["iat"] ?? 0),
    sid: typeof sid === "string" ? sid : crypto.randomUUID(),
  };
}
