/**
 * Assertions of Google Cloud.
 *
 * @module
 * @see {@link https://docs.cloud.google.com/compute/docs/instances/verifying-instance-identity | Instance identity tokens}
 */

import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { ask, unusable } from "./ask.ts";
import { tokenExchangeAudienceOf } from "./audience.ts";
import { keptAssertion } from "./kept_assertion.ts";
import { type AssertionSourceOptions, readSource, requireAudience } from "./source_options.ts";

/**
 * The metadata server. R-004 wants https: this link-local address is an exception, because it has no other scheme and no packet
 * to it leaves the machine's host. It is written here and can be configured nowhere.
 */
const IDENTITY = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/identity";
const FLAVOR = "metadata-flavor";

/** The options of {@linkcode googleCloudAssertion}. */
export interface GoogleCloudAssertionOptions extends AssertionSourceOptions {
  /** The `aud` of the assertion; that of the authority's cloud where absent. */
  readonly audience?: string | undefined;
}

/**
 * The identity token of a service account on Google Cloud: Compute Engine, Cloud Run, Cloud Functions, and GKE. The subject of the
 * federated credential in Entra is the account's numeric id, and its issuer `https://accounts.google.com`.
 *
 * @param options The audience.
 * @returns A function for `{ clientAssertion }`.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function googleCloudAssertion(options: GoogleCloudAssertionOptions = {}): ClientAssertionProvider {
  const settings = readSource(options);
  const { audience } = options;
  requireAudience(audience);
  return keptAssertion({
    settings,
    requests: 1,
    keyOf: ({ authority }) => audience ?? tokenExchangeAudienceOf(authority),
    get: async (key, { correlationId }) => {
      const url = `${IDENTITY}?${new URLSearchParams({ audience: key, format: "full" })}`;
      const { text, headers } = await ask(settings, { url, headers: { [FLAVOR]: "Google" }, correlationId });
      // Whatever else has this address in another network does not say so.
      if (headers.get(FLAVOR) === "Google") return text;
      throw unusable(url, "is no metadata server of Google Cloud", correlationId);
    },
  });
}
