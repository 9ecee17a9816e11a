/**
 * Where an authority is asked, and by which name and keys it signs: derived for Microsoft Entra ID wherever that can be,
 * otherwise by OpenID Connect Discovery 1.0.
 *
 * @module
 */

import { ClientAuthError } from "../errors/errors.ts";
import type { DocumentCache } from "../net/document_cache.ts";
import { type DocumentOptions, type DocumentReader, DocumentSource } from "../net/document_source.ts";
import type { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Authority } from "./authority.ts";
import { endpointsAt } from "./endpoints.ts";
import type { Vouch } from "./instance_discovery.ts";
import { cloudOf } from "./known_clouds.ts";
import { MSA_TENANT, readProvider, TEMPLATE } from "./provider_document.ts";
import type { IssuerMetadata, ProviderEndpoints, ProviderMetadata } from "./provider_metadata.ts";
import { isGuid, isSharedTenant } from "./tenant.ts";

const DAY_MS = 86_400_000;

/** What discovery needs of an application. */
export interface MetadataOptions extends DocumentOptions {
  /** Whether `http:` on loopback is allowed. */
  readonly insecureLoopback: boolean;
  /** What is known of the authority's own tenant: nobody is asked for it. */
  readonly provider?: ProviderMetadata | undefined;
  /** Whether the host may be asked at all; it may where absent. */
  readonly vouch?: Vouch | undefined;
}

/** Finds the endpoints, the issuer and the keys of one authority. */
export class MetadataSource {
  readonly #authority: Authority;
  readonly #origin: string;
  readonly #documents: DocumentSource<ProviderMetadata>;
  readonly #options: MetadataOptions;

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param authority The authority.
   * @param http The client that sends.
   * @param cache Where documents are kept.
   * @param options What discovery needs of the application.
   */
  constructor(authority: Authority, http: HttpClient, cache: DocumentCache, options: MetadataOptions) {
    this.#authority = authority;
    this.#origin = new URL(authority.base).origin;
    // The last document serves for as long as it cannot be renewed.
    const rules = { freshMs: DAY_MS, staleMs: Infinity, retry: false };
    this.#documents = new DocumentSource(http, cache, options, rules);
    this.#options = options;
  }

  /**
   * Where to ask. Nothing is sent for Entra ID, External ID, Azure AD B2C and ADFS.
   *
   * @param tenant A tenant that was checked; without meaning for the kind `oidc`.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The endpoints, at once where they are known.
   * @throws {ClientAuthError} `endpoints_resolution_error` or `issuer_mismatch`.
   * @throws {NetworkError} where the document cannot be read.
   */
  endpoints(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): ProviderEndpoints | Promise<ProviderEndpoints> {
    const { kind, rules } = this.#authority;
    return this.#vouched(correlationId, waitUntil, () => {
      const known = this.#known(tenant)?.endpoints;
      if (known !== undefined) return known;
      if (kind === "aad") return endpointsAt(`${this.#origin}/${tenant}/oauth2/v2.0`);
      if (rules?.endpoints !== undefined) return rules.endpoints;
      const found = this.#discover(tenant, correlationId, waitUntil);
      return "then" in found ? found.then(({ endpoints }) => endpoints) : found.endpoints;
    });
  }

  /**
   * By which name and keys a tenant's tokens are signed. Nothing is sent for a Microsoft cloud, unless the tenant is a
   * domain.
   *
   * @param tenant A tenant that was checked; without meaning for the kind `oidc`.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The issuer, at once where it is known.
   * @throws {ClientAuthError} `endpoints_resolution_error` or `issuer_mismatch`.
   * @throws {NetworkError} where the document cannot be read.
   */
  issuer(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): IssuerMetadata | Promise<IssuerMetadata> {
    return this.#vouched(
      correlationId,
      waitUntil,
      () => this.#known(tenant)?.issuer ?? this.#issuer(tenant, correlationId, waitUntil),
    );
  }

  #issuer(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): IssuerMetadata | Promise<IssuerMetadata> {
    const { kind, environment } = this.#authority;
    const host = cloudOf(environment)?.[0];
    if (kind === "aad" && host !== undefined && (isGuid(tenant) || isSharedTenant(tenant))) {
      const name = tenant === "consumers" ? MSA_TENANT : isGuid(tenant) ? tenant : TEMPLATE;
      return {
        issuer: `https://${host}/${name}/v2.0`,
        jwksUri: `${this.#origin}/${tenant}/discovery/v2.0/keys`,
        cloudInstanceName: host.replace(/^login\./, ""),
        issParameterSupported: false,
        algorithms: ["RS256"],
      };
    }
    const checked = ({ issuer }: ProviderMetadata): IssuerMetadata => {
      if (issuer.jwksUri !== "") return issuer;
      throw new ClientAuthError(
        "endpoints_resolution_error",
        `Cannot get a token: ${issuer.issuer}: its discovery document has no jwks_uri`,
        correlationId,
      );
    };
    const found = this.#discover(tenant, correlationId, waitUntil);
    return "then" in found ? found.then(checked) : checked(found);
  }

  /** Nothing is sent to a host before it is vouched for. */
  #vouched<T>(
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
    find: () => T | Promise<T>,
  ): T | Promise<T> {
    const vouched = this.#options.vouch?.(correlationId, waitUntil) ?? true;
    return vouched === true ? find() : vouched.then(find);
  }

  #known(tenant: string): ProviderMetadata | undefined {
    const { kind, tenant: own } = this.#authority;
    return kind === "oidc" || tenant === own ? this.#options.provider : undefined;
  }

  #discover(
    tenant: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): ProviderMetadata | Promise<ProviderMetadata> {
    const authority = this.#authority;
    const read: DocumentReader<ProviderMetadata> = (body, fail) =>
      readProvider(authority, tenant, body, this.#options.insecureLoopback, fail);
    const url = authority.rules?.documentUrl ??
      `${this.#origin}/${tenant}/v2.0/.well-known/openid-configuration`;
    return this.#documents.get(url, read, correlationId, waitUntil);
  }
}
