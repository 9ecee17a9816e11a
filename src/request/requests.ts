/**
 * What the methods of the applications take.
 *
 * @module
 */

import type { WaitUntil } from "../runtime/web_types.ts";
import type { AuthScheme } from "./auth_scheme.ts";
import type { ClaimsRequest } from "./claims.ts";
import type { ExtraParameters } from "./extra_parameters.ts";

/** What every request may carry. */
export interface TokenRequest {
  /** Another tenant than that of the `authority`: a GUID or a domain name. The cache and the flights are shared. */
  readonly tenantId?: string | undefined;
  /** Ends the caller's wait. Work that other callers share goes on. */
  readonly signal?: AbortSignal | undefined;
  /** The `client-request-id` to send, a GUID. Made for each call that sends something if absent. */
  readonly correlationId?: string | undefined;
  /** A claims challenge, as JSON text or as an object; the cache is passed by. */
  readonly claims?: ClaimsRequest | undefined;
  /**
   * Binds the token to a key: a `DpopAuthScheme` or a `PopAuthScheme` of `@msal-edge/msal/proof-of-possession`. Part of the cache
   * identity. A bearer token where absent.
   */
  readonly authScheme?: AuthScheme | undefined;
  /** Keeps work alive after the response: `(promise) => ctx.waitUntil(promise)` on Workers; wins over the option. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** Added to the token endpoint's query; part of the cache identity. Reserved names are refused; never put a secret here. */
  readonly extraQueryParameters?: ExtraParameters | undefined;
  /** Added to the form; part of the cache identity. Reserved names are refused. */
  readonly extraBodyParameters?: ExtraParameters | undefined;
}

/** What `acquireTokenForClient` takes. */
export interface ClientCredentialRequest extends TokenRequest {
  /** For Entra exactly one `<API>/.default`; what the issuer defines for an `oidcAuthority`, possibly nothing. */
  readonly scopes: readonly string[];
  /** The path of a federated managed identity, sent as `fmi_path`; part of the cache identity. */
  readonly fmiPath?: string | undefined;
  /** Claims of the application's own, merged into `claims` last; part of the cache identity. */
  readonly forwardedClientClaims?: ClaimsRequest | undefined;
}

/** What `removeTokensForClient` takes. */
export interface RemoveTokensRequest {
  /** Only this tenant's tokens; all tenants' that this isolate knows where absent. */
  readonly tenantId?: string | undefined;
  /** Only the tokens of this path. */
  readonly fmiPath?: string | undefined;
}
