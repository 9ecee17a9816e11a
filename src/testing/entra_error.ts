/**
 * Errors as Entra ID answers them.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes | AADSTS error codes}
 */
import { type Exchange, jsonResponse, timestampOf } from "./exchange.ts";

/** An error with an AADSTS code, thrown by an endpoint and answered as JSON. */
export class EntraError extends Error {
  /** The HTTP status. */
  readonly status: number;
  /** The OAuth error code. */
  readonly error: string;
  /** The AADSTS number. */
  readonly code: number;

  constructor(status: number, error: string, code: number, text: string) {
    super(text);
    this.name = "EntraError";
    this.status = status;
    this.error = error;
    this.code = code;
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

/** The body of an error answer. */
export function entraErrorBody(exchange: Exchange, failure: EntraError): Record<string, unknown> {
  const timestamp = timestampOf(exchange.services.clock.now());
  const { traceId, correlationId } = exchange;
  return {
    error: failure.error,
    error_description: `AADSTS${failure.code}: ${failure.message} Trace ID: ${traceId} ` +
      `Correlation ID: ${correlationId} Timestamp: ${timestamp}`,
    error_codes: [failure.code],
    timestamp,
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${exchange.origin}/error?code=${failure.code}`,
  };
}

/** Answers with an error; it is never cached. */
export function entraErrorResponse(
  exchange: Exchange,
  failure: EntraError,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return jsonResponse(exchange, entraErrorBody(exchange, failure), failure.status, {
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
    ...headers,
  });
}
