/**
 * Sign-in through the browser of the person who runs the application.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { requireExtraParameters } from "../request/extra_parameters.ts";
import type { InteractiveRequest } from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { abortError, untilAborted } from "../runtime/wait.ts";
import { ACQUIRE_TOKEN_INTERACTIVE } from "../token/telemetry.ts";
import type { AuthCodeFlows } from "./auth_code_flows.ts";
import { requireTokenRequest } from "./token_found.ts";

/**
 * Runs a code flow whose answer a receiver takes.
 *
 * @param codes The application's code flows.
 * @param request The request.
 * @returns The tokens.
 */
export async function acquireInteractively(
  codes: AuthCodeFlows,
  request: InteractiveRequest,
): Promise<AuthenticationResult> {
  const { receiver, timeoutMs, waitUntil, extraBodyParameters, ...asked } = request ?? {};
  const { signal } = asked;
  if (typeof receiver?.open !== "function") {
    refuse("invalid_request", "receiver", "it must be a receiver, such as new LoopbackReceiver() of ./host");
  }
  const isTime = typeof timeoutMs === "number" && timeoutMs > 0 &&
    (timeoutMs < 2 ** 31 || timeoutMs === Infinity);
  if (timeoutMs !== undefined && !isTime) {
    refuse("invalid_request", "timeoutMs", "it must be a number of milliseconds, or Infinity");
  }
  requireExtraParameters(extraBodyParameters, "extraBodyParameters");
  requireTokenRequest(request);
  const listener = await receiver.open({ ...(signal !== undefined && { signal }) });
  try {
    const { redirectUri, responseMode } = listener;
    const flow = await codes.initiate({ ...asked, redirectUri, responseMode });
    const answer = listener.receive({
      authUri: flow.authUri,
      state: flow.state,
      ...(timeoutMs !== undefined && { timeoutMs }),
      ...(signal !== undefined && { signal }),
    });
    // A receiver may end with the signal's own reason, or not at all.
    const response = await untilAborted(answer, signal, flow.correlationId).catch((error) => {
      throw signal?.aborted ? abortError(signal, flow.correlationId) : error;
    });
    const own = { signal, waitUntil, extraBodyParameters, authScheme: asked.authScheme };
    return await codes.redeemFlow(flow, response, own, ACQUIRE_TOKEN_INTERACTIVE);
  } finally {
    // The user has signed in, or has not: how the listener ends changes neither.
    await Promise.resolve().then(() => listener.close()).catch(() => {});
  }
}
