/**
 * What a proof says of a request, checked.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { SchemeApiRequest } from "../request/auth_scheme.ts";
import { systemClock } from "../runtime/clock.ts";

/** A request, checked. */
export interface CheckedApiRequest {
  /** The method, as it is sent. */
  readonly method: string;
  /** The URL. */
  readonly url: URL;
  /** The token. */
  readonly accessToken: string;
  /** The nonce, if there is one. */
  readonly nonce: string | undefined;
  /** The time, in epoch seconds. */
  readonly nowSeconds: number;
}

function requireUrl(url: unknown): URL {
  const parsed = URL.canParse(`${url}`) ? new URL(`${url}`) : undefined;
  return parsed && /^https?:$/.test(parsed.protocol)
    ? parsed
    : refuse("invalid_request", "url", "it must be an absolute http or https URL");
}

/**
 * Checks a request to an API.
 *
 * @param request What the caller gave.
 * @returns The request.
 * @throws {ClientConfigurationError} `invalid_request` that names the member.
 */
export function checkApiRequest(request: SchemeApiRequest): CheckedApiRequest {
  const { method, url, accessToken, nonce, nowSeconds = Math.floor(systemClock.now() / 1000) } = Object(
    request,
  ) as SchemeApiRequest;
  if (typeof method !== "string" || !/^[\w!#$%&'*+.^`|~-]+$/.test(method)) {
    refuse("invalid_request", "method", "it must be an HTTP method");
  }
  // Headers would quote what they refuse.
  if (typeof accessToken !== "string" || !/^[\x21-\x7e]+$/.test(accessToken)) {
    refuse("invalid_request", "accessToken", "it must be a token");
  }
  if (!Number.isSafeInteger(nowSeconds)) {
    refuse("invalid_request", "nowSeconds", "it must be a whole number of epoch seconds");
  }
  // What fetch writes in capitals, it sends in capitals.
  const isPlain = /^(?:delete|get|head|options|post|put)$/i.test(method);
  const sent = isPlain ? method.toUpperCase() : method;
  return { method: sent, url: requireUrl(url), accessToken, nonce, nowSeconds };
}

/**
 * Checks a nonce that somebody gave.
 *
 * @param nonce The text.
 * @returns The same; `undefined` where it is none, RFC 9449 section 8.1.
 */
export function nonceOf(nonce: string | null | undefined): string | undefined {
  return /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/.test(nonce ?? "") ? nonce as string : undefined;
}

/** The URL of a target without query and fragment, RFC 9449 section 4.2. */
export function targetOf({ origin, pathname }: URL): string {
  return origin + pathname;
}
