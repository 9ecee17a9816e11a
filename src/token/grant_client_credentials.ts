/**
 * The client credentials grant, RFC 6749 section 4.4.
 *
 * @module
 */

import { joinScopes } from "../request/scopes.ts";

/** What the form of the grant is made of. */
export interface ClientCredentialsGrant {
  /** The application's client id. */
  readonly clientId: string;
  /** The scopes. */
  readonly scopes: readonly string[];
  /** The merged `claims`, as JSON text. */
  readonly claims?: string | undefined;
  /** Entra's `fmi_path`. */
  readonly fmiPath?: string | undefined;
  /** Whether the authority is Entra's, which takes `client_info`. */
  readonly isEntra: boolean;
  /** Parameters of the application's own, checked. */
  readonly extra: readonly (readonly [string, string])[];
}

/**
 * Makes the form, without the credential.
 *
 * @param grant What to ask for.
 * @returns The form; empty members are left out.
 */
export function buildClientCredentialsForm(grant: ClientCredentialsGrant): URLSearchParams {
  const members: Record<string, string | undefined> = {
    client_id: grant.clientId,
    grant_type: "client_credentials",
    client_info: grant.isEntra ? "1" : undefined,
    claims: grant.claims,
    scope: joinScopes(grant.scopes),
    fmi_path: grant.fmiPath,
  };
  const form = new URLSearchParams();
  for (const [name, value] of Object.entries(members)) if (value) form.set(name, value);
  for (const [name, value] of grant.extra) form.set(name, value);
  return form;
}
