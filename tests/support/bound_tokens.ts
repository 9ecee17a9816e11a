/**
 * Schemes, and an authority that binds tokens to them.
 *
 * @module
 */
import type { AuthScheme } from "../../mod.ts";
import { DpopAuthScheme, PopAuthScheme } from "../../src/proof_of_possession/mod.ts";
import type { RecordedRequest } from "./scripted_fetch.ts";

let dpop: Promise<DpopAuthScheme> | undefined;
let pop: Promise<PopAuthScheme> | undefined;

/** One key for many tests: an RSA key takes long to make. */
export function popScheme(): Promise<PopAuthScheme> {
  return pop ??= PopAuthScheme.generate();
}

/** One key for many tests. */
export function dpopScheme(): Promise<DpopAuthScheme> {
  return dpop ??= DpopAuthScheme.generate();
}

/** A scheme without a key: as quick as a test of the cache needs it. */
export function plainScheme(name: string, over: Partial<AuthScheme> = {}): AuthScheme {
  const keyId = name.padEnd(43, "0");
  return {
    tokenType: "DPoP",
    keyId,
    tokenRequest: ({ nonce = "" }) => ({ headers: { dpop: `${keyId} ${nonce}`.trim() } }),
    apiHeaders: ({ accessToken }) => Promise.resolve({ authorization: `DPoP ${accessToken}`, dpop: keyId }),
    ...over,
  };
}

/** What a request says of itself: a token type, or nothing. */
export function typeAsked({ headers, form }: RecordedRequest): string {
  return headers.has("dpop") ? "DPoP" : form.get("token_type") ?? "Bearer";
}

/** Answers every token request with a token of the type that it asks for, named by its number. */
export function bindingReply(): (request: RecordedRequest) => Response {
  let count = 0;
  return (request) =>
    Response.json({ token_type: typeAsked(request), expires_in: 3600, access_token: `AT ${++count}` });
}
