/**
 * Where the browser is sent for a sign-in; announced to the authority before where that is wanted, RFC 9126.
 *
 * @module
 */

import type { HttpAnswer } from "../net/http_client.ts";
import {
  authorizationParameters,
  type AuthorizationUrlParameters,
  withParameters,
} from "../request/authorization_url.ts";
import type { Parse } from "../token/token_endpoint.ts";
import { ACQUIRE_TOKEN_BY_CODE } from "../token/telemetry.ts";
import type { Engine } from "./engine.ts";

/** Where to send the browser, as a flow has it. */
export interface SignInUrl {
  /** The URL. */
  readonly authUri: string;
  /** When it ends, in seconds since the epoch, if it does. */
  readonly authUriExpiresAt?: number;
}

interface Pushed {
  readonly requestUri: string;
  readonly authUriExpiresAt: number;
}

/** Section 2.2. */
const parsePushed: Parse<Pushed> = (
  { request_uri: requestUri, expires_in: lifetime },
  requestedAtSeconds,
) => {
  if (typeof requestUri !== "string" || !/^[a-z][a-z\d+.-]*:[\x21-\x7e]{1,2000}$/i.test(requestUri)) {
    return "request_uri is missing";
  }
  if (!(typeof lifetime === "number" && lifetime > 0 && lifetime < 2 ** 31)) return "expires_in is missing";
  return { requestUri, authUriExpiresAt: requestedAtSeconds + Math.floor(lifetime) };
};

/**
 * Makes the URL of a sign-in.
 *
 * @param engine The application's parts.
 * @param parameters What to ask for, checked.
 * @param tenant The tenant.
 * @param correlationId The call's correlation id.
 * @param sendCorrelationId Whether the caller chose it.
 * @returns The URL.
 * @throws {ClientAuthError} `endpoints_resolution_error` where the authority lacks an endpoint.
 * @throws {ServerError} where it refuses what was announced.
 */
export async function signInUrl(
  engine: Engine,
  parameters: AuthorizationUrlParameters,
  tenant: string,
  correlationId: string,
  sendCorrelationId: boolean,
): Promise<SignInUrl> {
  const { pushedAuthorizationRequests, waitUntil } = engine.configuration;
  const asked = authorizationParameters(parameters);
  engine.requireNoResource(asked);
  const { authorization, requiresPushedAuthorization } = await engine.metadata.endpoints(
    tenant,
    correlationId,
    waitUntil,
  );
  if (authorization === undefined) throw engine.noEndpoint("authorization_endpoint", correlationId);
  if (!pushedAuthorizationRequests && !requiresPushedAuthorization) {
    return { authUri: withParameters(authorization, asked) };
  }
  const request = {
    tenant,
    form: new URLSearchParams(asked),
    isOneTime: true,
    // A success is a 201 there.
    read: ({ status, body }: HttpAnswer) => status === 201 && typeof body !== "string" ? body : undefined,
    apiId: ACQUIRE_TOKEN_BY_CODE,
    reason: "not_applicable",
    correlationId,
    sendCorrelationId,
    waitUntil,
  } as const;
  const { requestUri, authUriExpiresAt } = await engine.request(
    "pushedAuthorizationRequest",
    request,
    parsePushed,
  );
  // Section 4: nothing else, so that nothing contradicts what was announced.
  const front = [["client_id", parameters.clientId], ["request_uri", requestUri]] as const;
  return { authUri: withParameters(authorization, front), authUriExpiresAt };
}
