/**
 * Discovery for an authority whose host has to be vouched for, or whose document is known beforehand.
 *
 * @module
 */

import type { DocumentCache } from "../net/document_cache.ts";
import type { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Authority } from "./authority.ts";
import type { Vouch } from "./instance_discovery.ts";
import { type MetadataOptions, MetadataSource } from "./metadata.ts";
import type { IssuerMetadata, ProviderEndpoints, ProviderMetadata } from "./provider_metadata.ts";

/** What goes before discovery. */
export interface GuardedMetadataOptions extends MetadataOptions {
  /** What is known of the authority's own tenant: nobody is asked for it. */
  readonly provider: ProviderMetadata | undefined;
  /** Whether the host may be asked at all; it may where absent. */
  readonly vouch: Vouch | undefined;
}

/** Finds the endpoints, the issuer and the keys of one authority. */
export class GuardedMetadata extends MetadataSource {
  readonly #authority: Authority;
  readonly #options: GuardedMetadataOptions;

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param authority The authority.
   * @param http The client that sends.
   * @param cache Where documents are kept.
   * @param options What discovery needs of the application, and what goes before it.
   */
  constructor(authority: Authority, http: HttpClient, cache: DocumentCache, options: GuardedMetadataOptions) {
    super(authority, http, cache, options);
    this.#authority = authority;
    this.#options = options;
  }

  /** As in the base class. */
  override endpoints(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): ProviderEndpoints | Promise<ProviderEndpoints> {
    return this.#guarded(
      correlationId,
      waitUntil,
      () => this.#known(tenant)?.endpoints ?? super.endpoints(tenant, correlationId, waitUntil),
    );
  }

  /** As in the base class. */
  override issuer(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): IssuerMetadata | Promise<IssuerMetadata> {
    return this.#guarded(
      correlationId,
      waitUntil,
      () => this.#known(tenant)?.issuer ?? super.issuer(tenant, correlationId, waitUntil),
    );
  }

  #known(tenant: string): ProviderMetadata | undefined {
    const { kind, tenant: own } = this.#authority;
    return kind === "oidc" || tenant === own ? this.#options.provider : undefined;
  }

  #guarded<T>(
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
    find: () => T | Promise<T>,
  ): T | Promise<T> {
    const vouched = this.#options.vouch?.(correlationId, waitUntil) ?? true;
    return vouched === true ? find() : vouched.then(find);
  }
}
