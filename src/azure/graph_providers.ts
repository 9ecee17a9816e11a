/**
 * Tokens for the clients of Microsoft Graph.
 *
 * @module
 */

import { decodeBase64Url } from "../crypto/base64url_decode.ts";
import { refuse } from "../errors/errors.ts";
import { graphHostsOf, requireHosts, tokenHostOf } from "./graph_hosts.ts";
import { createTokenCredential, type TokenCredentialOptions } from "./token_credential.ts";
import type { AzureTokenCredential } from "./token_credential_types.ts";
import { openSource, type TokenSource } from "./token_source.ts";

/** What the providers take beside the source. */
export interface GraphProviderOptions extends TokenCredentialOptions {
  /** The scopes of the tokens, such as `["User.Read"]`. `["https://<host>/.default"]` where absent. */
  readonly scopes?: readonly string[] | undefined;
  /** The hosts of Microsoft Graph, the common one first; those of the authority's cloud where absent. */
  readonly hosts?: readonly string[] | undefined;
}

/** What the Microsoft Graph client of version 3 takes as `authProvider`. */
export interface GraphAuthenticationProvider {
  /**
   * Gets a token.
   *
   * @param options Other scopes for this request.
   * @returns The access token.
   */
  getAccessToken(options?: { readonly scopes?: readonly string[] | undefined }): Promise<string>;
}

/** Says where tokens may go, as Kiota's `AllowedHostsValidator` does. */
export interface HostsValidator {
  /** The hosts. */
  getAllowedHosts(): string[];
  /** Allows fewer of them: others never get a token. */
  setAllowedHosts(hosts: Set<string>): void;
  /** Whether a URL's host is one of them. */
  isUrlHostValid(url: string): boolean;
}

/** What Kiota calls an `AccessTokenProvider`. */
export interface GraphAccessTokenProvider<V extends HostsValidator = HostsValidator> {
  /**
   * Gets a token for a URL.
   *
   * @param url Where the request goes.
   * @param additionalAuthenticationContext `claims` of a claims challenge, base64 as the challenge has them.
   * @returns The access token; empty, so that none is sent, for any other host than Graph's.
   * @throws {ClientConfigurationError} for a URL of Graph's without TLS, and for claims that are none.
   */
  getAuthorizationToken(
    url?: string,
    additionalAuthenticationContext?: Record<string, unknown>,
  ): Promise<string>;
  /** Where tokens may go. */
  getAllowedHostsValidator(): V;
}

/** What {@linkcode createGraphAccessTokenProvider} takes for Kiota's own type. */
export interface KiotaProviderOptions<V extends HostsValidator> extends GraphProviderOptions {
  /** Kiota's class of this name. TypeScript wants it; at run time a validator of the same shape does. */
  readonly AllowedHostsValidator: new (hosts: Set<string>) => V;
}

interface Opened {
  readonly credential: AzureTokenCredential;
  readonly hosts: readonly string[];
}

function open(source: TokenSource, options: GraphProviderOptions): Opened {
  const { configuration } = openSource(source);
  const hosts = options.hosts === undefined
    ? graphHostsOf(configuration?.authority.environment)
    : requireHosts(options.hosts);
  return { credential: createTokenCredential(source, options), hosts };
}

/** The claims of a challenge as JSON text. */
function claimsOf(claims: unknown): string | undefined {
  if (claims === undefined || claims === "") return undefined;
  const text = typeof claims === "string"
    ? claims
    : refuse("invalid_claims", "claims", "they must be a text");
  if (text.startsWith("{")) return text;
  const bytes = decodeBase64Url(text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", ""));
  // What is no JSON is refused where claims are checked.
  return bytes ? new TextDecoder().decode(bytes) : refuse("invalid_claims", "claims", "they must be base64");
}

/**
 * Makes what `@microsoft/microsoft-graph-client` takes as `authProvider`. That client decides where the token is sent.
 *
 * ```ts ignore
 * const graph = Client.initWithMiddleware({ authProvider: createGraphAuthenticationProvider({ app, account }, { scopes: ["User.Read"] }) });
 * const me = await graph.api("/me").get();
 * ```
 *
 * @param source Whose tokens.
 * @param options The scopes.
 * @returns The provider.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function createGraphAuthenticationProvider(
  source: TokenSource,
  options: GraphProviderOptions = {},
): GraphAuthenticationProvider {
  const { credential, hosts } = open(source, options);
  const preset = options.scopes ?? [`https://${hosts[0]}/.default`];
  return {
    getAccessToken: async (request) => (await credential.getToken(request?.scopes ?? preset)).token,
  };
}

/** Kiota's validator, for whoever does not bring it. */
class GraphHosts implements HostsValidator {
  #hosts: readonly string[];

  constructor(hosts: Set<string>) {
    this.#hosts = [...hosts];
  }

  getAllowedHosts(): string[] {
    return [...this.#hosts];
  }

  setAllowedHosts(hosts: Set<string>): void {
    this.#hosts = requireHosts([...hosts]);
  }

  isUrlHostValid(url: string): boolean {
    return URL.canParse(url) && this.#hosts.includes(new URL(url).hostname);
  }
}

/**
 * Makes what Kiota's clients, such as `@microsoft/msgraph-sdk`, take inside their `BaseBearerTokenAuthenticationProvider`. Tokens go to
 * Microsoft Graph of the authority's cloud alone, over https; claims challenges are answered.
 *
 * ```ts ignore
 * const provider = createGraphAccessTokenProvider({ app, account }, { AllowedHostsValidator });
 * const adapter = new FetchRequestAdapter(new BaseBearerTokenAuthenticationProvider(provider));
 * ```
 *
 * @param source Whose tokens.
 * @param options The scopes, and Kiota's `AllowedHostsValidator`.
 * @returns The provider.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function createGraphAccessTokenProvider<V extends HostsValidator>(
  source: TokenSource,
  options: KiotaProviderOptions<V>,
): GraphAccessTokenProvider<V>;
/** Makes the same with a validator of this library's. */
export function createGraphAccessTokenProvider(
  source: TokenSource,
  options?: GraphProviderOptions,
): GraphAccessTokenProvider;
export function createGraphAccessTokenProvider(
  source: TokenSource,
  options: GraphProviderOptions & Partial<KiotaProviderOptions<HostsValidator>> = {},
): GraphAccessTokenProvider {
  const { credential, hosts } = open(source, options);
  const validator = new (options.AllowedHostsValidator ?? GraphHosts)(new Set(hosts));
  return {
    getAllowedHostsValidator: () => validator,
    getAuthorizationToken: async (url = "", context) => {
      // The validator can be changed, and an empty one allows every host: it only takes hosts away.
      const host = validator.isUrlHostValid(url) ? tokenHostOf(url, hosts) : undefined;
      if (host === undefined) return "";
      const scopes = options.scopes ?? [`https://${host}/.default`];
      const claims = claimsOf(context?.["claims"]);
      return (await credential.getToken(scopes, { claims, enableCae: true })).token;
    },
  };
}
