/**
 * Answers requests: finds the endpoint, plays faults, keeps the log.
 *
 * @module
 */
import { isMicrosoftHost } from "./clouds.ts";
import { answerDeviceCode } from "./device.ts";
import { EntraError } from "./entra_error.ts";
import { entraErrorResponse, oauthErrorResponse } from "./error_answer.ts";
import { type Exchange, jsonResponse, sentCorrelationId, type Services } from "./exchange.ts";
import { playFault } from "./fault_response.ts";
import type { FaultKind, Faults, PlayedFault } from "./faults.ts";
import { answerGraph } from "./graph_api.ts";
import { graphGuarded } from "./graph_error.ts";
import { formOf, type Incoming } from "./incoming.ts";
import { answerInstanceDiscovery } from "./instance_discovery.ts";
import { answerJwks } from "./jwks.ts";
import { OAuthError } from "./oauth_error.ts";
import { answerDiscovery } from "./openid_configuration.ts";
import { answerAuthorize, answerDevicePage, answerLogout } from "./pages/mod.ts";
import { answerPushedRequest } from "./pushed_requests.ts";
import { loggable, type LoggedRequest, type RequestLog } from "./request_log.ts";
import { type RequestKind, type Route, routeOf, type Surface } from "./router.ts";
import { shapedRoute } from "./shapes/route.ts";
import { UNBOUND } from "./binding.ts";
import { answerToken } from "./token_endpoint.ts";
import { answerUserInfo } from "./userinfo.ts";

type Endpoint = (exchange: Exchange) => Response | Promise<Response>;

const ENDPOINTS: Readonly<Record<Route["kind"], Endpoint>> = {
  token: answerToken,
  discovery: (exchange) => readOnly(exchange, answerDiscovery),
  instance: (exchange) => readOnly(exchange, answerInstanceDiscovery),
  jwks: (exchange) => readOnly(exchange, answerJwks),
  api: (exchange) => graphGuarded(exchange, answerGraph),
  userinfo: (exchange) => graphGuarded(exchange, answerUserInfo),
  authorize: answerAuthorize,
  par: answerPushedRequest,
  devicecode: answerDeviceCode,
  device: answerDevicePage,
  logout: answerLogout,
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
    if (cause instanceof OAuthError) return oauthErrorResponse(exchange, cause);
    if (!(cause instanceof EntraError)) throw cause;
    return entraErrorResponse(exchange, cause, cause.status === 405 ? { allow: "POST" } : {});
  }
}

function logEntry(
  incoming: Incoming,
  kind: RequestKind,
  { tenant, shape }: Partial<Route> = {},
): Omit<LoggedRequest, "status"> {
  const form = formOf(incoming);
  const clientId = form?.get("client_id") ?? incoming.url.searchParams.get("client_id");
  const fields = {
    clientId: loggable(clientId),
    grantType: loggable(form?.get("grant_type")),
    tenant: loggable(shape?.segment ?? tenant?.toLowerCase()),
    policy: shape?.policy,
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
    const route = this.#route(incoming, surfaces);
    const complete = this.log.begin(logEntry(incoming, route.kind, route));
    const fault = this.faults.take(route.kind);
    let played: FaultKind | undefined = fault?.kind;
    const logged = (status: number): void => complete({ status, ...(played ? { fault: played } : {}) });
    logged(0);
    const exchange = this.#exchange(incoming, route, () => {
      const forged = this.faults.takeIdToken();
      played ??= forged?.kind;
      return forged;
    });
    const response = await this.#played(fault, exchange);
    logged(response.status);
    return response;
  }

  /** The exchange of a request that is read, and answered in another way than with a response. */
  exchangeFor(incoming: Incoming, surfaces: readonly Surface[]): Exchange {
    const route = this.#route(incoming, surfaces);
    return this.#exchange(incoming, route, () => this.faults.takeIdToken());
  }

  /** Logs a request that nobody here answers. */
  refuse(incoming: Incoming): void {
    this.log.begin(logEntry(incoming, "foreign"));
  }

  /** Whether a host is one of a declared tenant's own. */
  ownsHost(host: string): boolean {
    return this.services.directory.tenantAtHost(host) !== undefined;
  }

  #route({ url }: Incoming, surfaces: readonly Surface[]): Route {
    const shaped = surfaces.includes("login")
      ? shapedRoute(this.services.directory, url, this.#issuerOrigin)
      : undefined;
    return shaped ?? routeOf(url.pathname, surfaces);
  }

  async #played(fault: PlayedFault | undefined, exchange: Exchange): Promise<Response> {
    const ordinary = (): Promise<Response> => ordinaryAnswer(exchange);
    return fault ? await playFault(fault, exchange, ordinary) : await ordinary();
  }

  #exchange(incoming: Incoming, route: Route, takeIdTokenFault: Exchange["takeIdTokenFault"]): Exchange {
    const { host, origin } = incoming.url;
    return {
      services: this.services,
      incoming,
      route,
      origin,
      issuerOrigin: route.shape?.issuerOrigin ??
        (isMicrosoftHost(host) ? origin : this.#issuerOrigin ?? origin),
      traceId: crypto.randomUUID(),
      correlationId: sentCorrelationId(incoming) ?? crypto.randomUUID(),
      binding: UNBOUND,
      takeIdTokenFault,
    };
  }
}
