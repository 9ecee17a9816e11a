/**
 * Sends token requests with what binds the token to a key.
 *
 * @module
 */

import { ClientAuthError, nameOf, NetworkError } from "../errors/errors.ts";
import type { HttpAnswer, HttpClient, HttpRequest, PerPurpose } from "../net/http_client.ts";
import type { AppliedScheme, AuthScheme } from "../request/auth_scheme.ts";
import type { Clock } from "../runtime/clock.ts";
import { withDeadline } from "../runtime/wait.ts";

/** Nonces of more origins than this are not remembered. */
const MAX_ORIGINS = 100;
/** RFC 9449 section 8.1. */
const NONCE = /^[\x21\x23-\x5b\x5d-\x7e]{1,1024}$/;
/** The authority wants a proof with its nonce in it, RFC 9449 section 8. */
export const NONCE_REFUSAL = "use_dpop_nonce";

/** What sending needs of an application. */
interface SenderOptions {
  readonly clock: Clock;
  readonly timeoutMs: PerPurpose;
}

/** Sends bound token requests, and remembers the nonces of their endpoints. */
export class BoundSender {
  readonly #options: SenderOptions;
  readonly #nonces = new Map<string, string>();

  /**
   * Makes a sender that knows no nonce yet.
   *
   * @param options Whose time proofs tell, and how long an attempt may take.
   */
  constructor(options: SenderOptions) {
    this.#options = options;
  }

  /**
   * What sends one request: with a new proof at each attempt, and once more for a nonce.
   *
   * @param scheme What binds.
   * @param http What sends.
   * @param secrets Takes what was sent and must not come back in a text.
   * @returns The sender. Each attempt ends by the deadline of a token request, the one for a nonce included.
   */
  senderOf(
    scheme: AuthScheme,
    http: Pick<HttpClient, "send">,
    secrets: unknown[],
  ): Pick<HttpClient, "send"> {
    const { clock, timeoutMs: { token } } = this.#options;
    let hasNonce = false;
    let isSigning = true;
    const send = async (request: HttpRequest, attempt?: number): Promise<HttpAnswer> => {
      const { url: { origin } } = request;
      isSigning = true;
      const { form, headers } = await this.#apply(scheme, request);
      isSigning = false;
      secrets.push(...Object.values({ ...form, ...headers }));
      const answer = await http.send({
        ...request,
        form: new URLSearchParams([...request.form ?? [], ...Object.entries(form ?? {})]),
        headers: { ...request.headers, ...headers },
        secrets,
      }, attempt);
      const isGiven = this.#note(origin, answer.dpopNonce);
      if (hasNonce || !isGiven || Object(answer.body).error !== NONCE_REFUSAL) return answer;
      // A nonce that is refused, too, is the authority's fault.
      hasNonce = true;
      return await send(request, attempt);
    };
    return {
      send: (request, attempt) =>
        withDeadline(clock, send(request, attempt), token, () => {
          if (isSigning) throw failure(`took more than ${token} ms`, request);
          const why = `Cannot get a token: ${request.url.host}: none came in ${token} ms (option timeoutMs)`;
          throw new NetworkError("request_timeout", why, request.correlationId, 0, attempt);
        }),
    };
  }

  async #apply(scheme: AuthScheme, request: HttpRequest): Promise<AppliedScheme> {
    const { origin, pathname } = request.url;
    const nowSeconds = Math.floor(this.#options.clock.now() / 1000);
    const nonce = this.#nonces.get(origin);
    try {
      return { ...await scheme.tokenRequest({ url: origin + pathname, nowSeconds, nonce }) };
    } catch (error) {
      // A key vault's message may hold anything.
      throw failure(`threw ${nameOf(error)}`, request);
    }
  }

  #note(origin: string, nonce: string | null | undefined): boolean {
    if (!NONCE.test(nonce ?? "")) return false;
    this.#nonces.delete(origin);
    this.#nonces.set(origin, nonce as string);
    const [oldest = ""] = this.#nonces.keys();
    if (this.#nonces.size > MAX_ORIGINS) this.#nonces.delete(oldest);
    return true;
  }
}

function failure(what: string, { correlationId }: HttpRequest): ClientAuthError {
  return new ClientAuthError("auth_scheme_failed", `Cannot get a token: authScheme ${what}`, correlationId);
}
