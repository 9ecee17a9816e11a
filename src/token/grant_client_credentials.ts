/**
 * The client credentials grant, RFC 6749 section 4.4.
 *
 * @module
 */

import type { ClientCredentialRequest } from "../request/requests.ts";
import { joinScopes } from "../request/scopes.ts";

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
  const members = {
    client_id: clientId,
    grant_type: "client_credentials",
    client_info: isEntra && "1",
    claims,
    scope: joinScopes(request.scopes),
    fmi_path: request.fmiPath,
    ...request.extraBodyParameters,
  };
  return new URLSearchParams(
    Object.entries(members).filter((pair): pair is [string, string] => Boolean(pair[1])),
  );
}
