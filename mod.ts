/**
 * MSAL for edge runtimes: tokens from Microsoft Entra ID, or any OpenID Connect authority, on Cloudflare Workers, Deno,
 * Bun and Node.
 *
 * An unofficial, independent implementation of the client model of Microsoft's MSAL libraries on web standards alone: no
 * compatibility flag, no polyfill. Tokens are cached, refreshed ahead of time and asked for once however many callers
 * need them.
 *
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: "the client secret's value",
 * });
 *
 * export async function organization(): Promise<Response> {
 *   const { accessToken } = await app.acquireTokenForClient({ scopes: ["https://graph.microsoft.com/.default"] });
 *   return await fetch("https://graph.microsoft.com/v1.0/organization", {
 *     headers: { authorization: `Bearer ${accessToken}` },
 *   });
 * }
 * ```
 *
 * @module
 */

export type { AuthorityOption, AuthorityParts, AuthorityType } from "./src/authority/authority.ts";
export { SealedStore } from "./src/cache/sealed_store.ts";
export { TokenCache, type TokenCacheOptions } from "./src/cache/token_cache.ts";
export {
  type AuthorizedFetch,
  type AuthorizedFetchOptions,
  createAuthorizedFetch,
  type TokenChallenge,
} from "./src/client/authorized_fetch.ts";
export { ClientApplication } from "./src/client/client_application.ts";
export { ConfidentialClientApplication } from "./src/client/confidential_client_application.ts";
export type {
  ClientApplicationOptions,
  ConfidentialClientOptions,
  InjectedMetadata,
  PerPurpose,
  PublicClientOptions,
} from "./src/client/options.ts";
export { perEnv } from "./src/client/per_env.ts";
export { PublicClientApplication } from "./src/client/public_client_application.ts";
export type {
  AssertionAlgorithm,
  AssertionSigner,
  AssertionSigning,
  CertificateCredential,
  ClientAssertionCredential,
  ClientAssertionProvider,
  ClientCredential,
  ClientCredentialProvider,
  ClientSecretCredential,
  ClientSecretProvider,
  CredentialContext,
  PrivateKey,
  SignerCredential,
  SingleClientCredential,
  TlsClientCredential,
} from "./src/credential/client_credential.ts";
export { generatePkceCodes, type PkceCodes } from "./src/crypto/pkce.ts";
export { describeAadsts } from "./src/errors/aadsts.ts";
export type { AadstsClass, AadstsInfo } from "./src/errors/aadsts_common.ts";
export { AuthError, isAuthError } from "./src/errors/auth_error.ts";
export type {
  AuthErrorCode,
  CacheErrorCode,
  ClientAuthErrorCode,
  ClientConfigurationErrorCode,
  InteractionRequiredErrorCode,
  NetworkErrorCode,
  ServerErrorCode,
} from "./src/errors/error_codes.ts";
export {
  type AnyAuthError,
  CacheError,
  ClientAuthError,
  ClientConfigurationError,
  NetworkError,
} from "./src/errors/errors.ts";
export {
  InteractionRequiredAuthError,
  ServerError,
  type ServerErrorDetails,
} from "./src/errors/server_error.ts";
export { allowInsecureLoopback } from "./src/net/endpoint.ts";
export type { AccessTokenErrorCode } from "./src/errors/access_token_codes.ts";
export type { AuthResponseErrorCode } from "./src/errors/auth_response_codes.ts";
export type { IdTokenErrorCode } from "./src/errors/id_token_codes.ts";
export type { AccountInfo, TenantProfile } from "./src/request/account_info.ts";
export { type AuthCodeFlow, openAuthCodeFlow, sealAuthCodeFlow } from "./src/request/auth_code_flow.ts";
export type { AuthCodeListener, AuthCodeReceiver, AuthCodeWait } from "./src/request/auth_code_receiver.ts";
export type {
  AppliedScheme,
  AuthScheme,
  SchemeApiAnswer,
  SchemeApiRequest,
  SchemeNonce,
  SchemeTokenRequest,
} from "./src/request/auth_scheme.ts";
export type { AuthorizationRequest, Prompt, ResponseMode } from "./src/request/authorization_request.ts";
export type { AuthorizationResponse } from "./src/request/authorization_response.ts";
export type { ClaimsRequest } from "./src/request/claims.ts";
export type { ExtraParameters } from "./src/request/extra_parameters.ts";
export type { IdTokenClaims } from "./src/request/id_token_claims.ts";
export type {
  LongRunningProcessRequest,
  LongRunningTokenRequest,
  OnBehalfOfRequest,
} from "./src/request/on_behalf_of_requests.ts";
export type { ClientCredentialRequest, RemoveTokensRequest, TokenRequest } from "./src/request/requests.ts";
export type {
  AccountFilter,
  AdminConsentUrlRequest,
  AuthCodeFlowRequest,
  AuthorizationCodeRequest,
  AuthorizationUrlRequest,
  DeviceFlow,
  DeviceFlowPending,
  DeviceFlowProgress,
  DeviceFlowRequest,
  DevicePollRequest,
  InteractiveRequest,
  RefreshTokenRequest,
  SignOutUrlRequest,
  SilentRequest,
} from "./src/request/user_requests.ts";
export {
  type AuthenticateChallenge,
  type ChallengeSource,
  claimsChallengeOf,
  parseWwwAuthenticate,
} from "./src/request/www_authenticate.ts";
export type {
  AuthenticationResult,
  AuthenticationResultMetadata,
  DeviceFlowOutcome,
  LongRunningProcess,
} from "./src/result/authentication_result.ts";
export { type Clock, systemClock } from "./src/runtime/clock.ts";
export type {
  FailureEvent,
  Logger,
  MsalEvent,
  RefreshReason,
  RequestCompletedEvent,
  ScopesMissingEvent,
  TokenAcquiredEvent,
} from "./src/runtime/events.ts";
export type { FetchFunction, WaitUntil } from "./src/runtime/web_types.ts";
export { type KeyValueLike, keyValueStore } from "./src/store/key_value_store.ts";
export { LayeredStore, type LayeredStoreOptions } from "./src/store/layered_store.ts";
export { MemoryStore, type MemoryStoreOptions } from "./src/store/memory_store.ts";
export type {
  GetOptions,
  PartitionHints,
  SetOptions,
  SetResult,
  Store,
  StoredValue,
  StoreLock,
} from "./src/store/store.ts";
export { isEmailVerified, isGroupOverage } from "./src/token/entra_identity.ts";
