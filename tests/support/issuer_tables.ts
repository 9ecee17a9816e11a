/**
 * Tables of tokens' issuers: each row is tried as an ID token and as an access token.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { type AnyAuthorityOptions, parseAnyAuthority } from "../../src/authority/any_authority.ts";
import type { Authority } from "../../src/authority/authority.ts";
import type { IssuerMetadata } from "../../src/authority/provider_metadata.ts";
import type { VerificationKey } from "../../src/jwt/key_set.ts";
import type { IssuerFail } from "../../src/authority/issuer_rules.ts";
import { checkIssuer, checkKeyIssuer } from "../../src/token/id_token_issuer.ts";
import { KNOWN } from "./any_authorities.ts";
import { CORRELATION, OID, tokenFixture } from "./id_tokens.ts";
import type { Document } from "./microsoft_documents.ts";
import { jsonResponse } from "./scripted_fetch.ts";
import { test } from "./suite.ts";

export type Claims = Readonly<Record<string, unknown>>;

/** An authority and what it says of itself, derived or discovered. */
export interface Scene {
  readonly options: AnyAuthorityOptions;
  readonly document?: Document;
}

/** A public key that says nothing of its issuer, and what a test lays over it. */
export const KEY: VerificationKey = {
  kid: "k",
  kind: "RSA",
  alg: undefined,
  issuer: undefined,
  cloudInstanceName: undefined,
  jwk: {},
  verifiers: new Map(),
};

/** Reads an authority and what it says of itself. */
export async function metadataOf(
  { options, document }: Scene,
): Promise<{ authority: Authority; issuer: IssuerMetadata }> {
  const authority = parseAnyAuthority({ knownAuthorities: KNOWN, ...options }, false);
  const one = tokenFixture(authority, () => jsonResponse(document));
  const issuer: IssuerMetadata = await one.metadata.issuer(authority.tenant, CORRELATION, undefined);
  return { authority, issuer };
}

/** What becomes of a token's claims: a fault, or `accepted`. */
export async function verdict(
  scene: Scene,
  claims: Claims,
  key: Partial<VerificationKey> = {},
  isAccessToken = false,
): Promise<string> {
  const { authority, issuer } = await metadataOf(scene);
  const expected = { issuer, tenant: authority.tenant, isAccessToken };
  try {
    const fail: IssuerFail = (fault) => {
      throw new Error(fault);
    };
    checkKeyIssuer({ ...KEY, ...key }, claims, checkIssuer(claims, authority, expected, fail), issuer, fail);
    return "accepted";
  } catch (error) {
    assert(error instanceof Error && /^[a-z_]+$/.test(error.message), String(error));
    return error.message;
  }
}

/** What is tried, what becomes of it, the claims, and what the key says. */
export type Row = readonly [what: string, verdict: string, claims: Claims, key?: Partial<VerificationKey>];

/** Runs a table for both kinds of token. */
export function table(name: string, scene: Scene, rows: readonly Row[]): void {
  for (const [what, expected, claims, key] of rows) {
    test(`${what}: ${expected}: ${name}`, async () => {
      assertEquals(await verdict(scene, claims, key, false), expected, "ID token");
      assertEquals(await verdict(scene, claims, key, true), expected, "access token");
    });
  }
}

/** An issuer of version 2. */
export const ISSUER = (tenant: string, host = "login.microsoftonline.com"): string =>
  `https://${host}/${tenant}/v2.0`;
/** An issuer of version 1. */
export const STS = (tenant: string, host = "sts.windows.net"): string => `https://${host}/${tenant}/`;

/** Claims of version 2. */
export const v2 = (tid: unknown, iss: unknown = ISSUER(tid as string)): Claims => ({
  ver: "2.0",
  tid,
  iss,
  oid: OID,
});
/** Claims of version 1. */
export const v1 = (tid: unknown, iss: unknown = STS(tid as string)): Claims => ({
  ver: "1.0",
  tid,
  iss,
  oid: OID,
});
