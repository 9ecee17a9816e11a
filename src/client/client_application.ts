/**
 * What both applications share.
 *
 * @module
 */

import { Engine } from "./engine.ts";
import type { ClientApplicationOptions } from "./options.ts";

let engineOf: (application: ClientApplication) => Engine;

/** What both applications share. Nothing is sent or read before the first call. */
export abstract class ClientApplication {
  readonly #engine: Engine;

  static {
    engineOf = (application) => application.#engine;
  }

  /**
   * Checks the options.
   *
   * @param options The options.
   * @param throttleSeconds For how long 429 and statuses from 500 count where the authority does not say.
   * @param secret The client's secret, if it has one that never changes; it keys the HTTP cache.
   * @throws {ClientConfigurationError} that names the option and how to mend it.
   */
  protected constructor(options: ClientApplicationOptions, throttleSeconds: number, secret?: string) {
    this.#engine = new Engine(options, throttleSeconds, secret);
  }

  /** The client id. */
  get clientId(): string {
    return this.#engine.configuration.clientId;
  }

  /** The authority, without a slash at its end. */
  get authority(): string {
    return this.#engine.configuration.authority.base;
  }

  /** What logs may show. */
  toJSON(): { clientId: string; authority: string } {
    return { clientId: this.clientId, authority: this.authority };
  }
}

/**
 * Opens an application to the library's own code.
 *
 * @param application The application.
 * @returns Its engine.
 */
export function openApplication(application: ClientApplication): Engine {
  return engineOf(application);
}
