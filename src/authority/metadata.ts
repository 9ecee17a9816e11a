/**
 * Where an authority's endpoints are: derived for Entra, discovered for any other issuer.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { endpointFault, isPrivateAddress } from "../net/endpoint.ts";
import type { HttpAnswer, HttpClient } from "../net/http_client.ts";
import type { HttpCache } from "../net/http_cache.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import { SingleFlight } from "../store/single_flight.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Authority } from "./authority.ts";
import { cloudOf } from "./known_clouds.ts";

/** After this a document is asked for again; until {@linkcode KEPT_MS} it serves while that fails. */
const FRESH_MS = 24 * 3_600_000;
const KEPT_MS = 72 * 3_600_000;
/** How long a failed renewal is not tried again. */
const RENEWAL_PAUSE_MS = 60_000;

/** What is needed of a discovery document. */
export interface AuthorityMetadata {
  /** The issuer, as the document spells it. */
  readonly issuer: string;
  /** Where tokens are asked for. */
  readonly tokenEndpoint: string;
}

/** A document and when it was read, in epoch milliseconds. */
interface Dated {
  readonly metadata: AuthorityMetadata;
  readonly readAtMs: number;
}

/** What discovery needs. */
export interface MetadataOptions {
  /** The client that sends. */
  readonly http: HttpClient;
  /** Where documents are kept between isolates. */
  readonly httpCache: HttpCache;
  /** Where the time is read. */
  readonly clock: Clock;
  /** Told when a stale document is used. */
  readonly emit?: Emit | undefined;
  /** Whether `http:` on loopback is allowed. */
  readonly insecureLoopback: boolean;
  /** The deadline for a document, in milliseconds. */
  readonly timeoutMs: number;
  /** The most bytes of a document. */
  readonly maxBytes: number;
}

/** What a call brings along. */
export interface MetadataCall {
  /** The call's correlation id. */
  readonly correlationId: string;
  /** Keeps work alive after the call. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
}

/** Finds the metadata of one `oidcAuthority`. */
export class MetadataSource {
  readonly #authority: Authority;
  readonly #options: MetadataOptions;
  readonly #flight: SingleFlight<Dated>;
  #known: Dated | undefined;
  #notBeforeMs = 0;

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param authority The issuer.
   * @param options What discovery needs.
   */
  constructor(authority: Authority, options: MetadataOptions) {
    this.#authority = authority;
    this.#options = options;
    this.#flight = new SingleFlight(options.clock);
  }

  /**
   * The issuer's metadata: from memory, from the HTTP cache, or by discovery.
   *
   * @param call The call that needs it.
   * @returns The metadata, at most three days old if the issuer cannot be reached.
   * @throws {ClientAuthError} `endpoints_resolution_error` or `issuer_mismatch`.
   * @throws {NetworkError} where the document cannot be read.
   */
  async get(call: MetadataCall): Promise<AuthorityMetadata> {
    const now = this.#options.clock.now();
    this.#known ??= await this.#recall();
    const known = this.#known;
    if (known === undefined || known.readAtMs + KEPT_MS <= now) {
      return (await this.#renew(call)).metadata;
    }
    if (known.readAtMs + FRESH_MS <= now && now >= this.#notBeforeMs) await this.#renewStale(call);
    return this.#known?.metadata ?? known.metadata;
  }

  /** Renews in the background where something keeps the promise alive, and otherwise now. */
  async #renewStale(call: MetadataCall): Promise<void> {
    const { clock, emit } = this.#options;
    const renewal = this.#renew(call).catch((error: unknown) => {
      this.#notBeforeMs = clock.now() + RENEWAL_PAUSE_MS;
      if (isAuthError(error)) emit?.({ type: "metadata_stale", error, correlationId: call.correlationId });
    });
    if (call.waitUntil === undefined) await renewal;
  }

  #renew(call: MetadataCall): Promise<Dated> {
    const deadlineMs = this.#options.timeoutMs + 1_000;
    return this.#flight.run("metadata", { waitUntil: call.waitUntil, deadlineMs }, async () => {
      const metadata = await this.#discover(call.correlationId);
      const dated = { metadata, readAtMs: this.#options.clock.now() };
      this.#known = dated;
      await this.#options.httpCache.write(await this.#cacheKey(), dated, dated.readAtMs + KEPT_MS);
      return dated;
    });
  }

  async #discover(correlationId: string): Promise<AuthorityMetadata> {
    const { http, timeoutMs, maxBytes } = this.#options;
    const url = new URL(`${this.#authority.base}/.well-known/openid-configuration`);
    const answer = await http.send({ url, purpose: "metadata", timeoutMs, maxBytes, correlationId });
    return this.#check(answer, correlationId);
  }

  /** OpenID Connect Discovery 1.0 section 4.3: the document must be the issuer's own. */
  #check(answer: HttpAnswer, correlationId: string): AuthorityMetadata {
    const { base } = this.#authority;
    const { issuer, token_endpoint: tokenEndpoint } = answer.json ?? {};
    if (answer.status !== 200 || typeof issuer !== "string" || typeof tokenEndpoint !== "string") {
      const why = answer.unusable ?? `status ${answer.status}, or issuer and token_endpoint are missing`;
      throw new ClientAuthError(
        "endpoints_resolution_error",
        `Cannot read the discovery document of oidcAuthority ${base}: ${why}. Check the issuer's URL`,
        correlationId,
      );
    }
    if (issuer.replace(/\/$/, "") !== base) {
      throw new ClientAuthError(
        "issuer_mismatch",
        `Cannot trust the discovery document of oidcAuthority ${base}: it names another issuer. ` +
          "Set oidcAuthority to the exact issuer of your provider",
        correlationId,
      );
    }
    this.#checkEndpoint(tokenEndpoint, correlationId);
    return { issuer, tokenEndpoint };
  }

  #checkEndpoint(endpoint: string, correlationId: string): void {
    const issuer = new URL(this.#authority.base);
    const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
    let fault = url === undefined ? "it is no URL" : endpointFault(url, this.#options.insecureLoopback);
    if (url !== undefined && isPrivateAddress(url) && !isPrivateAddress(issuer)) {
      fault ??= "it is a private address";
    }
    const cloud = cloudOf(issuer.host);
    if (url !== undefined && cloud !== undefined && !cloud.includes(url.host)) {
      fault ??= "it is in another cloud";
    }
    if (fault === undefined) return;
    throw new ClientAuthError(
      "endpoints_resolution_error",
      `Cannot use the token_endpoint that oidcAuthority ${issuer.host} names: ${fault}`,
      correlationId,
    );
  }

  /** What another isolate found, if it can be believed: it is checked as a fresh document is. */
  async #recall(): Promise<Dated | undefined> {
    const { httpCache } = this.#options;
    if (!httpCache.trusted) return undefined;
    const found = await httpCache.read(await this.#cacheKey()) as Partial<Dated> | undefined;
    const { metadata, readAtMs } = found ?? {};
    if (typeof readAtMs !== "number" || typeof metadata?.tokenEndpoint !== "string") return undefined;
    return { metadata, readAtMs };
  }

  #cacheKey(): Promise<string> {
    return this.#options.httpCache.keyOf(["metadata", this.#authority.base]);
  }
}
