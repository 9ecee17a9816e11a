/**
 * The form of an app-token request, for the tests that speak to the local authority without a client.
 *
 * @module
 */
import type { LocalAuthority } from "../../src/testing/mod.ts";

/**
 * A form that the authority accepts, for its default app and resource.
 *
 * @param authority The authority to ask.
 * @param changes Parameters laid over it; one that is `undefined` is not sent.
 */
export function tokenForm(
  authority: LocalAuthority,
  changes: Readonly<Record<string, string | undefined>> = {},
): URLSearchParams {
  const { clientId, clientSecret, scope } = authority.defaults;
  const fields = {
    grant_type: "client_credentials",
    client_id: clientId,
    client_secret: clientSecret,
    scope,
    ...changes,
  };
  return new URLSearchParams(
    Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined),
  );
}
