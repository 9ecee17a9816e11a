/**
 * The forms of the grants that users take part in: code, refresh token, device code.
 *
 * @module
 */

import { joinScopes } from "../request/scopes.ts";

/** What every form of a user's grant has. */
export interface UserForm {
  /** The application's client id. */
  readonly clientId: string;
  /** The merged `claims`, as JSON text. */
  readonly claims: string | undefined;
  /** The scopes, those of the sign-in included; none where the grant has them from before. */
  readonly scopes: readonly string[];
  /** Whether the authority is Entra's, which takes `client_info`. */
  readonly isEntra: boolean;
  /** Members of the application's own. */
  readonly extra?: Readonly<Record<string, string>> | undefined;
}

/** The grant type of RFC 8628 section 3.4, also MSAL's name for where such an account comes from. */
export const DEVICE_CODE_GRANT = "urn:ietf:params:oauth:grant-type:device_code";

/** The grant type of RFC 7523 section 2.1, by which an API acts on behalf of its caller. */
export const ON_BEHALF_OF_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";

/**
 * Makes a form, without the credential.
 *
 * @param form What every form has.
 * @param grant The grant's own members, `grant_type` among them; none for a device sign-in that begins.
 * @returns The form; empty members are left out.
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-4.1.3 | RFC 6749 section 4.1.3}
 */
export function buildUserForm(
  { clientId, claims, scopes, isEntra, extra }: UserForm,
  grant: Readonly<Record<string, string | undefined>>,
): URLSearchParams {
  const members = {
    client_id: clientId,
    ...grant,
    client_info: isEntra && "1",
    claims,
    scope: joinScopes(scopes),
    ...extra,
  };
  return new URLSearchParams(
    Object.entries(members).filter((pair): pair is [string, string] => Boolean(pair[1])),
  );
}
