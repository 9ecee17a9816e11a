/**
 * A credential that the application gave, as one of a list or alone.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { nameOf } from "../errors/errors.ts";
import type { AppliedCredential, CredentialMethod } from "./applied_credential.ts";
import type { ClientCredentialProvider, CredentialContext } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import { credentialFailed, provide } from "./provider.ts";

/** A function may return another credential for each tenant; more than these are not kept. */
const MAX_METHODS = 8;

/** A JWK and its lists are as deep as it goes. */
function isPlain(value: unknown, depth: number): value is Record<string, unknown> {
  return depth < 3 && value instanceof Object &&
    [Object.prototype, Array.prototype].includes(Object.getPrototypeOf(value));
}

/** Whether two credentials are the same: texts by what they say, keys and functions by which they are. */
function isSame(a: unknown, b: unknown, depth = 0): boolean {
  if (Object.is(a, b)) return true;
  if (!isPlain(a, depth) || !isPlain(b, depth)) return false;
  const names = Object.keys(a);
  return names.length === Object.keys(b).length &&
    names.every((name) => Object.hasOwn(b, name) && isSame(a[name], b[name], depth + 1));
}

/** What is inside may be replaced later; what an object of a class holds cannot be known, so it is the same as nothing. */
function copyOf(value: unknown, depth = 0): unknown {
  if (!isPlain(value, depth)) return depth === 0 && typeof value === "object" ? Symbol() : value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copyOf(one, depth + 1)]));
}

/** One credential, or a function that returns one. */
export class CredentialMember {
  /** What never changes; a function has none. */
  readonly method: CredentialMethod | undefined;
  /** With which codes the authority refused what was given last; it may be kept somewhere, and has to be renewed. */
  rejectedBy: readonly number[] | undefined;
  readonly #provider: ClientCredentialProvider | undefined;
  readonly #methodOf: (value: unknown) => CredentialMethod;
  /** What the function returned before: keys are not imported and assertions not signed anew for the same. */
  #methods: readonly (readonly [value: unknown, method: CredentialMethod])[] = [];

  /**
   * Checks a credential; a function is not called yet.
   *
   * @param value What the application gave.
   * @param methodOf Checks a credential of one shape.
   * @throws {ClientConfigurationError} `invalid_client_credential`.
   */
  constructor(value: unknown, methodOf: (value: unknown) => CredentialMethod) {
    this.#methodOf = methodOf;
    try {
      if (typeof value === "function") this.#provider = value as ClientCredentialProvider;
      else this.method = methodOf(value);
    } catch (error) {
      // Getters are the application's code, and what they throw may hold a secret.
      throw isAuthError(error) ? error : failCredential(`it threw ${nameOf(error)}`);
    }
  }

  /** Whether another call may give something newer. */
  get renews(): boolean {
    return this.method === undefined || this.method.renews === true;
  }

  /**
   * Gets the credential for one request.
   *
   * @param given The request.
   * @returns What to add to it.
   * @throws {AuthError} of this library in every case.
   */
  async apply(given: CredentialContext): Promise<AppliedCredential> {
    const { rejectedBy } = this;
    const context = rejectedBy ? { rejectedBy, ...given } : given;
    try {
      const method = this.method ?? this.#kept(await provide<unknown>(this.#provider, context));
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
