/**
 * The form of a POST request to an OAuth endpoint.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-3.2 | RFC 6749 section 3.2}
 */
import { EntraError, malformedRequest, wrongMethod } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import { formOf } from "./incoming.ts";

/** A form without repeated parameters; empty ones count as absent. */
function singleValued(form: URLSearchParams): ReadonlyMap<string, string> {
  const values = new Map<string, string>();
  const seen = new Set<string>();
  for (const [name, value] of form) {
    if (seen.has(name)) {
      const text = `The request is not properly formatted. The parameter '${name}' is duplicated.`;
      throw new EntraError(400, "invalid_request", 9000411, text);
    }
    seen.add(name);
    if (value !== "") values.set(name, value);
  }
  return values;
}

/** Reads the form. Throws AADSTS900561, 9002313 or 9000411. */
export function readForm(exchange: Exchange): ReadonlyMap<string, string> {
  const { incoming } = exchange;
  if (incoming.method !== "POST") throw wrongMethod("POST", incoming.method);
  if (incoming.body === undefined) throw malformedRequest(413);
  // Entra finds no parameters in a body that is no form, and says so.
  return singleValued(formOf(incoming) ?? new URLSearchParams());
}
