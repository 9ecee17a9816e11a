/**
 * Where signing keys come from.
 *
 * @module
 */

import type { DocumentCache } from "../net/document_cache.ts";
import { type DocumentOptions, DocumentSource } from "../net/document_source.ts";
import type { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { type KeySet, readKeySet } from "./key_set.ts";

const HOUR_MS = 3_600_000;

/** The keys of any number of authorities, by their `jwks_uri`: asked for once an hour, and kept for a day without answer. */
export class JwksSource {
  readonly #documents: DocumentSource<KeySet>;
  readonly #known: KeySet | undefined;

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param http The client that sends.
   * @param cache Where documents are kept.
   * @param options What documents need of the application.
   * @param known The only keys that count, whatever the `jwks_uri`: nothing is ever sent then.
   */
  constructor(http: HttpClient, cache: DocumentCache, options: DocumentOptions, known?: KeySet) {
    const rules = { freshMs: HOUR_MS, staleMs: 24 * HOUR_MS, retry: true };
    this.#documents = new DocumentSource(http, cache, options, rules);
    this.#known = known;
  }

  /**
   * The keys that are in memory and do not have to be renewed yet.
   *
   * @param uri The `jwks_uri`.
   * @returns The same list for as long as they are the same; `undefined` where {@linkcode JwksSource.keys} would send something.
   */
  fresh(uri: string): KeySet | undefined {
    return this.#known ?? this.#documents.fresh(uri);
  }

  /**
   * The keys of an authority.
   *
   * @param uri The `jwks_uri`: checked where it was read.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The keys, at once where they are in memory.
   * @throws {ClientAuthError} `endpoints_resolution_error`.
   * @throws {NetworkError} where they cannot be read.
   */
  keys(
    uri: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): KeySet | Promise<KeySet> {
    return this.#known ?? this.#documents.get(uri, readKeySet, correlationId, waitUntil);
  }

  /**
   * The keys as they are now, because a token names one that {@linkcode JwksSource.keys} does not have.
   *
   * @param uri The `jwks_uri`.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns New keys at most every five minutes; otherwise those in memory.
   * @throws as {@linkcode JwksSource.keys} does.
   */
  renewed(
    uri: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<KeySet> {
    return this.#known
      ? Promise.resolve(this.#known)
      : this.#documents.renewed(uri, readKeySet, correlationId, waitUntil);
  }
}
