/**
 * A local authority: an identity provider that behaves like Microsoft Entra ID, for tests and development.
 *
 * It runs in your process, on Deno, Bun, Node and Cloudflare Workers, and needs no tenant, no network and no
 * permissions. Give `authority.fetch` to an app as its `fetch`, or let it listen on loopback with
 * `authority.serve(Deno)`; then make it throttle, fail, stall or lie with `authority.fault(...)`, and read what
 * arrived from `authority.requests`.
 *
 * @example
 * ```ts
 * import { LocalAuthority } from "@msal-edge/msal/testing";
 *
 * const authority = new LocalAuthority();
 * const { tenantId, clientId, clientSecret, scope } = authority.defaults;
 *
 * // The next token request is throttled; the one after that succeeds.
 * authority.fault({ on: "token", kind: "throttled", retryAfter: 1 });
 *
 * const ask = () =>
 *   authority.fetch(`https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`, {
 *     method: "POST",
 *     body: new URLSearchParams({
 *       grant_type: "client_credentials",
 *       client_id: clientId,
 *       client_secret: clientSecret,
 *       scope,
 *     }),
 *   });
 *
 * console.log((await ask()).status); // 429
 * console.log((await ask()).status); // 200
 * console.log(authority.countRequests({ kind: "token" })); // 2
 * ```
 *
 * @module
 */
export type { Clock } from "../runtime/clock.ts";
export type { LocalAuthorityDefaults } from "./defaults.ts";
export { EntraError, type EntraErrorDetails } from "./entra_error.ts";
export type {
  EntraErrorFault,
  Fault,
  FaultBase,
  FaultKind,
  FaultTarget,
  HtmlFault,
  IdTokenFault,
  IdTokenForgery,
  IdTokenSignature,
  JsonFault,
  NetworkFault,
  NotJsonFault,
  OversizedFault,
  RedirectFault,
  ServerErrorFault,
  SlowFault,
  ThrottledFault,
  TruncatedFault,
} from "./faults.ts";
export type {
  AppCredentialDeclaration,
  AppKeys,
  BindingOptions,
  ExternalCredentialDeclaration,
  FederatedCredentialDeclaration,
  NonceOptions,
  PublicJwk,
  PublicKeys,
  TrustedSubject,
} from "./key_options.ts";
export { LocalAuthority } from "./local_authority.ts";
export type { BunLike, DenoLike, LocalAuthorityServer } from "./loopback.ts";
export type {
  AppAudience,
  AppDeclaration,
  DeviceCodeOptions,
  GuestDeclaration,
  LocalAuthorityOptions,
  NotifyingFetch,
  RefreshTokenOptions,
  ResourceDeclaration,
  SecretDeclaration,
  TenantDeclaration,
  UserDeclaration,
} from "./options.ts";
export type { LoggedRequest, RequestFilter } from "./request_log.ts";
export type { EndpointKind, RequestKind } from "./router.ts";
export type { PolicyDeclaration, ShapeDeclaration, TenantKind } from "./shape_options.ts";
export type { AuthorizationAnswer, SignInOptions, SignOutAnswer, SignOutOptions } from "./sign_in.ts";
export type {
  AppTokenOptions,
  IdTokenOptions,
  IssuedTokenOptions,
  LogoutTokenOptions,
  UserTokenOptions,
} from "./token_options.ts";
