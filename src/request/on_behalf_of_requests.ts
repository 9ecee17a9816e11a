/**
 * What the on-behalf-of methods take.
 *
 * @module
 */

import type { TokenRequest } from "./requests.ts";

/**
 * What `acquireTokenOnBehalfOf` takes. Where `tenantId` is absent and the authority stands for many tenants, the tenant of the
 * caller is asked: the assertion's `tid`.
 */
export interface OnBehalfOfRequest extends TokenRequest {
  /** The access token that this API was called with, validated: its audience is this application. */
  readonly userAssertion: string;
  /** Scopes of one API, such as `["https://graph.microsoft.com/.default"]`. */
  readonly scopes: readonly string[];
  /** Passes the cached access token by. @default {false} */
  readonly forceRefresh?: boolean | undefined;
}

/** What `initiateLongRunningProcessInWebApi` takes. */
export interface LongRunningProcessRequest extends OnBehalfOfRequest {
  /**
   * Names the process: 16 to 1,024 printable characters, hard to guess, never one for two users. 256 random bits are made where
   * absent.
   */
  readonly sessionKey?: string | undefined;
}

/** What `acquireTokenInLongRunningProcess` takes. */
export interface LongRunningTokenRequest extends TokenRequest {
  /** Names the process. Who knows it can use the user's tokens: keep it as you keep secrets. */
  readonly sessionKey: string;
  /** Scopes of one API. */
  readonly scopes: readonly string[];
  /** Passes the cached access token by. @default {false} */
  readonly forceRefresh?: boolean | undefined;
}
