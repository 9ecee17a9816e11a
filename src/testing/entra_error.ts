/**
 * Errors as Entra ID names them.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes | AADSTS error codes}
 */
/** What some errors say besides. */
export interface EntraErrorDetails {
  /** What Entra calls the class of an `invalid_grant` or `interaction_required`. */
  readonly suberror?: string;
  /** The claims to ask for in the next authorization request, as JSON. */
  readonly claims?: string;
}

/** An error with an AADSTS code, thrown by an endpoint and answered as JSON. */
export class EntraError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth error code. */
  readonly error: string;
  /** The AADSTS number. */
  readonly code: number;
  /** The sub-error and the claims, if there are any. */
  readonly details: EntraErrorDetails;

  /**
   * Makes an error.
   *
   * @param status The HTTP status
   * @param error The OAuth error code
   * @param code The AADSTS number
   * @param text What is said after the number
   * @param details The sub-error and the claims. Default: none
   */
  constructor(
    status: number,
    error: string,
    code: number,
    text: string,
    details: EntraErrorDetails = {},
  ) {
    super(text);
    this.name = "EntraError";
    this.status = status;
    this.error = error;
    this.code = code;
    this.details = details;
  }
}

/** No tenant has this name; discovery and the token endpoint call it differently. */
export function tenantNotFound(tenant: string, error: "invalid_tenant" | "invalid_request"): EntraError {
  const text =
    `Tenant '${tenant}' not found. Check to make sure you have the correct tenant ID and are signing into ` +
    "the correct cloud. Check with your subscription administrator, this may happen if there are no active " +
    "subscriptions for the tenant.";
  return new EntraError(400, error, 90002, text);
}

/** A request that cannot be read. */
export function malformedRequest(status = 400): EntraError {
  return new EntraError(
    status,
    "invalid_request",
    9002313,
    "Invalid request. Request is malformed or invalid.",
  );
}

/** A required parameter that was not sent. */
export function missingParameter(name: string): EntraError {
  const text = `The request body must contain the following parameter: '${name}'.`;
  return new EntraError(400, "invalid_request", 900144, text);
}

/** A method that the endpoint does not take. */
export function wrongMethod(allowed: string, received: string): EntraError {
  const text = `The endpoint only accepts ${allowed} requests. Received a ${received} request.`;
  return new EntraError(405, "invalid_request", 900561, text);
}
