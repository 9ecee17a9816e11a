/**
 * The application that cannot keep a secret.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { ClientApplication } from "./client_application.ts";
import type { PublicClientOptions } from "./options.ts";

/** For how long an authority that is overloaded is left alone, if it does not say; MSAL Python's value. */
const THROTTLE_SECONDS = 60;

/**
 * An application on a person's device, which has no credential. Its sign-in flows come in a later version.
 */
export class PublicClientApplication extends ClientApplication {
  /**
   * Checks the options. Nothing is sent or read before the first call.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option and how to mend it; `unexpected_client_credential` for a
   * credential, which Entra would refuse with AADSTS700025.
   */
  constructor(options: PublicClientOptions) {
    for (const name of ["clientCredential", "clientSecret"]) {
      if ((options as unknown as Record<string, unknown> | undefined)?.[name] === undefined) continue;
      refuse(
        "unexpected_client_credential",
        name,
        "a public client has none, everybody could read it there. Leave it out",
      );
    }
    super(options, THROTTLE_SECONDS);
  }
}
