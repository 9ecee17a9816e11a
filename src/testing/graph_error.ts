/**
 * Errors as Microsoft Graph answers them.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/graph/errors | Microsoft Graph error responses}
 */
import { cloudOfGraphHost, GRAPH_APP_ID } from "./clouds.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";

/** An error in the shape that Graph answers. */
export class GraphError extends Error {
  readonly status: number;
  readonly code: string;
  /** What the `WWW-Authenticate` header of a 401 says besides. */
  readonly challenge: string;
  /** Headers that replace those of the answer. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(
    status: number,
    code: string,
    text: string,
    challenge = "",
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(text);
    this.name = "GraphError";
    this.status = status;
    this.code = code;
    this.challenge = challenge;
    this.headers = headers;
  }
}

/** Whether the request is for Microsoft Graph, and not for a login endpoint. */
export function isGraphRoute({ route }: Exchange): boolean {
  return route.kind === "api" || route.kind === "userinfo";
}

/** The origin where tokens for this face of Graph are issued. */
export function loginOrigin(exchange: Exchange): string {
  const cloud = cloudOfGraphHost(new URL(exchange.origin).host);
  return cloud ? `https://${cloud.hosts[0]}` : exchange.origin;
}

/** Answers with an error as Graph writes it; a 401 also says where to get a token. */
export function graphErrorResponse(
  exchange: Exchange,
  failure: {
    readonly status: number;
    readonly code: string;
    readonly message: string;
    readonly challenge?: string;
  },
  headers: Readonly<Record<string, string>> = {},
): Response {
  const { traceId, correlationId } = exchange;
  const date = new Date(exchange.services.clock.now()).toISOString().slice(0, 19);
  const innerError = { date, "request-id": traceId, "client-request-id": correlationId };
  const challenge =
    `Bearer realm="", authorization_uri="${loginOrigin(exchange)}/common/oauth2/authorize", ` +
    `client_id="${GRAPH_APP_ID}"${failure.challenge ?? ""}`;
  const body = { error: { code: failure.code, message: failure.message, innerError } };
  return jsonResponse(exchange, body, failure.status, {
    "cache-control": "no-store",
    ...(failure.status === 401 ? { "www-authenticate": challenge } : {}),
    ...headers,
  });
}

/** Answers with what an endpoint of Graph answers, its errors included. */
export async function graphGuarded(
  exchange: Exchange,
  endpoint: (exchange: Exchange) => Promise<Response>,
): Promise<Response> {
  try {
    return await endpoint(exchange);
  } catch (cause) {
    if (cause instanceof GraphError) return graphErrorResponse(exchange, cause, cause.headers);
    throw cause;
  }
}
