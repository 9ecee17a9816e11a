/**
 * What every endpoint is given: the request, and what the authority knows.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { Consents } from "./consents.ts";
import type { DeviceStore } from "./device_store.ts";
import type { Directory } from "./directory.ts";
import type { Dpop } from "./dpop.ts";
import type { IdTokenFault } from "./faults.ts";
import type { GrantStore } from "./grant_store.ts";
import { isGuid } from "./guid.ts";
import { formOf, type Incoming } from "./incoming.ts";
import type { NotifyingFetch, RefreshTokenOptions } from "./options.ts";
import type { Nonces } from "./nonces.ts";
import type { PushedRequests } from "./pushed_request_store.ts";
import type { Revocations } from "./revocations.ts";
import type { Route } from "./router.ts";
import type { SessionStore } from "./sessions.ts";
import type { SigningKeys } from "./signing_keys.ts";
import type { TokenBinding } from "./binding.ts";

/** What the endpoints of one authority share. */
export interface Services {
  readonly directory: Directory;
  readonly keys: SigningKeys;
  readonly clock: Clock;
  readonly sessions: SessionStore;
  readonly grants: GrantStore;
  readonly devices: DeviceStore;
  readonly consents: Consents;
  readonly revocations: Revocations;
  readonly refreshTokens: RefreshTokenOptions;
  readonly tokenLifetimeSeconds: number;
  readonly refreshInSeconds: number | undefined;
  /** What DPoP takes; absent if it is off. */
  readonly dpop: Dpop | undefined;
  /** The nonces of signed HTTP requests. */
  readonly popNonces: Nonces;
  /** The requests that were pushed; absent if that is off. */
  readonly pushedRequests: PushedRequests | undefined;
  /** How apps are told that a user signed out. */
  readonly fetch: NotifyingFetch;
}

/** One request on its way to an answer. */
export interface Exchange {
  readonly services: Services;
  readonly incoming: Incoming;
  readonly route: Route;
  /** The origin that endpoints are written with. */
  readonly origin: string;
  /** The origin that issuers are derived from. */
  readonly issuerOrigin: string;
  readonly traceId: string;
  readonly correlationId: string;
  /** What the tokens of this request are bound to. */
  readonly binding: TokenBinding;
  /** Takes the oldest fault of ID tokens, if one is waiting. */
  readonly takeIdTokenFault: () => IdTokenFault | undefined;
}

/** The caller's own correlation id, if it sent a GUID as one: header, query or form field. */
export function sentCorrelationId(incoming: Incoming): string | undefined {
  const name = "client-request-id";
  const sent = incoming.headers.get(name) ?? incoming.url.searchParams.get(name) ??
    formOf(incoming)?.get(name);
  return sent && isGuid(sent) ? sent.toLowerCase() : undefined;
}

/** A point in time as Entra writes it in errors: `2026-11-22 13:00:00Z`. */
export function timestampOf(nowMs: number): string {
  return `${new Date(nowMs).toISOString().slice(0, 19).replace("T", " ")}Z`;
}

/** A JSON answer with the headers that all endpoints have. */
export function jsonResponse(
  exchange: Exchange,
  body: unknown,
  status: number,
  headers: Readonly<Record<string, string>>,
): Response {
  const all = new Headers({ "content-type": "application/json; charset=utf-8", ...headers });
  all.set("x-content-type-options", "nosniff");
  all.set("x-ms-request-id", exchange.traceId);
  if (exchange.incoming.headers.get("return-client-request-id")?.toLowerCase() === "true") {
    all.set("client-request-id", exchange.correlationId);
  }
  return new Response(JSON.stringify(body), { status, headers: all });
}
