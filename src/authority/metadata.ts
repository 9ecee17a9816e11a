/**
 * Where a generic issuer's endpoints are: OpenID Connect Discovery 1.0.
 *
 * @module
 */

import type { ClientAuthErrorCode } from "../errors/error_codes.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { endpointFault, isAddress } from "../net/endpoint.ts";
import type { HttpAnswer, HttpClient, PerPurpose } from "../net/http_client.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { SingleFlight } from "../store/single_flight.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Authority } from "./authority.ts";
import { cloudOf } from "./known_clouds.ts";

/** After a day a document is asked for again; it serves on while that fails. */
const FRESH_MS = 86_400_000;
/** How long a failed renewal is not tried again. */
const RENEWAL_PAUSE_MS = 60_000;

/** What discovery needs of an application. */
export interface MetadataOptions {
  /** Where the time is read. */
  readonly clock: Clock;
  /** Told when a stale document is used. */
  readonly emit?: Emit | undefined;
  /** Whether `http:` on loopback is allowed. */
  readonly insecureLoopback: boolean;
  /** The deadline of a document, in milliseconds. */
  readonly timeoutMs: PerPurpose;
}

/** Finds the endpoints of one `oidcAuthority`. */
export class MetadataSource {
  readonly #authority: Authority;
  readonly #http: HttpClient;
  readonly #options: MetadataOptions;
  readonly #flight: SingleFlight<string>;
  #known: string | undefined;
  #renewAtMs = 0;

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param authority The issuer.
   * @param http The client that sends.
   * @param options What discovery needs of the application.
   */
  constructor(authority: Authority, http: HttpClient, options: MetadataOptions) {
    this.#authority = authority;
    this.#http = http;
    this.#options = options;
    this.#flight = new SingleFlight(options.clock);
  }

  /**
   * The issuer's token endpoint: from memory, or by discovery.
   *
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The endpoint; that of the last document if the issuer cannot be reached.
   * @throws {ClientAuthError} `endpoints_resolution_error` or `issuer_mismatch`.
   * @throws {NetworkError} where the document cannot be read.
   */
  async tokenEndpoint(correlationId: string, waitUntil: WaitUntil | "detached" | undefined): Promise<string> {
    const { clock, emit } = this.#options;
    const known = this.#known;
    if (known === undefined) return await this.#renew(correlationId, waitUntil);
    if (clock.now() < this.#renewAtMs) return known;
    this.#renewAtMs = clock.now() + RENEWAL_PAUSE_MS;
    const renewal = this.#renew(correlationId, waitUntil).catch((error) => {
      emit?.({ type: "metadata_stale", error });
      return known;
    });
    return waitUntil === undefined ? await renewal : known;
  }

  #renew(correlationId: string, waitUntil: WaitUntil | "detached" | undefined): Promise<string> {
    const { clock, timeoutMs } = this.#options;
    return this.#flight.run("", { waitUntil, deadlineMs: 2 * timeoutMs.metadata }, async () => {
      const url = new URL(`${this.#authority.base}/.well-known/openid-configuration`);
      const answer = await this.#http.send({ url, purpose: "metadata", correlationId });
      this.#known = this.#check(answer, correlationId);
      this.#renewAtMs = clock.now() + FRESH_MS;
      return this.#known;
    });
  }

  /** Section 4.3: the document must be the issuer's own. */
  #check({ status, body }: HttpAnswer, correlationId: string): string {
    const { base } = this.#authority;
    const fail = (code: ClientAuthErrorCode, why: string): never => {
      throw new ClientAuthError(
        code,
        `Cannot get a token: the discovery document of ${base}: ${why}`,
        correlationId,
      );
    };
    const { issuer, token_endpoint: endpoint } = typeof body === "string" ? {} : body;
    if (
      status !== 200 || typeof issuer !== "string" || typeof endpoint !== "string" || !URL.canParse(endpoint)
    ) {
      const why = typeof body === "string" ? body : "issuer or token_endpoint is missing";
      return fail("endpoints_resolution_error", `${why} (status ${status}). Check oidcAuthority`);
    }
    if (issuer.replace(/\/$/, "") !== base) {
      fail("issuer_mismatch", "it names another issuer: give the exact one");
    }
    const fault = this.#endpointFault(new URL(endpoint));
    return fault === undefined
      ? endpoint
      : fail("endpoints_resolution_error", `its token_endpoint: ${fault}`);
  }

  #endpointFault(url: URL): string | undefined {
    const issuer = new URL(this.#authority.base);
    const cloud = cloudOf(issuer.host);
    if (isAddress(url) && !isAddress(issuer)) return "it is an address, not a name";
    if (cloud !== undefined && !cloud.includes(url.host)) return "it is in another cloud";
    return endpointFault(url, this.#options.insecureLoopback);
  }
}
