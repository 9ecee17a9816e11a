/**
 * Assertions of a Kubernetes cluster.
 *
 * @module
 */

import { withDeadline } from "../runtime/wait.ts";
import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { keptAssertion } from "./kept_assertion.ts";
import { type AssertionSourceOptions, readSource, requireFunction } from "./source_options.ts";

/** The options of {@linkcode kubernetesAssertion}. */
export interface KubernetesAssertionOptions extends Omit<AssertionSourceOptions, "fetch"> {
  /** Reads the file of the projected token; the kubelet renews it. */
  readonly readToken: () => string | Promise<string>;
}

/**
 * A projected service account token: workload identity of AKS, and of EKS, GKE or any cluster whose issuer Entra can reach.
 * `workloadIdentity()` of `@msal-edge/msal/host` does this from the environment of AKS.
 *
 * @param options How to read the token.
 * @returns A function for `{ clientAssertion }`, which reads the token again when the last one is about to end, or was refused.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function kubernetesAssertion(options: KubernetesAssertionOptions): ClientAssertionProvider {
  const settings = readSource(options);
  const { readToken } = Object(options) as KubernetesAssertionOptions;
  requireFunction(readToken, "readToken");
  const { clock, timeoutMs } = settings;
  return keptAssertion({
    settings,
    requests: 1,
    keyOf: () => "",
    get: (_key, { correlationId }) =>
      withDeadline(clock, Promise.resolve().then(readToken), timeoutMs, () => {
        const why = `Cannot get an assertion: readToken took more than ${timeoutMs} ms`;
        throw new ClientAuthError("client_credential_failed", why, correlationId);
      }),
  });
}
