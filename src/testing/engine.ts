/**
 * Answers requests: finds the endpoint, plays faults, keeps the log.
 *
 * @module
 */
import { isMicrosoftHost } from "./clouds.ts";
import { EntraError, entraErrorResponse } from "./entra_error.ts";
import { type Exchange, jsonResponse, sentCorrelationId, type Services } from "./exchange.ts";
import { playFault } from "./fault_response.ts";
import type { Fault, Faults } from "./faults.ts";
import { answerGraph } from "./graph_api.ts";
import { formOf, type Incoming } from "./incoming.ts";
import { answerInstanceDiscovery } from "./instance_discovery.ts";
import { answerJwks } from "./jwks.ts";
import { answerDiscovery } from "./openid_configuration.ts";
import { loggable, type LoggedRequest, type RequestLog } from "./request_log.ts";
import { type RequestKind, type Route, routeOf, type Surface } from "./router.ts";
import { answerToken } from "./token_endpoint.ts";

type Endpoint = (exchange: Exchange) => Response | Promise<Response>;

const ENDPOINTS: Readonly<Record<Route["kind"], Endpoint>> = {
  token: answerToken,
  discovery: (exchange) => readOnly(exchange, answerDiscovery),
  instance: (exchange) => readOnly(exchange, answerInstanceDiscovery),
  jwks: (exchange) => readOnly(exchange, answerJwks),
  api: answerGraph,
  unknown: (exchange) => jsonResponse(exchange, { error: "not_found" }, 404, { "cache-control": "no-store" }),
};

function readOnly(exchange: Exchange, endpoint: Endpoint): Response | Promise<Response> {
  if (exchange.incoming.method === "GET") return endpoint(exchange);
  return jsonResponse(exchange, { error: "method_not_allowed" }, 405, {
    allow: "GET",
    "cache-control": "no-store",
  });
}

async function ordinaryAnswer(exchange: Exchange): Promise<Response> {
  try {
    return await ENDPOINTS[exchange.route.kind](exchange);
  } catch (cause) {
    if (!(cause instanceof EntraError)) throw cause;
    return entraErrorResponse(exchange, cause, cause.status === 405 ? { allow: "POST" } : {});
  }
}

function logEntry(incoming: Incoming, kind: RequestKind, tenant?: string): Omit<LoggedRequest, "status"> {
  const form = formOf(incoming);
  const fields = {
    clientId: loggable(form?.get("client_id")),
    grantType: loggable(form?.get("grant_type")),
    tenant: loggable(tenant?.toLowerCase()),
    correlationId: sentCorrelationId(incoming),
  };
  const given = Object.entries(fields).filter(([, value]) => value !== undefined);
  const { method, url } = incoming;
  return { method, host: url.host, path: url.pathname, kind, ...Object.fromEntries(given) };
}

/** What both faces of an authority run on. */
export class Engine {
  readonly services: Services;
  readonly faults: Faults;
  readonly log: RequestLog;
  readonly #issuerOrigin: string | undefined;

  constructor(services: Services, faults: Faults, log: RequestLog, issuerOrigin: string | undefined) {
    this.services = services;
    this.faults = faults;
    this.log = log;
    this.#issuerOrigin = issuerOrigin;
  }

  /** Answers a request. Rejects if a fault says so, or if the request's signal aborts a slow one. */
  async answer(incoming: Incoming, surfaces: readonly Surface[]): Promise<Response> {
    const route = routeOf(incoming.url.pathname, surfaces);
    const complete = this.log.begin(logEntry(incoming, route.kind, route.tenant));
    const exchange = this.#exchange(incoming, route);
    const fault = this.faults.take(route.kind);
    const played = fault ? { fault: fault.kind } : {};
    complete({ status: 0, ...played });
    const response = await this.#played(fault, exchange);
    complete({ status: response.status, ...played });
    return response;
  }

  /** Logs a request that nobody here answers. */
  refuse(incoming: Incoming): void {
    this.log.begin(logEntry(incoming, "foreign"));
  }

  async #played(fault: Fault | undefined, exchange: Exchange): Promise<Response> {
    const ordinary = (): Promise<Response> => ordinaryAnswer(exchange);
    return fault ? await playFault(fault, exchange, ordinary) : await ordinary();
  }

  #exchange(incoming: Incoming, route: Route): Exchange {
    const { host, origin } = incoming.url;
    return {
      services: this.services,
      incoming,
      route,
      origin,
      issuerOrigin: isMicrosoftHost(host) ? origin : this.#issuerOrigin ?? origin,
      traceId: crypto.randomUUID(),
      correlationId: sentCorrelationId(incoming) ?? crypto.randomUUID(),
    };
  }
}
