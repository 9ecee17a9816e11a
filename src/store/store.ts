/**
 * The contract of everything that keeps text for the library: token partitions and the HTTP cache.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/**
 * What a store may want to know of a value beyond its key; never a secret. The members are those that MSAL.NET gives to its
 * cache hooks; the suggested expiry is `expiresAtMs` of {@linkcode SetOptions}.
 */
export interface PartitionHints {
  /** Whether the value holds tokens or answers of the authority that are no tokens. */
  readonly kind: "tokens" | "http";
  /** The key that MSAL's own caches would use: the home account id, or `<clientId>_<tenantId>_AppTokenCache`. */
  readonly suggestedKey?: string;
  /** Whether the tokens are the application's own; otherwise they are a user's. */
  readonly isApplicationCache?: boolean;
  /** `false` where nothing is left in the value that could give a token. */
  readonly hasTokens?: boolean;
  /** Whether the text is of no use to anybody who has not got the secret. */
  readonly sealed?: boolean;
}

/** How a value is read. */
export interface GetOptions {
  /**
   * `"eventual"` where a value that is a little old will do and an answer sooner is better: stores that know one way only
   * ignore it. @default {"strong"}
   */
  readonly consistency?: "eventual" | "strong";
}

/** What a store keeps under a key. */
export interface StoredValue {
  /** The text, as it was set. */
  readonly value: string;
  /** The version to pass as `ifVersion`, where the store can compare and set. */
  readonly version?: string;
  /** Whether there is something that could not be opened, so that `value` is empty: a miss that may be overwritten. */
  readonly rejected?: boolean;
}

/** How a value is set. */
export interface SetOptions {
  /** When the value may be forgotten, in milliseconds since the epoch. */
  readonly expiresAtMs: number;
  /** Set only if the stored version is still this one; `null` if there must be no value. For stores with `cas`. */
  readonly ifVersion?: string | null;
  /** What is being kept. */
  readonly hints?: PartitionHints;
}

/** What came of setting a value. */
export interface SetResult {
  /** `false` where `ifVersion` did not match: somebody else wrote first. */
  readonly ok: boolean;
  /** The version of the value now stored. */
  readonly version?: string;
}

/** A lease on a name, held by one isolate at a time. */
export interface StoreLock {
  /** Gives the lease back. */
  release(): Promise<void>;
}

/**
 * Keeps text under keys, for as long as it can.
 *
 * A store may fail: the library then goes on without it and reports the failure as an event. It may forget a value, too;
 * but a user whose tokens are forgotten before `expiresAtMs` has to sign in again, as if somebody had removed them. Adapters hide their platform's units and limits.
 */
export interface Store {
  /** Whether `set` honours `ifVersion`. */
  readonly cas: boolean;
  /** The most bytes of UTF-8 that a value may have; larger ones are cut down to the newest tokens. No bound where absent. */
  readonly maxValueBytes?: number;
  /**
   * Whether nobody but this application can write here, as in a sealed store or a file of the user's own: then signing keys
   * and discovery documents are believed also where the client has no secret to mark them with. @default {false}
   */
  readonly isPrivate?: boolean;
  /** Whether others can read here, so that tokens must be sealed. @default {false} */
  readonly requiresSeal?: boolean;
  /**
   * Reads a value.
   *
   * @param key The key, at most 512 bytes.
   * @param options How fresh it has to be.
   * @returns The value, or `undefined` where there is none or it has expired.
   */
  get(key: string, options?: GetOptions): Promise<StoredValue | undefined>;
  /**
   * Writes a value.
   *
   * @param key The key, at most 512 bytes.
   * @param value The text.
   * @param options When it expires, and what must be there before.
   * @returns Whether it was written.
   */
  set(key: string, value: string, options: SetOptions): Promise<SetResult>;
  /**
   * Forgets a value; an unknown key is no error.
   *
   * @param key The key.
   */
  delete(key: string): Promise<void>;
  /**
   * Takes a lease, in stores that can.
   *
   * @param key What is locked.
   * @param leaseMs After how many milliseconds the lease ends by itself.
   * @returns The lease, or `undefined` where somebody else holds it.
   */
  lock?(key: string, leaseMs: number): Promise<StoreLock | undefined>;
}

/**
 * Checks that an option is a store.
 *
 * @param value What the caller gave.
 * @param option The option's name, for the error.
 * @returns The same value.
 * @throws {ClientConfigurationError} `invalid_store` where a method is missing.
 */
export function requireStore(value: unknown, option: string): Store {
  const store = value as Partial<Store> | null;
  const missing = (["get", "set", "delete"] as const).filter((name) => typeof store?.[name] !== "function");
  if (missing.length > 0) {
    refuse(
      "invalid_store",
      option,
      `it has no method ${missing.join(", ")}. Pass a Store, such as new WorkersKvStore(env.TOKENS)`,
    );
  }
  return store as Store;
}

/**
 * Checks a bound.
 *
 * @param value What the caller gave.
 * @param preset What counts where it is absent.
 * @param option The option's name, for the error.
 * @returns The bound.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireBound(value: number | undefined, preset: number, option: string): number {
  if (value === undefined) return preset;
  return Number.isInteger(value) && value > 0
    ? value
    : refuse("invalid_option", option, "it must be a whole number from 1");
}

/**
 * Checks that options are an object.
 *
 * @param options What the caller gave.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireOptions(options: unknown): void {
  if (Object(options) !== options) refuse("invalid_option", "options", "they must be an object");
}
