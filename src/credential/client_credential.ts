/**
 * How a confidential client proves who it is.
 *
 * @module
 */

import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";

/** What a credential function is told of the request that it is called for. */
export interface CredentialContext {
  /** The application's client id. */
  readonly clientId: string;
  /** The tenant that is asked, or the issuer's path for an `oidcAuthority`. */
  readonly tenantId: string;
  /** The token endpoint that is asked. */
  readonly tokenEndpoint: string;
  /** The call's correlation id. */
  readonly correlationId: string;
  /** The request's `fmiPath`, if it has one. */
  readonly fmiPath?: string | undefined;
}

/** Gets a secret, from a vault for example; called once for each request that is sent, never for a cache hit. */
export type ClientSecretProvider = (context: CredentialContext) => string | Promise<string>;

/** A client secret, and how it is sent. */
export interface ClientSecretCredential {
  /** The secret's value, or a function that gets it. */
  readonly clientSecret: string | ClientSecretProvider;
  /**
   * In the form, or in an `Authorization: Basic` header, RFC 6749 section 2.3.1.
   *
   * @default {"client_secret_post"}
   */
  readonly method?: "client_secret_post" | "client_secret_basic" | undefined;
}

/** A function that returns a credential, so that it can rotate. */
export type ClientCredentialProvider = (
  context: CredentialContext,
) => string | ClientSecretCredential | Promise<string | ClientSecretCredential>;

/** What the `clientCredential` option takes. */
export type ClientCredential = string | ClientSecretCredential | ClientCredentialProvider;

/** What a credential adds to a token request. */
export interface AppliedCredential {
  /** Members of the form. */
  readonly form: Readonly<Record<string, string>>;
  /** Headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Texts that must never show up in an error. */
  readonly secrets: readonly string[];
}

const METHODS: readonly string[] = ["client_secret_post", "client_secret_basic"];
const OPTION = "clientCredential";

function fail(why: string): never {
  refuse("invalid_client_credential", OPTION, why);
}

function requireSecret(secret: unknown): string {
  const text = typeof secret === "string" ? secret : fail("the secret must be a string");
  if (/^(?:\s*|undefined|null)$/.test(text)) fail("the secret is empty: check where it comes from");
  if (/^\s|\s$|-----BEGIN /.test(text)) fail("the secret is PEM, or begins or ends with white space");
  return text;
}

function requireShape(value: unknown): ClientSecretCredential {
  const shape = typeof value === "string" ? { clientSecret: value } : value as ClientSecretCredential | null;
  const { clientSecret, method } = shape ?? {};
  if (clientSecret === undefined || (method !== undefined && !METHODS.includes(method))) {
    fail(
      `it must be a secret, { clientSecret, method? }, or a function`,
    );
  }
  if (typeof clientSecret !== "function") requireSecret(clientSecret);
  return { clientSecret, method };
}

/** Runs the application's function. What it throws is not repeated: a vault's message may hold the secret. */
async function call<T>(
  provider: (context: CredentialContext) => T | Promise<T>,
  context: CredentialContext,
): Promise<T> {
  try {
    return await provider(context);
  } catch (error) {
    throw new ClientAuthError(
      "client_credential_failed",
      `Cannot get a token: clientCredential threw ${nameOf(error)}`,
      context.correlationId,
    );
  }
}

/** A checked credential. */
export class CredentialSource {
  readonly #credential: ClientSecretCredential | ClientCredentialProvider;

  /**
   * Checks a credential; functions are not called yet.
   *
   * @param credential The option.
   * @throws {ClientConfigurationError} `missing_client_credential` or `invalid_client_credential`.
   */
  constructor(credential: ClientCredential) {
    if ((credential ?? undefined) === undefined) {
      refuse("missing_client_credential", OPTION, "it is missing. Give the client secret's value");
    }
    this.#credential = typeof credential === "function" ? credential : requireShape(credential);
  }

  /** The secret where it never changes; it then keys this client's entries in the HTTP cache. */
  get staticSecret(): string | undefined {
    const { clientSecret } = this.#credential as Partial<ClientSecretCredential>;
    return typeof clientSecret === "string" ? clientSecret : undefined;
  }

  /**
   * Gets the credential for one request.
   *
   * @param context The request.
   * @returns What to add to it.
   * @throws {ClientAuthError} `client_credential_failed` where the application's function throws.
   * @throws {ClientConfigurationError} `invalid_client_credential` where it returns no credential.
   */
  async apply(context: CredentialContext): Promise<AppliedCredential> {
    const given = this.#credential;
    const { clientSecret, method } = typeof given === "function"
      ? requireShape(await call(given, context))
      : given;
    const secret = requireSecret(
      typeof clientSecret === "function" ? await call(clientSecret, context) : clientSecret,
    );
    // RFC 6749 section 2.3.1: each part is form-encoded before they are joined.
    const encoded = [context.clientId, secret].map((part) =>
      new URLSearchParams([["", part]]).toString().slice(1)
    );
    const basic = btoa(encoded.join(":"));
    const secrets = [secret, basic];
    return method === METHODS[1]
      ? { form: {}, headers: { authorization: `Basic ${basic}` }, secrets }
      : { form: { client_secret: secret }, headers: {}, secrets };
  }
}
