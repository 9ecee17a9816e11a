/**
 * Authorities of every kind, and what became of asking for their documents.
 *
 * @module
 */
import { isAuthError } from "../../mod.ts";
import { type AnyAuthorityOptions, parseAnyAuthority } from "../../src/authority/any_authority.ts";
import type { Authority } from "../../src/authority/authority.ts";
import type { IssuerMetadata } from "../../src/authority/provider_metadata.ts";
import { CORRELATION, tokenFixture } from "./id_tokens.ts";
import { jsonResponse } from "./scripted_fetch.ts";

/** The hosts that the application vouches for. */
export const KNOWN: readonly string[] = ["login.contoso.com", "adfs.contoso.com", "idp.contoso.com:8443"];
export const WELL_KNOWN = "/.well-known/openid-configuration";
export const B2C = "https://contoso.b2clogin.com";
export const CIAM = "https://contoso.ciamlogin.com";
export const ADFS = "https://adfs.contoso.com/adfs";
/** A B2C policy. */
export const POLICY: string = `${B2C}/contoso.onmicrosoft.com/b2c_1_susi`;

/** What became of an authority. */
export interface Outcome {
  /** The code of the refusal, or `accepted`. */
  readonly code: string;
  readonly option?: string | undefined;
  readonly authority?: Authority;
  readonly issuer?: IssuerMetadata;
  readonly urls: readonly string[];
}

/** Parses the options, and discovers what can be discovered; tells which requests left. */
export async function outcomeOf(
  options: AnyAuthorityOptions,
  document: unknown = {},
  insecureLoopback = false,
): Promise<Outcome> {
  let urls: readonly string[] = [];
  try {
    const authority = parseAnyAuthority(options, insecureLoopback);
    const one = tokenFixture(authority, () => jsonResponse(document), { insecureLoopback });
    urls = one.requests.map(({ url }) => url);
    const call = Promise.resolve(one.metadata.issuer(authority.tenant, CORRELATION, undefined));
    const issuer = await call.finally(() => urls = one.requests.map(({ url }) => url));
    return { code: "accepted", authority, issuer, urls };
  } catch (error) {
    if (!isAuthError(error)) throw error;
    return { code: error.code, option: (error as { option?: string }).option, urls };
  }
}
