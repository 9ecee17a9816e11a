/**
 * The base class of everything that this library throws.
 *
 * @module
 */

// In the registry of symbols, because two copies of the package may meet in one program.
const BRAND: symbol = Symbol.for("@msal-edge/msal.AuthError");

/**
 * The base class of every error of this library; a rejected promise always carries one.
 *
 * No message, property or `toJSON()` of an error holds a secret, a token, an assertion, a claim set or
 * a response body, so errors can be logged as they are.
 */
export abstract class AuthError<Code extends string = string> extends Error {
  /** What went wrong, as a stable snake_case literal to compare with. */
  readonly code: Code;
  /** The `client-request-id` of the call, to quote to the authority's operator. */
  readonly correlationId: string | undefined;

  /**
   * Makes an error; the library does this, applications only catch it.
   *
   * @param code The stable code.
   * @param message A sentence for a person, free of secrets.
   * @param correlationId The id of the call that failed.
   */
  constructor(code: Code, message: string, correlationId?: string) {
    super(message);
    this.code = code;
    this.correlationId = correlationId;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** The same as {@linkcode AuthError.code}, under MSAL's name. */
  get errorCode(): Code {
    return this.code;
  }

  /** What may be logged: the name, the message and the enumerable properties, without the stack. */
  toJSON(): Record<string, unknown> {
    return Object.assign({}, this as object, { name: this.name, message: this.message });
  }
}

/**
 * Tells whether a value is an error of this library, even of another copy of it.
 *
 * @param value What a `catch` received.
 * @returns `true` for an {@linkcode AuthError}.
 */
export function isAuthError(value: unknown): value is AuthError {
  try {
    return (value as Record<symbol, unknown> | undefined)?.[BRAND] === true;
  } catch {
    // A proxy, thrown by somebody else.
    return false;
  }
}
