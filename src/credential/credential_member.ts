/**
 * A credential that the application gave, as one of a list or alone.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { nameOf } from "../errors/errors.ts";
import type { AppliedCredential, CredentialMethod } from "./applied_credential.ts";
import type { ClientCredentialProvider, CredentialContext } from "./client_credential.ts";
import { credentialFailed, provide } from "./provider.ts";

/** A function may return another credential for each tenant; more than these are not kept. */
const MAX_METHODS = 8;

/** Whether two credentials are the same: texts by what they say, keys and functions by which they are. */
function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  const isPlain = [a, b].every((one) =>
    one instanceof Object && [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(one))
  );
  // A JWK and its lists are as deep as it goes.
  if (!isPlain || depth > 2) return false;
  const [one, other] = [a, b] as Record<string, unknown>[];
  const names = Object.keys(one!);
  return names.length === Object.keys(other!).length &&
    names.every((name) => isSame(one![name], other![name], depth + 1));
}

function copyOf(value: unknown): unknown {
  return typeof value === "object" ? { ...value } : value;
}

/** One credential, or a function that returns one. */
export class CredentialMember {
  readonly #provider: ClientCredentialProvider | undefined;
  readonly #methodOf: (value: unknown) => CredentialMethod;
  /** What the function returned before: keys are not imported and assertions not signed anew for the same. */
  #methods: readonly (readonly [value: unknown, method: CredentialMethod])[];

  /**
   * Checks a credential; a function is not called yet.
   *
   * @param value What the application gave.
   * @param methodOf Checks a credential of one shape.
   * @throws {ClientConfigurationError} `invalid_client_credential`.
   */
  constructor(value: unknown, methodOf: (value: unknown) => CredentialMethod) {
    this.#methodOf = methodOf;
    this.#provider = typeof value === "function" ? value as ClientCredentialProvider : undefined;
    this.#methods = this.#provider ? [] : [[undefined, methodOf(value)]];
  }

  /** Whether another call may give something newer. */
  get renews(): boolean {
    return this.#provider !== undefined || this.#methods[0]?.[1].renews === true;
  }

  /** The secret where it never changes. */
  get staticSecret(): string | undefined {
    return this.#provider ? undefined : this.#methods[0]?.[1].staticSecret;
  }

  /**
   * Gets the credential for one request.
   *
   * @param context The request.
   * @returns What to add to it.
   * @throws {AuthError} of this library in every case.
   */
  async apply(context: CredentialContext): Promise<AppliedCredential> {
    const method = this.#provider
      ? this.#kept(await provide<unknown>(this.#provider, context))
      : this.#methods[0]![1];
    try {
      return await method.apply(context);
    } catch (error) {
      throw isAuthError(error) ? error : credentialFailed(`threw ${nameOf(error)}`, context.correlationId);
    }
  }

  #kept(value: unknown): CredentialMethod {
    const known = this.#methods.find(([before]) => isSame(before, value));
    const used = known ?? [copyOf(value), this.#methodOf(value)] as const;
    this.#methods = [used, ...this.#methods.filter((one) => one !== used)].slice(0, MAX_METHODS);
    return used[1];
  }
}
