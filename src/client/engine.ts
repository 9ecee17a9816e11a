/**
 * The parts of an application, put together.
 *
 * @module
 */

import { instanceDiscovery } from "../authority/instance_discovery.ts";
import { MetadataSource } from "../authority/metadata.ts";
import { documentName } from "../authority/provider_document.ts";
import type { BackChannel } from "../authority/provider_metadata.ts";
import { requireTenant } from "../authority/tenant.ts";
import type { AppliedCredential } from "../credential/applied_credential.ts";
import type { CredentialSource } from "../credential/credential_source.ts";
import { requireTls } from "../credential/tls_client_auth.ts";
import { ClientAuthError, refuse } from "../errors/errors.ts";
import { JwksSource } from "../jwt/jwks_source.ts";
import { DocumentCache } from "../net/document_cache.ts";
import { HttpCache } from "../net/http_cache.ts";
import { HttpClient } from "../net/http_client.ts";
import type { AuthCodeFlow } from "../request/auth_code_flow.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { IdTokenValidator } from "../token/id_token.ts";
import { type Parse, TokenEndpoint, type TokenEndpointRequest } from "../token/token_endpoint.ts";
import type { TokenResponse } from "../token/token_response.ts";
import type { AzureRegion } from "./azure_region.ts";
import { type Configuration, resolveConfiguration } from "./configuration.ts";
import type { ClientApplicationOptions } from "./options.ts";

/** A grant, and what its request carries. */
export interface GrantRequest extends Omit<TokenEndpointRequest, "url" | "credential"> {
  /** The tenant that is asked, as the path has it. */
  readonly tenant: string;
  /** Added to the query of the token endpoint. */
  readonly extraQuery?: Readonly<Record<string, string>> | undefined;
  /** For the credential's function. */
  readonly fmiPath?: string | undefined;
  /** Whose endpoint is asked in the central one's place. */
  readonly region?: AzureRegion | undefined;
  /** Keeps work alive after the call. */
  readonly waitUntil: WaitUntil | "detached" | undefined;
}

/** The parts of an application. */
export class Engine {
  /** The checked options. */
  readonly configuration: Configuration;
  /** Where tokens are asked for. */
  readonly tokenEndpoint: TokenEndpoint;
  /** Where endpoints and issuers come from. */
  readonly metadata: MetadataSource;
  /** Where signing keys come from. */
  readonly jwks: JwksSource;
  /** What checks ID tokens. */
  readonly idTokens: IdTokenValidator;
  readonly #credential: CredentialSource | undefined;

  /**
   * Puts the parts together; nothing is sent or read.
   *
   * @param options The application's options.
   * @param throttleSeconds For how long a throttled answer counts by default.
   * @param credential The credential; none for a public client.
   */
  constructor(
    options: ClientApplicationOptions,
    throttleSeconds: number,
    credential: CredentialSource | undefined,
  ) {
    const configuration = resolveConfiguration(options, credential === undefined);
    const { clock, authority, clientId, httpStore, instanceDiscovery: endpoint, known } = configuration;
    if (credential?.usesTls) requireTls(authority.type === "oidc", configuration.fetch);
    const secret = credential?.staticSecret;
    const http = new HttpClient(configuration);
    const httpCache = new HttpCache(httpStore, clock, secret ?? clientId, throttleSeconds);
    const documents = new DocumentCache(httpStore, clock, secret, clientId);
    this.jwks = new JwksSource(http, documents, configuration, known.keys);
    this.#credential = credential;
    this.configuration = configuration;
    this.tokenEndpoint = new TokenEndpoint(http, httpCache, configuration);
    this.metadata = new MetadataSource(authority, http, documents, {
      ...configuration,
      provider: known.provider,
      vouch: endpoint === undefined
        ? undefined
        : instanceDiscovery(endpoint, authority, http, documents, configuration),
    });
    this.idTokens = new IdTokenValidator({ ...configuration, jwks: this.jwks });
  }

  /** After how long a shared piece of work has ended by its own deadlines, in milliseconds. */
  get flightDeadlineMs(): number {
    const { instanceDiscovery, timeoutMs: { metadata, token } } = this.configuration;
    const attempts = this.#credential?.attempts ?? 1;
    const documents = instanceDiscovery === undefined ? 3 : 5;
    // Discovery, the keys twice; for each credential its function, two attempts and the wait between them; the stores.
    return documents * metadata + attempts * (3 * token + 2_000) + 14_000;
  }

