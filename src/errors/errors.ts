/**
 * The concrete errors, one class for each place where a call can fail.
 *
 * @module
 */

import { AuthError } from "./auth_error.ts";
import type {
  CacheErrorCode,
  ClientAuthErrorCode,
  ClientConfigurationErrorCode,
  NetworkErrorCode,
} from "./error_codes.ts";
import type { InteractionRequiredAuthError, ServerError } from "./server_error.ts";

/** A mistake in an option or a request, found before anything was sent. */
export class ClientConfigurationError extends AuthError<ClientConfigurationErrorCode> {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "ClientConfigurationError";
  /** The option or request member to change, such as `"authority"`. */
  readonly option: string;

  /**
   * Makes an error about one option.
   *
   * @param code The stable code.
   * @param option The option or request member to change.
   * @param message What is wrong and how to mend it.
   */
  constructor(code: ClientConfigurationErrorCode, option: string, message: string) {
    super(code, message);
    this.option = option;
  }
}

/** The library could not finish: a credential callback failed, discovery failed, the caller aborted. */
export class ClientAuthError extends AuthError<ClientAuthErrorCode> {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "ClientAuthError";
}

/** No usable answer arrived: the connection failed, the deadline passed, a redirect or a flood came back. */
export class NetworkError extends AuthError<NetworkErrorCode> {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "NetworkError";
  /** The HTTP status, or 0 where none was received. */
  readonly status: number;
  /** Which attempt failed last, counted from 1. */
  readonly attempt: number;

  /**
   * Makes an error about the transport.
   *
   * @param code The stable code.
   * @param message What happened to which host.
   * @param details The status (0 for none), the attempt (from 1) and the call's correlation id.
   */
  constructor(
    code: NetworkErrorCode,
    message: string,
    details: { status?: number; attempt?: number; correlationId?: string | undefined } = {},
  ) {
    super(code, message, details.correlationId);
    this.status = details.status ?? 0;
    this.attempt = details.attempt ?? 1;
  }
}

/** A store failed, or serialised cache text could not be read; mostly seen in events, not thrown. */
export class CacheError extends AuthError<CacheErrorCode> {
  /** The class, for a `switch` that survives minification. */
  override readonly name = "CacheError";
}

/** The union of the concrete errors, for a `switch` over `code`. */
export type AnyAuthError =
  | CacheError
  | ClientAuthError
  | ClientConfigurationError
  | InteractionRequiredAuthError
  | NetworkError
  | ServerError;
