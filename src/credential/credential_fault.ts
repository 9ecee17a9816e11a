/**
 * Refuses a credential.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/** The command that makes of every other key one that can be read. */
export const CONVERT = "convert it: openssl pkcs8 -topk8 -v2 aes-256-cbc -in key.pem -out new.pem";

/** Where a PFX file is taken. */
export const PFX = "a PFX needs pfxCredential of @msal-edge/msal/pfx";

/**
 * Refuses a credential.
 *
 * @param why What is wrong and how to mend it; never what the credential holds.
 */
export function failCredential(why: string): never {
  refuse("invalid_client_credential", "clientCredential", why);
}
