/**
 * Tokens for the Azure SDK and for the clients of Microsoft Graph, on every runtime that they run on.
 *
 * {@linkcode createTokenCredential} makes the `TokenCredential` of `@azure/core-auth`, {@linkcode createGraphAuthenticationProvider} the
 * `authProvider` of `@microsoft/microsoft-graph-client`, and {@linkcode createGraphAccessTokenProvider} the `AccessTokenProvider` of Kiota
 * and `@microsoft/msgraph-sdk`. Nothing of these packages is imported.
 *
 * @example An application, a user, and a caller
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { createGraphAuthenticationProvider, createTokenCredential } from "@msal-edge/msal/azure";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
 *   clientCredential: "the client secret's value",
 * });
 *
 * // new SecretClient("https://contoso.vault.azure.net", credential)
 * const credential = createTokenCredential(app);
 * const { token, expiresOnTimestamp } = await credential.getToken("https://vault.azure.net/.default");
 * console.log(token.length, new Date(expiresOnTimestamp));
 *
 * // Client.initWithMiddleware({ authProvider: graphOf(homeAccountId) })
 * const graphOf = (account: string) =>
 *   createGraphAuthenticationProvider({ app, account }, { scopes: ["User.Read"] });
 *
 * // Inside an API, with the validated token that it was called with
 * const credentialOf = (userAssertion: string) => createTokenCredential({ app, userAssertion });
 * console.log(typeof graphOf, typeof credentialOf);
 * ```
 *
 * @module
 */

export {
  createGraphAccessTokenProvider,
  createGraphAuthenticationProvider,
  type GraphAccessTokenProvider,
  type GraphAuthenticationProvider,
  type GraphProviderOptions,
  type HostsValidator,
  type KiotaProviderOptions,
} from "./graph_providers.ts";
export { createTokenCredential, type TokenCredentialOptions } from "./token_credential.ts";
export type {
  AbortSignalLike,
  AzureAccessToken,
  AzureTokenCredential,
  GetTokenOptions,
} from "./token_credential_types.ts";
export type {
  CallerTokenSource,
  CredentialRequest,
  CredentialResult,
  TokenSource,
  UserTokenSource,
} from "./token_source.ts";
