/**
 * The options of the loopback receiver, checked.
 *
 * @module
 */
import { refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { ReceiverTemplates } from "./pages.ts";

/** Options of `LoopbackReceiver`. */
export interface LoopbackReceiverOptions {
  /** The port to listen on; 0, the default, takes one that is free. Entra allows any port for `http://localhost`. */
  readonly port?: number | undefined;
  /** The address to listen on. There is no other: what listens on the network gets answers from the network. */
  readonly host?: "127.0.0.1" | undefined;
  /**
   * The host in the redirect URI: `localhost`, the default, as Entra's portal registers it, or `127.0.0.1`, which no
   * name resolution can change.
   */
  readonly redirectHost?: "localhost" | "127.0.0.1" | undefined;
  /** The path in the redirect URI, such as `/callback`; none by default, as in `http://localhost`. */
  readonly path?: string | undefined;
  /** How the answer comes; `form_post`, the default, keeps the code out of the browser's history. */
  readonly responseMode?: "query" | "form_post" | undefined;
  /**
   * How to open the browser: `true`, the default, for the system's, `false` to print the address only, or a function
   * that opens it. Where no browser can be opened, the address is printed.
   */
  readonly openBrowser?: boolean | ((url: string) => void | Promise<void>) | undefined;
  /** Takes a line for the user; the default writes to standard error, as standard output may be piped. */
  readonly print?: ((line: string) => void) | undefined;
  /** Texts of the application's own for the browser. */
  readonly templates?: ReceiverTemplates | undefined;
  /** The longest wait for the user in milliseconds; five minutes by default, `Infinity` for no limit. */
  readonly timeoutMs?: number | undefined;
  /** Where the timer comes from; the runtime's own by default. */
  readonly clock?: Clock | undefined;
}

/** The options, with every default. */
export interface ReceiverSettings {
  readonly port: number;
  readonly redirectHost: string;
  readonly path: string;
  readonly responseMode: "query" | "form_post";
  readonly openBrowser: boolean | ((url: string) => void | Promise<void>);
  readonly print: (line: string) => void;
  readonly templates: ReceiverTemplates;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

const DEFAULT_TIMEOUT_MS = 300_000;

/** What a timer can hold; a longer one would fire at once. */
const LONGEST_TIMER_MS = 0x7fffffff;

/**
 * Checks the options.
 *
 * @param options The caller's.
 * @param print Prints where the caller names nothing else.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function readSettings(
  options: LoopbackReceiverOptions,
  print: (line: string) => void,
): ReceiverSettings {
  const { port = 0, host = "127.0.0.1", redirectHost = "localhost", path = "" } = options;
  const { responseMode = "form_post", timeoutMs = DEFAULT_TIMEOUT_MS } = options;
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    refuse("invalid_option", "port", "give a whole number from 0 to 65535");
  }
  if (host !== "127.0.0.1") refuse("invalid_option", "host", `it can only be "127.0.0.1"`);
  if (redirectHost !== "localhost" && redirectHost !== "127.0.0.1") {
    refuse("invalid_option", "redirectHost", `give "localhost" or "127.0.0.1"`);
  }
  if (responseMode !== "form_post" && responseMode !== "query") {
    refuse("invalid_option", "responseMode", `give "form_post" or "query"`);
  }
  checkPath(path);
  checkTimeout("invalid_option", timeoutMs);
  checkFunctions(options);
  return {
    port,
    redirectHost,
    path,
    responseMode,
    timeoutMs,
    openBrowser: options.openBrowser ?? true,
    print: options.print ?? print,
    templates: readTemplates(options.templates ?? {}),
    clock: options.clock ?? systemClock,
  };
}

/**
 * Checks a deadline.
 *
 * @param code The code of the error.
 * @param timeoutMs The deadline in milliseconds.
 * @throws {ClientConfigurationError} With that code.
 */
export function checkTimeout(code: "invalid_option" | "invalid_request", timeoutMs: number): void {
  const fits = timeoutMs === Infinity || timeoutMs <= LONGEST_TIMER_MS;
  if (typeof timeoutMs === "number" && timeoutMs > 0 && fits) return;
  refuse(code, "timeoutMs", "give milliseconds above 0 and below 25 days, or Infinity");
}

function checkPath(path: string): void {
  if (path === "") return;
  const url = URL.canParse(`http://localhost${path}`) ? new URL(`http://localhost${path}`) : undefined;
  // Written as a browser sends it, or nothing would ever match.
  if (url?.pathname !== path) {
    refuse("invalid_option", "path", `give a path such as "/callback", percent-encoded, without a query`);
  }
}

function checkFunctions({ openBrowser, print }: LoopbackReceiverOptions): void {
  if (!["undefined", "boolean", "function"].includes(typeof openBrowser)) {
    refuse("invalid_option", "openBrowser", "give true, false or a function that takes the address");
  }
  if (print !== undefined && typeof print !== "function") {
    refuse("invalid_option", "print", "give a function that takes a line");
  }
}

function readTemplates({ success, error, mismatch }: ReceiverTemplates): ReceiverTemplates {
  const templates = { success, error, mismatch };
  for (const name of ["success", "error", "mismatch"] as const) {
    if (!["undefined", "string"].includes(typeof templates[name])) {
      refuse("invalid_option", `templates.${name}`, "give a text");
    }
  }
  return templates;
}
