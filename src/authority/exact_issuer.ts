/**
 * Authorities whose issuer is their own URL: ADFS, dSTS, and any OpenID Connect issuer.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-oidce/f629647a-4825-465b-80bb-32c7e9cec2c8 | MS-OIDCE: access_token_issuer}
 */

import type { AuthorityRules } from "./issuer_rules.ts";
import type { ProviderEndpoints } from "./provider_metadata.ts";

/**
 * The rules of an authority whose issuer is its own URL.
 *
 * @param base The URL, without a slash at its end.
 * @param isHost Whether its endpoints may be on a host; anywhere where absent.
 * @param endpoints Its endpoints, where they follow.
 * @returns The rules. Access tokens are of `access_token_issuer` where the document has one, as that of ADFS does.
 */
export function exactIssuer(
  base: string,
  isHost: (host: string) => boolean = () => true,
  endpoints?: ProviderEndpoints,
): AuthorityRules {
  return {
    documentUrl: `${base}/.well-known/openid-configuration`,
    endpoints,
    isIssuer: (issuer) => issuer.replace(/\/$/, "") === base,
    isHost,
    issuerOf: (_claims, { issuer, accessTokenIssuer }, isAccessToken) =>
      isAccessToken ? accessTokenIssuer ?? issuer : issuer,
  };
}
