/**
 * Sign-in on another device, RFC 8628.
 *
 * @module
 */

import { ClientAuthError, refuse, requireObject } from "../errors/errors.ts";
import { type AuthError, isAuthError } from "../errors/auth_error.ts";
import type { ServerErrorDetails } from "../errors/server_error.ts";
import { mergeClaims } from "../request/claims.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import { decorateScopes } from "../request/scopes.ts";
import type { DeviceFlow, DeviceFlowRequest, DevicePollRequest } from "../request/user_requests.ts";
import type { DeviceFlowOutcome } from "../result/authentication_result.ts";
import { pause, untilAborted } from "../runtime/wait.ts";
import { parseDeviceResponse, readDeviceFlow } from "../token/device_response.ts";
import { buildUserForm, DEVICE_CODE_GRANT } from "../token/grant_user.ts";
import { ACQUIRE_TOKEN_BY_DEVICE_FLOW } from "../token/telemetry.ts";
import { requireKeyOf } from "./bound_tokens.ts";
import { redeemBrought } from "./brought_grant.ts";
import type { Engine } from "./engine.ts";
import { handOut, requireTokenRequest, type TokenFound } from "./token_found.ts";
import type { UserGrants } from "./user_grants.ts";
import { tenantOf, userScopesOf } from "./user_query.ts";

/** By how much `slow_down` lengthens the interval, RFC 8628 section 3.5. */
const SLOW_DOWN_SECONDS = 5;
/** The longest pause after failures, unless the authority asks for a longer one. */
const MAX_PAUSE_SECONDS = 60;

/** A failure that says nothing of the sign-in. */
type Outage = AuthError & Partial<ServerErrorDetails>;

/** Runs the device sign-ins of a public client. */
export class DeviceFlows {
  readonly #engine: Engine;
  readonly #grants: UserGrants;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param grants Redeems device codes.
   */
  constructor(engine: Engine, grants: UserGrants) {
    this.#engine = engine;
    this.#grants = grants;
  }