  /**
   * Sends a grant to a tenant's token endpoint.
   *
   * @param request The grant.
   * @returns What came back.
   */
  async requestToken(request: GrantRequest): Promise<TokenResponse> {
    return await this.tokenEndpoint.requestToken(await this.#prepare("token", request));
  }

  /**
   * Sends a form to another endpoint, with the same credential.
   *
   * @param endpoint The endpoint.
   * @param request The form.
   * @param parse Reads a success answer, or tells what is wrong with it.
   * @returns What was read.
   * @throws {ClientAuthError} `endpoints_resolution_error` where the authority does not have it.
   */
  async request<T extends object>(
    endpoint: BackChannel,
    request: GrantRequest,
    parse: Parse<T>,
  ): Promise<T> {
    return await this.tokenEndpoint.request(await this.#prepare(endpoint, request), parse);
  }

  async #prepare(
    endpoint: BackChannel,
    { tenant, extraQuery, fmiPath, region, ...request }: GrantRequest,
  ): Promise<TokenEndpointRequest> {
    const { correlationId, waitUntil } = request;
    const { clientId, authority, emit } = this.configuration;
    const found = await this.metadata.endpoints(tenant, correlationId, waitUntil);
    const own = this.#credential?.usesTls ? found.mtls?.[endpoint] : undefined;
    const href = own ?? found[endpoint];
    if (href === undefined) throw this.noEndpoint(documentName(endpoint), correlationId);
    const url = new URL(href);
    const claims = request.form.get("claims");
    const context = {
      clientId,
      authority: this.authorityOf(tenant),
      authorityType: authority.type,
      tenantId: tenant,
      tokenEndpoint: found.token,
      ...(found.signingAlgorithms && { signingAlgorithms: found.signingAlgorithms }),
      correlationId,
      ...(fmiPath !== undefined && { fmiPath }),
      ...(claims !== null && { claims }),
    };
    // An assertion's audience stays the central endpoint.
    if (region !== undefined) url.host = await region.hostFor(url.host, correlationId, waitUntil);
    const query = Object.entries(extraQuery ?? {});
    this.requireNoResource([...request.form, ...query]);
    for (const pair of query) url.searchParams.append(...pair);
    const credential = this.#credential;
    return {
      ...request,
      url,
      credential: credential && ((): Promise<AppliedCredential> => credential.apply(context, emit)),
    };
  }

  /** The authority with another tenant, as flows name it. */
  authorityOf(tenant: string): string {
    const { kind, base } = this.configuration.authority;
    return kind === "oidc" ? base : `${new URL(base).origin}/${tenant}`;
  }

  /** the tenant of a flow, which is bound to its client and authority. */
  tenantOfFlow(
    { clientId, authority, correlationId }: Pick<AuthCodeFlow, "clientId" | "authority" | "correlationId">,
  ): string {
    const { authority: { kind, tenant }, clientId: own } = this.configuration;
    const root = this.authorityOf("");
    if (clientId === own) {
      if (kind === "oidc" && authority === root) return tenant;
      if (kind === "aad" && authority.startsWith(root)) {
        return requireTenant(authority.slice(root.length), "flow.authority");
      }
    }
    return this.notOwn(correlationId);
  }

  /** Entra answers `resource` with AADSTS901002; other authorities may take it, RFC 8707. */
  requireNoResource(parameters: Iterable<readonly [string, string]>): void {
    const { type } = this.configuration.authority;
    if ((type === "aad" || type === "ciam") && new Map(parameters).has("resource")) {
      refuse("reserved_parameter", "resource", "Entra takes it as a scope, <resource>/.default");
    }
  }

  /** Refuses a flow of somebody else. */
  notOwn(correlationId: string): never {
    const why = "Cannot sign in: the flow is of another client or authority";
    throw new ClientAuthError("auth_flow_mismatch", why, correlationId);
  }

  /** The error for an endpoint that the authority does not have. */
  noEndpoint(name: string, correlationId: string): ClientAuthError {
    const why = `Cannot go on: ${this.configuration.authority.base} has no ${name}`;
    return new ClientAuthError("endpoints_resolution_error", why, correlationId);
  }
}
