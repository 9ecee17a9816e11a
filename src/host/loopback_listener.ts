/**
 * A loopback receiver that listens, for one answer.
 *
 * @module
 */
import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import type { AuthCodeListener, AuthCodeWait } from "../request/auth_code_receiver.ts";
import { abortError, untilAborted, withDeadline } from "../runtime/wait.ts";
import { listenOnLoopback, type LoopbackServer } from "./loopback_server.ts";
import { checkTimeout, type ReceiverSettings } from "./receiver_settings.ts";
import { Reception } from "./reception.ts";
import { openSystemBrowser } from "./system_browser.ts";

/**
 * Begins to listen.
 *
 * @param settings The receiver's.
 * @param signal Ends the opening.
 * @throws {ClientConfigurationError} `invalid_option`: the port cannot be had.
 * @throws {ClientAuthError} `request_aborted`.
 */
export async function openListener(
  settings: ReceiverSettings,
  signal: AbortSignal | undefined,
): Promise<AuthCodeListener> {
  if (signal?.aborted) throw abortError(signal);
  let port = 0;
  const reception = new Reception(settings, () => port);
  const server = await listenOnLoopback(settings.port, reception.handle);
  port = server.port;
  const listener = new LoopbackListener(settings, server, reception);
  if (!signal?.aborted) return listener;
  await listener.close();
  throw abortError(signal);
}

class LoopbackListener implements AuthCodeListener {
  readonly redirectUri: string;
  readonly responseMode: "query" | "form_post";
  readonly #settings: ReceiverSettings;
  readonly #server: LoopbackServer;
  readonly #reception: Reception;
  #used = false;
  #closing: Promise<void> | undefined;

  constructor(settings: ReceiverSettings, server: LoopbackServer, reception: Reception) {
    this.#settings = settings;
    this.#server = server;
    this.#reception = reception;
    this.redirectUri = `http://${settings.redirectHost}:${server.port}${settings.path}`;
    this.responseMode = settings.responseMode;
  }

  async receive(options: AuthCodeWait): Promise<URLSearchParams> {
    const { state, timeoutMs = this.#settings.timeoutMs, signal } = options;
    const url = readUrl(options.authUri);
    if (typeof state !== "string" || state === "") {
      refuse("invalid_request", "state", "give the state of the authorization request");
    }
    checkTimeout("invalid_request", timeoutMs);
    if (this.#used || this.#closing) {
      refuse("invalid_request", "receive", "a listener waits once, and not when it is closed. Open another");
    }
    this.#used = true;
    try {
      if (signal?.aborted) throw abortError(signal);
      const answer = this.#reception.expect(state);
      this.#show(url).catch((error) => this.#reception.end(printFailure(error)));
      return await this.#bounded(untilAborted(answer, signal), timeoutMs);
    } catch (error) {
      // The port is free before the caller hears of it.
      await this.close();
      throw error;
    }
  }

  close(): Promise<void> {
    this.#reception.end(new ClientAuthError("request_aborted", "Cannot sign in: the listener was closed"));
    return this.#closing ??= this.#server.close();
  }

  #bounded(answer: Promise<URLSearchParams>, timeoutMs: number): Promise<URLSearchParams> {
    if (timeoutMs === Infinity) return answer;
    return withDeadline(this.#settings.clock, answer, timeoutMs, () => {
      throw new ClientAuthError(
        "interaction_timeout",
        `Cannot sign in: no answer came within ${timeoutMs / 1000} s. Try again, or raise timeoutMs`,
      );
    });
  }

  async #show(url: string): Promise<void> {
    const { openBrowser, print } = this.#settings;
    const opened = openBrowser !== false && await openWith(openBrowser, url);
    if (opened || !this.#reception.waits) return;
    print(`To sign in, open this address in a browser on this machine: ${url}`);
  }
}

async function openWith(
  openBrowser: true | ((url: string) => void | Promise<void>),
  url: string,
): Promise<boolean> {
  if (openBrowser === true) return await openSystemBrowser(url);
  try {
    await openBrowser(url);
    return true;
  } catch {
    // The user can still open the address.
    return false;
  }
}

function readUrl(authUri: string): string {
  const url = URL.canParse(authUri) ? new URL(authUri) : undefined;
  // What a system opens for another scheme is any program.
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    refuse("invalid_request", "authUri", "give an http or https URL");
  }
  return url.href;
}

function printFailure(error: unknown): ClientAuthError {
  return new ClientAuthError(
    "unexpected_error",
    `Cannot show where to sign in: print threw ${nameOf(error)}`,
  );
}
