/**
 * Assertions of a managed identity of Azure.
 *
 * @module
 */

import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { withDeadline } from "../runtime/wait.ts";
import { tokenExchangeAudienceOf } from "./audience.ts";
import { keptAssertion } from "./kept_assertion.ts";
import { type AssertionSourceOptions, readSource, requireFunction } from "./source_options.ts";

/**
 * Gets a token of a managed identity.
 *
 * @param resource The resource, such as `api://AzureADTokenExchange`; what takes scopes wants `/.default` after it.
 * @returns The token, or what holds it.
 */
export type ManagedIdentityTokenProvider = (
  resource: string,
) => string | { readonly accessToken: string } | Promise<string | { readonly accessToken: string }>;

/**
 * The token of a managed identity, which an app registration trusts by a federated credential: no secret in Azure, and an identity
 * that other tenants can have.
 *
 * @param getToken Gets the identity's token.
 * @param options The deadline.
 * @returns A function for `{ clientAssertion }`.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function managedIdentityAssertion(
  getToken: ManagedIdentityTokenProvider,
  options: Omit<AssertionSourceOptions, "fetch"> = {},
): ClientAssertionProvider {
  const settings = readSource(options);
  requireFunction(getToken, "getToken");
  const { clock, timeoutMs } = settings;
  return keptAssertion({
    settings,
    requests: 1,
    keyOf: ({ authority }) => tokenExchangeAudienceOf(authority),
    get: async (resource, { correlationId }) => {
      const got = Promise.resolve(resource).then(getToken);
      const token = await withDeadline(clock, got, timeoutMs, () => {
        const why = `Cannot get an assertion: getToken took more than ${timeoutMs} ms`;
        throw new ClientAuthError("client_credential_failed", why, correlationId);
      });
      return typeof token === "string" ? token : token?.accessToken;
    },
  });
}
