/**
 * The parts of an application, put together.
 *
 * @module
 */

import { MetadataSource } from "../authority/metadata.ts";
import { DocumentCache } from "../net/document_cache.ts";
import { HttpCache } from "../net/http_cache.ts";
import { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { TokenEndpoint } from "../token/token_endpoint.ts";
import { type Configuration, resolveConfiguration } from "./configuration.ts";
import type { ClientApplicationOptions } from "./options.ts";

/** The parts of an application. */
export class Engine {
  /** The checked options. */
  readonly configuration: Configuration;
  /** Where tokens are asked for. */
  readonly tokenEndpoint: TokenEndpoint;
  readonly #metadata: MetadataSource;

  /**
   * Puts the parts together; nothing is sent or read.
   *
   * @param options The application's options.
   * @param throttleSeconds For how long a throttled answer counts by default.
   * @param secret The secret that keys the HTTP cache, if there is one.
   */
  constructor(options: ClientApplicationOptions, throttleSeconds: number, secret: string | undefined) {
    const configuration = resolveConfiguration(options);
    const { clock, authority, clientId, httpStore } = configuration;
    const http = new HttpClient(configuration);
    const httpCache = new HttpCache(httpStore, clock, secret ?? clientId, throttleSeconds);
    this.configuration = configuration;
    this.tokenEndpoint = new TokenEndpoint(http, httpCache, configuration);
    const documents = new DocumentCache(httpStore, clock, secret);
    this.#metadata = new MetadataSource(authority, http, documents, configuration);
  }

  /** After how long a shared piece of work has ended by its own deadlines, in milliseconds. */
  get flightDeadlineMs(): number {
    const { metadata, token } = this.configuration.timeoutMs;
    // Discovery, the credential's function, two attempts; the wait between them and the stores.
    return metadata + 3 * token + 16_000;
  }

  /** The token endpoint for a realm: derived for Entra, discovered for any other issuer. */
  async tokenEndpointUrl(
    realm: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<URL> {
    return new URL((await this.#metadata.endpoints(realm, correlationId, waitUntil)).token);
  }
}