  /**
   * Begins a sign-in.
   *
   * @param request The request.
   * @returns What to tell the user, and what to poll with.
   */
  async initiate(request: DeviceFlowRequest): Promise<DeviceFlow> {
    const { configuration } = this.#engine;
    const { authority, clientCapabilities, clientId, clock, excludeScopes, waitUntil } = configuration;
    const { scopes: asked, tenantId, authScheme } = request ?? {};
    // All of it before the first wait: the caller may change the request then.
    const scopes = [...userScopesOf(configuration, asked)];
    requireTokenRequest(request);
    const tenant = tenantOf(authority, tenantId);
    const extraQuery = requireExtraParameters(request.extraQueryParameters, "extraQueryParameters");
    const extraBody = requireExtraParameters(request.extraBodyParameters, "extraBodyParameters");
    const claims = mergeClaims(request.claims, clientCapabilities);
    this.#engine.requireNoResource([...extraQuery, ...extraBody]);
    const sendCorrelationId = request.correlationId !== undefined;
    const correlationId = request.correlationId ?? crypto.randomUUID();
    const { signal } = request;
    const found = Promise.resolve(this.#engine.metadata.endpoints(tenant, correlationId, waitUntil));
    const { deviceAuthorization } = await untilAborted(found, signal, correlationId);
    if (deviceAuthorization === undefined) {
      throw this.#engine.noEndpoint("device_authorization_endpoint", correlationId);
    }
    const url = new URL(deviceAuthorization);
    for (const pair of extraQuery) url.searchParams.append(...pair);
    const extra = Object.fromEntries(extraBody);
    const form = buildUserForm(
      { clientId, claims, scopes: decorateScopes(scopes, excludeScopes), isEntra: false, extra },
      {},
    );
    const work = this.#engine.tokenEndpoint.request({
      url,
      form,
      apiId: ACQUIRE_TOKEN_BY_DEVICE_FLOW,
      reason: "not_applicable",
      correlationId,
      sendCorrelationId,
      isOneTime: true,
    }, parseDeviceResponse);
    const { expiresInSeconds, ...shown } = await untilAborted(work, signal, correlationId);
    return {
      version: 1,
      ...shown,
      clientId,
      authority: this.#engine.authorityOf(tenant),
      scopes,
      ...(claims !== undefined && { claims }),
      ...(authScheme !== undefined && { keyId: authScheme.keyId }),
      correlationId,
      expiresAt: Math.floor(clock.now() / 1000) + expiresInSeconds,
    };
  }

  /**
   * Asks whether the user is done, once or until they are.
   *
   * @param given The flow.
   * @param request How to ask.
   * @returns The tokens, or the flow to ask with next.
   */
  async acquire(
    given: DeviceFlow,
    request: DevicePollRequest = {},
  ): Promise<DeviceFlowOutcome> {
    const { clock } = this.#engine.configuration;
    let flow = readDeviceFlow(given);
    const { signal, poll = "until-done", onProgress } = requireObject(request, "request");
    requireTokenRequest({ ...request, correlationId: flow.correlationId });
    requireKeyOf(flow, request.authScheme);
    if (poll !== "once" && poll !== "until-done") {
      refuse("invalid_request", "poll", "it must be once or until-done");
    }
    if (onProgress !== undefined && typeof onProgress !== "function") {
      refuse("invalid_request", "onProgress", "it must be a function");
    }
    const tenant = this.#engine.tenantOfFlow(flow);
    const startedMs = clock.now();
    for (let polls = 1, failures = 0;; polls++) {
      const outcome = await this.#poll(flow, tenant, request);
      if ("token" in outcome) {
        return handOut(this.#engine, outcome, flow, "not_applicable", clock.now() - startedMs);
      }
      flow = outcome.flow;
      if (poll === "once") {
        if (outcome.outage !== undefined) throw outcome.outage;
        return { status: "pending", flow };
      }
      // Section 3.5: after each failure of the network twice as long.
      failures = outcome.outage === undefined ? 0 : failures + 1;
      const pauseSeconds = Math.max(
        flow.intervalSeconds,
        Math.min(flow.intervalSeconds * 2 ** failures, MAX_PAUSE_SECONDS),
        outcome.outage?.retryAfterSeconds ?? 0,
      );
      const leftSeconds = Math.max(flow.expiresAt - clock.now() / 1000, 0);
      const nextPollInSeconds = Math.ceil(Math.min(pauseSeconds, leftSeconds));
      onProgress?.({ polls, nextPollInSeconds, expiresAt: flow.expiresAt });
      await pause(clock, nextPollInSeconds * 1000, signal, flow.correlationId);
    }
  }

  async #poll(
    flow: DeviceFlow,
    tenant: string,
    request: DevicePollRequest,
  ): Promise<TokenFound | { readonly flow: DeviceFlow; readonly outage?: Outage }> {
    const { clock } = this.#engine.configuration;
    const { correlationId, intervalSeconds, expiresAt } = flow;
    const expired = (): ClientAuthError =>
      new ClientAuthError(
        "device_code_expired",
        "Cannot sign in: the code has expired. Begin again",
        correlationId,
      );
    if (expiresAt * 1000 <= clock.now()) throw expired();
    try {
      return await this.#redeem(flow, tenant, request);
    } catch (error) {
      const outage = (isAuthError(error) ? error : {}) as Partial<Outage>;
      const { error: code = "" } = outage;
      if (code === "authorization_pending") return { flow };
      if (code === "slow_down") {
        return { flow: { ...flow, intervalSeconds: intervalSeconds + SLOW_DOWN_SECONDS } };
      }
      if (outage.name === "NetworkError" || outage.retryable) return { flow, outage: outage as Outage };
      if (code === "expired_token") throw expired();
      if (code === "access_denied" || code === "authorization_declined") {
        throw new ClientAuthError(
          "authorization_declined",
          "Cannot sign in: the user declined",
          correlationId,
        );
      }
      throw error;
    }
  }

  #redeem(
    flow: DeviceFlow,
    tenant: string,
    { authScheme, signal, waitUntil }: DevicePollRequest,
  ): Promise<TokenFound> {
    const { claims, correlationId, deviceCode, scopes } = flow;
    const work = redeemBrought(this.#engine, this.#grants, {
      tenant,
      scopes,
      grant: { grant_type: DEVICE_CODE_GRANT, device_code: deviceCode },
      sendsScopes: false,
      claims,
      authScheme,
      apiId: ACQUIRE_TOKEN_BY_DEVICE_FLOW,
      reason: "not_applicable",
      isOneTime: true,
      expected: {},
      requiresIdToken: true,
      // The flow's id is the library's own, or was sent when the flow began.
      sendCorrelationId: false,
    }, { correlationId, waitUntil });
    return untilAborted(work, signal, correlationId);
  }
}
