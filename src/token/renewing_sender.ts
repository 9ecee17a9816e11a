/**
 * Sends a credential that counts once with each attempt anew.
 *
 * @module
 */

import type { AppliedCredential } from "../credential/applied_credential.ts";
import type { HttpClient } from "../net/http_client.ts";

/**
 * Makes what sends one request.
 *
 * @param http What sends.
 * @param again Gets the credential for another attempt; absent where the first one's will do.
 * @param secrets Takes what was sent and must not come back in a text.
 * @returns The sender.
 */
export function renewingSender(
  http: Pick<HttpClient, "send">,
  again: (() => Promise<AppliedCredential>) | undefined,
  secrets: unknown[],
): Pick<HttpClient, "send"> {
  if (again === undefined) return http;
  let isSent = false;
  return {
    async send(request, attempt) {
      const form = new URLSearchParams(request.form);
      if (isSent) {
        const renewed = await again();
        secrets.push(...renewed.secrets);
        for (const [name, value] of Object.entries(renewed.form)) form.set(name, value);
      }
      isSent = true;
      return await http.send({ ...request, form }, attempt);
    },
  };
}
