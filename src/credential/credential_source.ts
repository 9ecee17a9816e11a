/**
 * A confidential client's credential, checked.
 *
 * @module
 */

import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import type { AppliedCredential } from "./applied_credential.ts";
import type { AssertionOptions } from "./certificate_method.ts";
import type {
  ClientCredential,
  ClientCredentialProvider,
  ClientSecretCredential,
  CredentialContext,
} from "./client_credential.ts";

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
   * @param _options What assertions need of the application.
   * @throws {ClientConfigurationError} `missing_client_credential` or `invalid_client_credential`.
   */
  constructor(credential: ClientCredential, _options: AssertionOptions) {
    if ((credential ?? undefined) === undefined) {
      refuse("missing_client_credential", OPTION, "it is missing. Give the client secret's value");
    }
    this.#credential = typeof credential === "function"
      ? credential as ClientCredentialProvider
      : requireShape(credential);
  }

  /** The secret where it never changes; it then keys this client's entries in the HTTP cache. */
  get staticSecret(): string | undefined {
    const { clientSecret } = this.#credential as Partial<ClientSecretCredential>;
    return typeof clientSecret === "string" ? clientSecret : undefined;
  }

  /** Whether the client proves who it is by its TLS certificate. */
  get usesTls(): boolean {
    return false;
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
