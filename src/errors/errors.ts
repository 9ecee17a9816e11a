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
   * @param why What is wrong and how to mend it.
   */
  constructor(code: ClientConfigurationErrorCode, option: string, why: string) {
    super(code, `Cannot use ${option}: ${why}`);
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
   * @param correlationId The id of the call.
   * @param status The HTTP status, 0 for none.
   * @param attempt Which attempt failed, from 1.
   */
  constructor(
    code: NetworkErrorCode,
    message: string,
    correlationId?: string,
    status: number = 0,
    attempt: number = 1,
  ) {
    super(code, message, correlationId);
    this.status = status;
    this.attempt = attempt;
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

/**
 * Refuses an option.
 *
 * @param code The stable code.
 * @param option The option or request member to change.
 * @param why What is wrong and how to mend it.
 */
export function refuse(code: ClientConfigurationErrorCode, option: string, why: string): never {
  throw new ClientConfigurationError(code, option, why);
}

/**
 * Checks that a request is an object.
 *
 * @param request What the caller gave.
 * @param option Its name, for the error.
 * @returns The same.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function requireObject<T extends object>(request: T, option: string): T {
  return Object(request) === request ? request : refuse("invalid_request", option, "it must be an object");
}

/**
 * Names what somebody else's code threw without repeating its message, which may quote a secret.
 *
 * @param error What was thrown.
 */
export function nameOf(error: unknown): string {
  try {
    const { name } = error as Error;
    // Else the name could be the secret. Deno's own errors have two names of another form.
    if (/^[A-Z][A-Za-z]{0,30}(?:Error|Exception)$|^(?:Error|NotFound|NotCapable)$/.test(name)) return name;
  } catch {
    // Even a name can throw.
  }
  return "something that is no error";
}
