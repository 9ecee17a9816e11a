/**
 * A store in Durable Objects: one truth for all isolates, with compare-and-set and locks. No update is lost, and a refresh token
 * is redeemed once.
 *
 * @example In `wrangler.jsonc`:
 * ```jsonc
 * "durable_objects": { "bindings": [{ "name": "TOKENS", "class_name": "TokenStoreObject" }] },
 * "migrations": [{ "tag": "v1", "new_sqlite_classes": ["TokenStoreObject"] }]
 * ```
 *
 * @example In the Worker's main module:
 * ```ts
 * import { ConfidentialClientApplication, perEnv, TokenCache } from "@msal-edge/msal";
 * import { type DurableObjectNamespaceLike, DurableObjectStore } from "@msal-edge/msal/cache/durable-object";
 *
 * export { TokenStoreObject } from "@msal-edge/msal/cache/durable-object";
 *
 * interface Env {
 *   TOKENS: DurableObjectNamespaceLike;
 *   CLIENT_SECRET: string;
 * }
 *
 * const appOf = perEnv((env: Env) =>
 *   new ConfidentialClientApplication({
 *     clientId: "00001111-aaaa-2222-bbbb-3333cccc4444",
 *     authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *     clientCredential: env.CLIENT_SECRET,
 *     tokenCache: new TokenCache({ store: new DurableObjectStore(env.TOKENS) }),
 *   })
 * );
 *
 * export default {
 *   async fetch(_request: Request, env: Env): Promise<Response> {
 *     const scopes = ["https://graph.microsoft.com/.default"];
 *     const { expiresOn } = await appOf(env).acquireTokenForClient({ scopes });
 *     return Response.json({ expiresOn });
 *   },
 * };
 * ```
 *
 * @module
 */

import { CacheError, nameOf, refuse } from "../errors/errors.ts";
import type { CacheErrorCode } from "../errors/error_codes.ts";
import {
  requireOptions,
  type SetOptions,
  type SetResult,
  type Store,
  type StoredValue,
  type StoreLock,
} from "../store/store.ts";
import type { Command } from "./token_store_command.ts";

export { type DurableObjectStateLike, TokenStoreObject } from "./token_store_object.ts";
export type { DurableStorageLike, SqlCursorLike } from "./token_tables.ts";

/** What this adapter asks of a Durable Object's stub. */
export interface DurableObjectStubLike {
  /** Sends a request to the object. */
  fetch(url: string, init: RequestInit): Promise<Response>;
}

/** What this adapter asks of a namespace of Durable Objects. */
export interface DurableObjectNamespaceLike {
  /** The id of the object of a name. */
  idFromName(name: string): unknown;
  /** A way to the object of an id. */
  get(id: unknown): DurableObjectStubLike;
}

/** How a {@linkcode DurableObjectStore} finds its objects. */
export interface DurableObjectStoreOptions {
  /**
   * The name of the object that keeps a key. By default each key has an object of its own; an object for many keys answers
   * one request after the other.
   */
  readonly objectNameOf?: ((key: string) => string) | undefined;
}

const CODES: Readonly<Record<Command["op"], CacheErrorCode>> = {
  get: "cache_read_failed",
  set: "cache_write_failed",
  delete: "cache_write_failed",
  lock: "cache_lock_failed",
  release: "cache_lock_failed",
};

function failure({ op }: Command, what: string): CacheError {
  const help = "Is its class a TokenStoreObject, exported from the main module and in new_sqlite_classes, " +
    "and the value below 2 MB?";
  return new CacheError(CODES[op], `The Durable Object ${what}. ${help}`);
}

/** A {@linkcode Store} in Durable Objects of the class {@linkcode TokenStoreObject}. */
export class DurableObjectStore implements Store {
  /** `set` honours `ifVersion`. */
  readonly cas = true;
  /** A row may have 2 MB, with its key and version. */
  readonly maxValueBytes: number = 1_990_000;
  readonly #namespace: DurableObjectNamespaceLike;
  readonly #objectNameOf: (key: string) => string;

  /**
   * Wraps a namespace.
   *
   * @param namespace The binding, such as `env.TOKENS`, or `env.TOKENS.jurisdiction("eu")`.
   * @param options How its objects are found.
   * @throws {ClientConfigurationError} `invalid_store`, or `invalid_option`.
   */
  constructor(namespace: DurableObjectNamespaceLike, options: DurableObjectStoreOptions = {}) {
    requireOptions(options);
    if (typeof namespace?.idFromName !== "function") {
      refuse(
        "invalid_store",
        "namespace",
        "it is no Durable Object namespace. Pass the binding, such as env.TOKENS",
      );
    }
    const { objectNameOf = (key: string): string => key } = options;
    if (typeof objectNameOf !== "function") refuse("invalid_option", "objectNameOf", "it must be a function");
    this.#namespace = namespace;
    this.#objectNameOf = objectNameOf;
  }

  /** Reads a value that has not expired. */
  async get(key: string): Promise<StoredValue | undefined> {
    const { value, version } = await this.#ask<Partial<StoredValue>>({ op: "get", key });
    return typeof value === "string" ? { value, version } as StoredValue : undefined;
  }

  /** Writes a value; one that has expired already is not kept. */
  set(key: string, value: string, { expiresAtMs, ifVersion }: SetOptions): Promise<SetResult> {
    // JSON has neither NaN, which is no time at all, nor Infinity.
    const endMs = expiresAtMs > 0 ? Math.min(expiresAtMs, Number.MAX_SAFE_INTEGER) : 0;
    return this.#ask({ op: "set", key, value, expiresAtMs: endMs, ifVersion });
  }

  /** Forgets a value. */
  async delete(key: string): Promise<void> {
    await this.#ask({ op: "delete", key });
  }

  /** Takes a lease, known to all isolates. */
  async lock(key: string, leaseMs: number): Promise<StoreLock | undefined> {
    const id = crypto.randomUUID();
    const { ok } = await this.#ask<{ ok: boolean }>({ op: "lock", key, id, leaseMs });
    return ok === true
      ? { release: async () => void await this.#ask({ op: "release", key, id }) }
      : undefined;
  }

  async #ask<T>(command: Command): Promise<T> {
    const response = await this.#send(command).catch((error) => {
      throw failure(command, `threw ${nameOf(error)}`);
    });
    if (response.ok) return Object(await response.json());
    await response.body?.cancel();
    throw failure(command, `answered ${response.status}`);
  }

  /** A new version of the Worker resets its objects: then, and whenever Workers say so, a second attempt is worth making. */
  async #send(command: Command): Promise<Response> {
    try {
      return await this.#fetch(command);
    } catch (error) {
      if ((Object(error) as { retryable?: unknown }).retryable !== true) throw error;
      return await this.#fetch(command);
    }
  }

  #fetch(command: Command): Promise<Response> {
    const id = this.#namespace.idFromName(this.#objectNameOf(command.key));
    // A stub that has failed once stays broken, so each request has its own.
    return this.#namespace.get(id).fetch("https://token-store.invalid/", {
      method: "POST",
      body: JSON.stringify(command),
    });
  }
}
