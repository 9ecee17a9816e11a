/**
 * Takes the requests of the loopback server, and finds the one answer among them.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import { judge, type Verdict } from "./judge.ts";
import { readBody } from "./loopback_server.ts";
import { renderPage } from "./pages.ts";
import type { ReceiverSettings } from "./receiver_settings.ts";

/** Answers every request, and waits for one. */
export class Reception {
  readonly #settings: ReceiverSettings;
  readonly #port: () => number;
  /** Absent before the wait, and once its answer has come or it has ended. */
  #isExpected: ((state: string) => boolean) | undefined;
  #settle: (answer: URLSearchParams) => void = () => {};
  #fail: (error: Error) => void = () => {};

  /**
   * Makes one that waits for nothing yet.
   *
   * @param settings The receiver's.
   * @param port Tells the port of the server.
   */
  constructor(settings: ReceiverSettings, port: () => number) {
    this.#settings = settings;
    this.#port = port;
  }

  /** Whether an answer may still come. */
  get waits(): boolean {
    return this.#isExpected !== undefined;
  }

  /** Waits for the answer with this state; it arrives when its sender has got a page. */
  expect(state: string): Promise<URLSearchParams> {
    const wanted = digest(state);
    return new Promise((resolve, reject) => {
      this.#isExpected = (found) => timingSafeEqual(digest(found), wanted);
      this.#settle = resolve;
      this.#fail = reject;
    });
  }

  /** Ends the wait, if it goes on. */
  end(error: Error): void {
    this.#isExpected = undefined;
    this.#fail(error);
  }

  /** Answers a request. */
  readonly handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = "", url = "", headers } = request;
    const { path, responseMode } = this.#settings;
    const body = method === "POST" ? await readBody(request) : "";
    const verdict = judge(
      { method, target: url, host: headers.host, contentType: headers["content-type"], body },
      { port: this.#port(), path: path || "/", responseMode, isExpected: this.#isExpected },
    );
    // Before the page is sent: whatever else arrives meanwhile is no answer any more.
    if (verdict.answer) this.#isExpected = undefined;
    await this.#send(response, verdict);
    if (verdict.answer) this.#settle(verdict.answer);
  };

  async #send(response: ServerResponse, { status, page, answer }: Verdict): Promise<void> {
    const names = page === "error" ? ["error", "error_description", "error_uri"] : [];
    const values = Object.fromEntries(names.map((name) => [name, answer?.get(name) ?? ""]));
    const { headers, body } = renderPage(page, this.#settings.templates, values);
    const bytes = new TextEncoder().encode(body);
    const gone = new Promise<void>((resolve) => {
      for (const event of ["finish", "close", "error"]) response.once(event, () => resolve());
      if (response.destroyed) resolve();
    });
    response.writeHead(status, { ...headers, "content-length": bytes.byteLength });
    response.end(bytes);
    await gone;
  }
}

/** Of one length whatever the text is, so that the comparison tells nothing about it. */
function digest(text: string): Uint8Array {
  return createHash("sha256").update(text).digest();
}
