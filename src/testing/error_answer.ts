/**
 * Errors as Entra ID answers them.
 *
 * @module
 */
import type { EntraError } from "./entra_error.ts";
import type { OAuthError } from "./oauth_error.ts";
import type { Dialect, Refusal } from "./shapes/shape.ts";
import { type Exchange, jsonResponse, timestampOf } from "./exchange.ts";

/** The sentence of an error answer, with what is needed to find it in a log. */
export function errorDescription(exchange: Exchange, code: number, text: string): string {
  const { traceId, correlationId } = exchange;
  const timestamp = timestampOf(exchange.services.clock.now());
  return `AADSTS${code}: ${text} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: ${timestamp}`;
}

/** The body of an error answer. */
export function entraErrorBody(exchange: Exchange, failure: EntraError): Record<string, unknown> {
  const { traceId, correlationId } = exchange;
  return {
    error: failure.error,
    error_description: errorDescription(exchange, failure.code, failure.message),
    error_codes: [failure.code],
    timestamp: timestampOf(exchange.services.clock.now()),
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `${exchange.origin}/error?code=${failure.code}`,
    ...failure.details,
  };
}

/** An error as a shape tells it. */
export function dialectRefusal(exchange: Exchange, dialect: Dialect, failure: EntraError): Refusal {
  const timestamp = timestampOf(exchange.services.clock.now());
  return dialect.refusal(failure, exchange.correlationId, timestamp);
}

/** Answers with an error; it is never cached. */
export function entraErrorResponse(
  exchange: Exchange,
  failure: EntraError,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { dialect } = exchange.route.shape ?? {};
  const told = dialect && dialectRefusal(exchange, dialect, failure);
  const body = told
    ? { error: told.error, error_description: told.description }
    : entraErrorBody(exchange, failure);
  return jsonResponse(exchange, body, told?.status ?? failure.status, {
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
    ...headers,
  });
}

/** Answers with an error that has no AADSTS code. */
export function oauthErrorResponse(
  exchange: Exchange,
  { status, error, message, headers }: OAuthError,
): Response {
  const body = { error, error_description: message };
  return jsonResponse(exchange, body, status, {
    "cache-control": "no-store",
    pragma: "no-cache",
    ...headers,
  });
}
