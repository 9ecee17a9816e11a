/**
 * Receives the answer to an authorization request on 127.0.0.1.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8252#section-7.3 | RFC 8252, 7.3: loopback redirects}
 */
import { stderr } from "node:process";
import type { AuthCodeListener, AuthCodeReceiver } from "../request/auth_code_receiver.ts";
import { openListener } from "./loopback_listener.ts";
import { type LoopbackReceiverOptions, readSettings, type ReceiverSettings } from "./receiver_settings.ts";

/**
 * Opens the system's browser for a sign-in, and receives the answer on a port of 127.0.0.1.
 *
 * One object can open any number of listeners, at the same time where `port` is 0.
 */
export class LoopbackReceiver implements AuthCodeReceiver {
  readonly #settings: ReceiverSettings;

  /**
   * Makes a receiver; nothing is opened yet.
   *
   * @param options The options, all of them optional.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  constructor(options: LoopbackReceiverOptions = {}) {
    this.#settings = readSettings(options, (line) => void stderr.write(`${line}\n`));
  }

  /**
   * Begins to listen.
   *
   * A listener waits for one answer. Its `receive()` throws `ClientAuthError` with `request_aborted` or
   * `interaction_timeout`, and has freed the port then; after an answer `close()` frees it.
   *
   * @param options The signal ends the opening.
   * @returns The listener, with the redirect URI for the authorization request.
   * @throws {ClientConfigurationError} `invalid_option`: the port is in use, or may not be used.
   * @throws {ClientAuthError} `request_aborted`.
   */
  open(options: { readonly signal?: AbortSignal | undefined } = {}): Promise<AuthCodeListener> {
    return openListener(this.#settings, options.signal);
  }
}
