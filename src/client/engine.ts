/**
 * The parts of an application, put together.
 *
 * @module
 */

import { MetadataSource } from "../authority/metadata.ts";
import { requireTenant } from "../authority/tenant.ts";
import type { CredentialSource } from "../credential/client_credential.ts";
import { ClientAuthError } from "../errors/errors.ts";
import { JwksSource } from "../jwt/jwks_source.ts";
import { DocumentCache } from "../net/document_cache.ts";
import { HttpCache } from "../net/http_cache.ts";
import { HttpClient } from "../net/http_client.ts";
import { IdTokenValidator } from "../token/id_token.ts";
import { TokenEndpoint } from "../token/token_endpoint.ts";
import { type Configuration, resolveConfiguration } from "./configuration.ts";
import type { ClientApplicationOptions } from "./options.ts";

/** The parts of an application. */
export class Engine {
  /** The checked options. */
  readonly configuration: Configuration;
  /** Where tokens are asked for. */
  readonly tokenEndpoint: TokenEndpoint;
  /** Where endpoints and issuers come from. */
  readonly metadata: MetadataSource;
  /** What checks ID tokens. */
  readonly idTokens: IdTokenValidator;

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
    const { clock, authority, clientId, httpStore } = configuration;
    const secret = credential?.staticSecret;
    const http = new HttpClient(configuration);
    const httpCache = new HttpCache(httpStore, clock, secret ?? clientId, throttleSeconds);
    const documents = new DocumentCache(httpStore, clock, secret);
    const jwks = new JwksSource(http, documents, configuration);
    this.configuration = configuration;
    this.tokenEndpoint = new TokenEndpoint(http, httpCache, configuration);
    this.metadata = new MetadataSource(authority, http, documents, configuration);
    this.idTokens = new IdTokenValidator({ ...configuration, jwks });
  }

  /** After how long a shared piece of work has ended by its own deadlines, in milliseconds. */
  get flightDeadlineMs(): number {
    const { metadata, token } = this.configuration.timeoutMs;
    // Discovery, the keys twice, the credential's function, two attempts; the waits between them and the stores.
    return 3 * metadata + 3 * token + 16_000;
  }

  /** The authority with another tenant, as flows name it. */
  authorityOf(tenant: string): string {
    const { kind, base } = this.configuration.authority;
    return kind === "oidc" ? base : `${new URL(base).origin}/${tenant}`;
  }

  /** The tenant of an authority that a flow names; `undefined` for another authority than this application's. */
  tenantOfAuthority(named: string): string | undefined {
    const { kind, base, tenant } = this.configuration.authority;
    if (kind === "oidc") return named === base ? tenant : undefined;
    const origin = `${new URL(base).origin}/`;
    return named.startsWith(origin) ? requireTenant(named.slice(origin.length), "flow.authority") : undefined;
  }

  /** The error for an endpoint that the authority does not have. */
  noEndpoint(name: string, correlationId: string): ClientAuthError {
    const why =
      `Cannot sign in: the discovery document of ${this.configuration.authority.base} has no ${name}`;
    return new ClientAuthError("endpoints_resolution_error", why, correlationId);
  }
}
