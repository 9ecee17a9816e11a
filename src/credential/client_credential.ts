/**
 * How a confidential client proves who it is.
 *
 * @module
 */

import { ClientAuthError, ClientConfigurationError } from "../errors/errors.ts";

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

const OPTION = "clientCredential";

function fail(why: string): never {
  throw new ClientConfigurationError("invalid_client_credential", OPTION, `Cannot use ${OPTION}: ${why}`);
}

function requireSecret(secret: unknown): string {
  if (typeof secret !== "string") fail("the secret must be a string, or a function that returns one");
  if (secret.trim() === "" || secret === "undefined" || secret === "null") {
    fail("the secret is empty; check the variable or binding that it comes from");
  }
  if (/-----BEGIN /.test(secret)) {
    fail("it looks like PEM, and a certificate is no secret; give the secret's value");
  }
  if (/^\s|\s$/.test(secret)) fail("the secret begins or ends with white space; trim it where you read it");
  return secret;
}

function requireShape(value: unknown): ClientSecretCredential {
  if (typeof value === "string") return { clientSecret: value };
  const shape = value as Partial<ClientSecretCredential> | null;
  if (typeof shape !== "object" || shape === null || shape.clientSecret === undefined) {
    fail("give a secret string, { clientSecret, method? }, or a function that returns one of these");
  }
  const { clientSecret, method = "client_secret_post" } = shape;
  if (method !== "client_secret_post" && method !== "client_secret_basic") {
    fail('its method must be "client_secret_post" or "client_secret_basic"');
  }
  if (typeof clientSecret !== "function") requireSecret(clientSecret);
  return { clientSecret, method };
}

/** RFC 6749 section 2.3.1: each part is form-encoded before they are joined. */
function basic(clientId: string, secret: string): string {
  const [id, value] = [clientId, secret].map((part) => new URLSearchParams({ p: part }).toString().slice(2));
  return `Basic ${btoa(`${id}:${value}`)}`;
}

/**
 * Runs the application's function. What it throws is not told on: a vault's message may hold the secret.
 *
 * @param provider The function.
 * @param context What it is told.
 */
async function call<T>(
  provider: (context: CredentialContext) => T | Promise<T>,
  context: CredentialContext,
): Promise<T> {
  try {
    return await provider(context);
  } catch (error) {
    const name = error instanceof Error && /^\w{1,40}$/.test(error.name)
      ? error.name
      : "something that is no error";
    throw new ClientAuthError(
      "client_credential_failed",
      `Cannot get the client credential: the function given as ${OPTION} threw ${name}`,
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
    if (credential === undefined || credential === null) {
      throw new ClientConfigurationError(
        "missing_client_credential",
        OPTION,
        `Cannot make a confidential client: ${OPTION} is missing. Give the client secret's value, or use ` +
          "PublicClientApplication for an app without a secret",
      );
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
    const shape = typeof this.#credential === "function"
      ? requireShape(await call(this.#credential, context))
      : this.#credential;
    const { clientSecret, method } = shape;
    const secret = requireSecret(
      typeof clientSecret === "function" ? await call(clientSecret, context) : clientSecret,
    );
    if (method !== "client_secret_basic") {
      return { form: { client_secret: secret }, headers: {}, secrets: [secret] };
    }
    const header = basic(context.clientId, secret);
    return { form: {}, headers: { authorization: header }, secrets: [secret, header.slice(6)] };
  }
}
