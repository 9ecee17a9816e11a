/**
 * The client credentials grant, RFC 6749 section 4.4.
 *
 * @module
 */

import type { ClientCredentialRequest } from "../request/requests.ts";
import { buildUserForm } from "./grant_user.ts";

/**
 * Makes the form, without the credential.
 *
 * @param clientId The application's client id.
 * @param request The request, checked.
 * @param claims The merged `claims`, as JSON text.
 * @param isEntra Whether the authority is Entra's, which takes `client_info`.
 * @returns The form; empty members are left out.
 */
export function buildClientCredentialsForm(
  clientId: string,
  request: ClientCredentialRequest,
  claims: string | undefined,
  isEntra: boolean,
): URLSearchParams {
  const { scopes, fmiPath: fmi_path = "", extraBodyParameters } = request;
  const form = { clientId, claims, scopes, isEntra, extra: { fmi_path, ...extraBodyParameters } };
  return buildUserForm(form, { grant_type: "client_credentials" });
}
