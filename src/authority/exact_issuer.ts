/**
 * Authorities whose issuer is their own URL: ADFS, and any OpenID Connect issuer.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/openspecs/windows_protocols/ms-oidce/f629647a-4825-465b-80bb-32c7e9cec2c8 | MS-OIDCE: access_token_issuer}
 */

import type { AuthorityRules } from "./issuer_rules.ts";

/**
 * The rules of an authority whose issuer is its own URL.
 *
 * @param base The URL, without a slash at its end.
 * @param hosts Where its endpoints may be; anywhere where absent.
 * @returns The rules. Access tokens are of `access_token_issuer` where the document has one, as that of ADFS does.
 */
export function exactIssuer(base: string, hosts?: readonly string[]): AuthorityRules {
  return {
    documentUrl: `${base}/.well-known/openid-configuration`,
    isIssuer: (issuer) => issuer.replace(/\/$/, "") === base,
    isHost: (host) => hosts === undefined || hosts.includes(host),
    issuerOf: (_claims, { issuer, accessTokenIssuer }, isAccessToken) =>
      isAccessToken ? accessTokenIssuer ?? issuer : issuer,
  };
}
