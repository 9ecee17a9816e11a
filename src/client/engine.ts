/**
 * The parts of an application, put together.
 *
 * @module
 */

import { aadTokenEndpoint } from "../authority/authority.ts";
import { MetadataSource } from "../authority/metadata.ts";
import { AppPartitions } from "../cache/app_partition.ts";
import { type CacheCore, openCache } from "../cache/token_cache.ts";
import type { CacheError } from "../errors/errors.ts";
import { HttpCache } from "../net/http_cache.ts";
import { HttpClient } from "../net/http_client.ts";
import { MAX_RETRY_WAIT_MS } from "../net/retry.ts";
import { Throttle } from "../net/throttle.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { GuardedStore } from "../store/guarded_store.ts";
import { Telemetry } from "../token/telemetry.ts";
import { TokenEndpoint } from "../token/token_endpoint.ts";
import { type Configuration, resolveConfiguration } from "./configuration.ts";
import type { ClientApplicationOptions } from "./options.ts";

/** What store reads and writes and timers may add to a flight. */
const FLIGHT_SLACK_MS = 10_000;

/** The parts of an application. */
export class Engine {
  /** The checked options. */
  readonly configuration: Configuration;
  /** The tokens. */
  readonly cache: CacheCore;
  /** The store behind the tokens, if there is one. */
  readonly partitions: AppPartitions | undefined;
  /** Where tokens are asked for. */
  readonly tokenEndpoint: TokenEndpoint;
  /** What Microsoft is told; `undefined` where nothing is. */
  readonly telemetry: Telemetry | undefined;
  /** After how long a shared piece of work has ended by its own deadlines, in milliseconds. */
  readonly flightDeadlineMs: number;
  readonly #metadata: MetadataSource | undefined;

  /**
   * Puts the parts together; nothing is sent or read.
   *
   * @param options The application's options.
   * @param kind For how long a throttled answer counts by default, and the secret that keys the HTTP cache.
   */
  constructor(
    options: ClientApplicationOptions,
    kind: { throttleSeconds: number; secret: string | undefined },
  ) {
    const configuration = resolveConfiguration(options);
    const { clock, emit, authority, timeoutMs, maxResponseBytes } = configuration;
    this.configuration = configuration;
    this.cache = openCache(configuration.tokenCache);
    this.partitions = this.cache.store && new AppPartitions(
      new GuardedStore(this.cache.store, "tokenCache", clock, this.#onStoreFailure),
      this.cache.index,
    );
    // Generic issuers get no telemetry: nobody there reads it.
    this.telemetry = configuration.telemetry && authority.kind === "aad"
      ? new Telemetry(configuration.app)
      : undefined;
    const http = new HttpClient({ fetch: configuration.fetch, clock, emit });
    const httpCache = new HttpCache({
      store: new GuardedStore(configuration.httpCache, "httpCache", clock, this.#onStoreFailure),
      clock,
      key: kind.secret ?? configuration.clientId,
      trusted: kind.secret !== undefined || configuration.httpCacheIsOwn,
    });
    this.tokenEndpoint = new TokenEndpoint({
      http,
      throttle: new Throttle(httpCache, clock, kind.throttleSeconds),
      clock,
      emit,
      telemetry: this.telemetry,
      timeoutMs: timeoutMs.token,
      maxBytes: maxResponseBytes.token,
    });
    this.#metadata = authority.kind === "aad" ? undefined : new MetadataSource(authority, {
      http,
      httpCache,
      clock,
      emit,
      insecureLoopback: configuration.insecureLoopback,
      timeoutMs: timeoutMs.metadata,
      maxBytes: maxResponseBytes.metadata,
    });
    // Discovery, the credential's function, two attempts and the wait between them.
    this.flightDeadlineMs = timeoutMs.metadata + 3 * timeoutMs.token + MAX_RETRY_WAIT_MS + FLIGHT_SLACK_MS;
  }

  /** The token endpoint for a realm: derived for Entra, discovered for any other issuer. */
  async tokenEndpointUrl(
    realm: string,
    call: { correlationId: string; waitUntil: WaitUntil | "detached" | undefined },
  ): Promise<URL> {
    if (this.#metadata === undefined) return new URL(aadTokenEndpoint(this.configuration.authority, realm));
    return new URL((await this.#metadata.get(call)).tokenEndpoint);
  }

  readonly #onStoreFailure = (error: CacheError): void => {
    this.configuration.emit?.({ type: "cache_failed", error, correlationId: undefined });
  };
}
