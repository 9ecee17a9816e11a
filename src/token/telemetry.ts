/**
 * Microsoft's client telemetry headers, schema 4: what was asked, how often the cache served, what failed before.
 *
 * @module
 */

import type { RefreshReason } from "../runtime/events.ts";
import { VERSION } from "../runtime/version.ts";

/** The numbers by which Microsoft knows MSAL's methods. */
export const ACQUIRE_TOKEN_FOR_CLIENT = "730";
/** `acquireTokenOnBehalfOf`, and where a long-running process begins. */
export const ACQUIRE_TOKEN_ON_BEHALF_OF = "523";
/** `acquireTokenSilent`. */
export const ACQUIRE_TOKEN_SILENT = "84";
/** `acquireTokenByRefreshToken`. */
export const ACQUIRE_TOKEN_BY_REFRESH_TOKEN = "85";
/** `acquireTokenInteractive`. */
export const ACQUIRE_TOKEN_INTERACTIVE = "169";
/** `acquireTokenByDeviceFlow`. */
export const ACQUIRE_TOKEN_BY_DEVICE_FLOW = "622";
/** `acquireTokenByAuthCodeFlow` and `acquireTokenByAuthorizationCode`. */
export const ACQUIRE_TOKEN_BY_CODE = "832";

const REASONS: Readonly<Record<RefreshReason, number>> = {
  not_applicable: 0,
  force_refresh_or_claims: 1,
  no_cached_token: 2,
  expired: 3,
  proactive_refresh: 4,
};

const MAX_LAST_CHARS = 350;

/** What one application object has to tell. */
export class Telemetry {
  readonly #fixed: Readonly<Record<string, string>>;
  #cacheHits = 0;
  #calls: string[] = [];
  #errors: string[] = [];

  /**
   * Starts counting.
   *
   * @param appName The application's name, if it gave one.
   * @param appVersion The application's version, if it gave one.
   */
  constructor(appName?: string, appVersion?: string) {
    this.#fixed = {
      "x-client-sku": "msal-edge",
      "x-client-ver": VERSION,
      "x-ms-lib-capability": "retry-after, h429",
      ...(appName !== undefined && { "x-app-name": appName }),
      ...(appVersion !== undefined && { "x-app-ver": appVersion }),
    };
  }

  /** Counts a cache hit. */
  hit(): void {
    this.#cacheHits++;
  }

  /**
   * The headers of a token request.
   *
   * @param apiId Which method asks.
   * @param reason Why it asks.
   * @param correlationId The call's id.
   */
  headers(apiId: string, reason: RefreshReason, correlationId: string): Record<string, string> {
    return {
      ...this.#fixed,
      "client-request-id": correlationId,
      "x-client-current-telemetry": `4|${apiId},${REASONS[reason]}|`,
      "x-client-last-telemetry": `4|${this.#cacheHits}|${this.#calls.join()}|${this.#errors.join()}|`,
    };
  }

  /** A request succeeded: the authority has been told everything. */
  succeeded(): void {
    this.#cacheHits = 0;
    this.#calls = [];
    this.#errors = [];
  }

  /** A request failed; told with the next one, as far as the header has room. */
  failed(apiId: string, correlationId: string, error: string): void {
    const length = [...this.#calls, ...this.#errors, apiId, correlationId, error].join().length;
    if (length >= MAX_LAST_CHARS) return;
    this.#calls.push(`${apiId},${correlationId}`);
    this.#errors.push(error);
  }
}
