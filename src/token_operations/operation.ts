/**
 * What the operations have in common.
 *
 * @module
 */

import type { BackChannel } from "../authority/provider_metadata.ts";
import { type ClientApplication, openApplication } from "../client/client_application.ts";
import type { Engine, GrantRequest } from "../client/engine.ts";
import { guarded, requireTokenRequest } from "../client/token_found.ts";
import { ClientAuthError, refuse, requireObject } from "../errors/errors.ts";
import type { ServerError } from "../errors/server_error.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { untilAborted } from "../runtime/wait.ts";
import { readErrorAnswer, toServerError } from "../token/error_response.ts";
import type { Parse } from "../token/token_endpoint.ts";

/** What each operation may carry. */
export interface OperationRequest {
  /** Ends the caller's wait. */
  readonly signal?: AbortSignal | undefined;
  /** The `client-request-id` to send, a GUID. */
  readonly correlationId?: string | undefined;
  /** Keeps work alive after the response: `(promise) => ctx.waitUntil(promise)` on Workers. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
}

/** One call of an operation. */
export interface Operation {
  /** The application's parts. */
  readonly engine: Engine;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
  /** Sends a form with the application's credential. */
  readonly send: <T extends object>(
    endpoint: BackChannel,
    form: readonly (readonly [string, string | undefined])[],
    parse: Parse<T>,
    more?: Partial<Pick<GrantRequest, "accept" | "isOneTime" | "read">>,
  ) => Promise<T>;
  /** The error for an answer that is no use. */
  readonly unusable: (why: string) => ServerError;
}

function engineOf(app: ClientApplication): Engine {
  try {
    return openApplication(app).engine;
  } catch {
    refuse("invalid_request", "app", "it must be an application of this library");
  }
}

/**
 * Runs an operation.
 *
 * @param app The application.
 * @param request The request.
 * @param instead What to do at an authority of Microsoft's, which has no such endpoint.
 * @param work The operation: it reads the request before it waits for anything.
 * @returns What the operation gives.
 */
export async function operate<T>(
  app: ClientApplication,
  request: OperationRequest,
  instead: string,
  work: (operation: Operation) => Promise<T>,
): Promise<T> {
  const engine = engineOf(app);
  return await guarded(engine, async () => {
    requireTokenRequest(requireObject(request, "request"));
    const { signal, correlationId = crypto.randomUUID() } = request;
    const { authority } = engine.configuration;
    if (authority.type !== "oidc") {
      throw new ClientAuthError("endpoints_resolution_error", `Cannot go on: ${instead}`, correlationId);
    }
    return await untilAborted(work(operationOf(engine, request, correlationId)), signal, correlationId);
  });
}

function operationOf(engine: Engine, request: OperationRequest, correlationId: string): Operation {
  const { authority, clientId, waitUntil: own } = engine.configuration;
  const waitUntil = request.waitUntil ?? own;
  const sendCorrelationId = request.correlationId !== undefined;
  const { host } = new URL(authority.base);
  return {
    engine,
    correlationId,
    waitUntil,
    send: (endpoint, members, parse, more) => {
      const form = new URLSearchParams([["client_id", clientId]]);
      for (const [name, value] of members) if (value !== undefined) form.append(name, value);
      const sent = { tenant: authority.tenant, form, correlationId, sendCorrelationId, waitUntil, ...more };
      // Only Microsoft is told a number.
      return engine.request(endpoint, { ...sent, apiId: "", reason: "not_applicable" }, parse);
    },
    unusable: (why) =>
      toServerError(readErrorAnswer(200, {}, []), host, correlationId, undefined, why) as ServerError,
  };
}

/**
 * Checks a token that is sent.
 *
 * @param value What the caller gave.
 * @param name The request member's name.
 * @returns The token.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function requireToken(value: unknown, name: string): string {
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  refuse("invalid_request", name, "it must be a token");
}

/**
 * Checks what kind of token it probably is.
 *
 * @param hint What the caller gave.
 * @returns The hint.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function optionalHint(hint: unknown): string | undefined {
  if (hint === undefined || (typeof hint === "string" && /^[\w.:-]{1,100}$/.test(hint))) return hint;
  refuse("invalid_request", "tokenTypeHint", "it must be access_token or refresh_token");
}
