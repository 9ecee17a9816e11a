/**
 * Faults that an authority plays on demand.
 *
 * @module
 */
import { ENDPOINT_KINDS, type EndpointKind, type RequestKind } from "./router.ts";

/** Where a fault happens; `"any"` is every endpoint, unknown paths included. */
export type FaultTarget = EndpointKind | "any";

/** What every fault says. */
export interface FaultBase {
  /** The endpoint that it happens on. */
  readonly on: FaultTarget;
  /**
   * How many requests it happens to; `Infinity` for all until it is undone.
   *
   * @default {1}
   */
  readonly times?: number;
}

/** The authority asks the client to slow down. */
export interface ThrottledFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "throttled";
  /** The `Retry-After` header: seconds, or the raw value, such as an HTTP date. Default: no header. */
  readonly retryAfter?: number | string;
  /** The HTTP status. Default: 429. */
  readonly status?: number;
}

/** The authority fails. */
export interface ServerErrorFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "server_error";
  /** The HTTP status. Default: 500. */
  readonly status?: number;
  /** Whether the body is empty instead of a `temporarily_unavailable` error. Default: false. */
  readonly empty?: boolean;
}

/** Somebody else answers with a page, as a proxy or a captive portal does. */
export interface HtmlFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "html";
  /** The HTTP status. Default: 200. */
  readonly status?: number;
  /** The page. Default: a short one. */
  readonly html?: string;
}

/** The ordinary answer comes late. */
export interface SlowFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "slow";
  /** How late, in milliseconds of the authority's clock. */
  readonly delayMs: number;
}

/** The request is sent elsewhere. */
export interface RedirectFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "redirect";
  /** The HTTP status. Default: 302. */
  readonly status?: 301 | 302 | 303 | 307 | 308;
  /** Where to; relative to the request, as in HTTP. */
  readonly location: string;
}

/** The answer is larger than any client should read; it is made while it is read, and stops when the reader stops. */
export interface OversizedFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "oversized";
  /** How large, in bytes. Default: 2 MiB. */
  readonly bytes?: number;
  /** What the `content-length` header claims. Default: no header. */
  readonly contentLength?: number;
  /** The HTTP status. Default: 200. */
  readonly status?: number;
}

/** The answer says that it is JSON, and is not. */
export interface NotJsonFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "not_json";
  /** The HTTP status. Default: 200. */
  readonly status?: number;
  /** The body. Default: a sentence. */
  readonly body?: string;
}

/** The ordinary answer, cut in half. */
export interface TruncatedFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "truncated";
}

/** Any JSON that a test wants to see answered. */
export interface JsonFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "json";
  /** The value that is serialised as the body. */
  readonly body: unknown;
  /** The HTTP status. Default: 200. */
  readonly status?: number;
  /** Further headers; they replace those of the answer. Default: none. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** No answer: `fetch` rejects with a `TypeError`; the loopback face answers 500 without a body. */
export interface NetworkFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "network";
}

/** The authority refuses the request with an AADSTS code, as during the roll-over of a certificate. */
export interface EntraErrorFault extends FaultBase {
  /** Which fault this is. */
  readonly kind: "entra_error";
  /** The AADSTS number, such as 700027. */
  readonly code: number;
  /** The OAuth error code. Default: `invalid_client`. */
  readonly error?: string;
  /** What is said after the number. Default: a sentence. */
  readonly text?: string;
  /** The sub-error, such as `bad_token`. Default: none. */
  readonly suberror?: string;
  /** The claims to ask for in the next authorization request, as JSON. Default: none. */
  readonly claims?: string;
  /** The HTTP status. Default: 401 for `invalid_client`, else 400. */
  readonly status?: number;
}

/** How an ID token is signed that no client should accept. */
export type IdTokenSignature = "broken" | "none" | "foreign_key" | "hs256";

/** What is wrong with an ID token. */
export interface IdTokenForgery {
  /** Claims that are added, or replaced; `undefined` removes one. Default: none. */
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Members of the header that are added, or replaced; `undefined` removes one. Default: none. */
  readonly header?: Readonly<Record<string, unknown>>;
  /**
   * How it is signed: with bits flipped, not at all (`alg: "none"`), with a key that nobody knows but the `kid` of the
   * real one, or with HMAC and the client's secret (the public key, if it has none). Default: properly.
   */
  readonly signature?: IdTokenSignature;
  /** Whether the answer has no ID token. Default: false. */
  readonly omit?: boolean;
}

/** The next ID token that the token endpoint issues is wrong; requests that get none do not count. */
export interface IdTokenFault extends FaultBase, IdTokenForgery {
  /** Which fault this is. */
  readonly kind: "id_token";
  /** The endpoint that it happens on. */
  readonly on: "token";
}

/** A fault to play. */
export type Fault =
  | ThrottledFault
  | ServerErrorFault
  | HtmlFault
  | SlowFault
  | RedirectFault
  | OversizedFault
  | NotJsonFault
  | TruncatedFault
  | JsonFault
  | NetworkFault
  | EntraErrorFault
  | IdTokenFault;

/** A fault that takes the place of the ordinary answer, or changes it as a whole. */
export type PlayedFault = Exclude<Fault, IdTokenFault>;

/** The kinds of fault. */
export type FaultKind = Fault["kind"];

const TARGETS: readonly string[] = [...ENDPOINT_KINDS, "any"];
const SIGNATURES: readonly unknown[] = ["broken", "none", "foreign_key", "hs256", undefined];
/** The kinds, each with the member that it cannot do without. */
const KINDS: ReadonlyMap<string, readonly [string, string] | undefined> = new Map([
  ["throttled", undefined],
  ["server_error", undefined],
  ["html", undefined],
  ["slow", ["delayMs", "number"]],
  ["redirect", ["location", "string"]],
  ["oversized", undefined],
  ["not_json", undefined],
  ["truncated", undefined],
  ["json", undefined],
  ["network", undefined],
  ["entra_error", ["code", "number"]],
  ["id_token", undefined],
]);

/** Checks a fault that may come from JSON. Throws a `TypeError` that names what is wrong. */
export function checkedFault(value: unknown): Fault {
  const fault = Object(value) as Record<string, unknown>;
  const refuse = (why: string): TypeError => new TypeError(`Cannot set a fault: ${why}`);
  if (!TARGETS.includes(String(fault["on"]))) throw refuse(`"on" must be one of ${TARGETS.join(", ")}`);
  const kind = String(fault["kind"]);
  if (!KINDS.has(kind)) throw refuse(`"kind" must be one of ${[...KINDS.keys()].join(", ")}`);
  const [member = "", type = ""] = KINDS.get(kind) ?? [];
  if (member && typeof fault[member] !== type) throw refuse(`"${member}" must be a ${type}`);
  if (kind === "id_token" && fault["on"] !== "token") throw refuse('"on" must be token for id_token');
  if (!SIGNATURES.includes(fault["signature"])) throw refuse('"signature" is none that is known');
  const { times = 1, status = 200 } = fault;
  if (typeof times !== "number" || !(times >= 1)) throw refuse('"times" must be at least 1');
  // 204, 205 and 304 have no body.
  if (typeof status !== "number" || !(status >= 200 && status <= 599) || [204, 205, 304].includes(status)) {
    throw refuse('"status" must be between 200 and 599, and one that has a body');
  }
  return value as Fault;
}

/** The faults that are waiting to happen, oldest first. */
export class Faults {
  #waiting: { readonly fault: Fault; left: number }[] = [];

  /** Adds a fault and returns how to take it back. */
  add(fault: Fault): () => void {
    const entry = { fault: checkedFault(fault), left: fault.times ?? 1 };
    this.#waiting.push(entry);
    return () => this.#remove(entry);
  }

  /** Takes the oldest fault that happens on this kind of request, and not to its ID token. */
  take(kind: RequestKind): PlayedFault | undefined {
    const happens = (fault: Fault): fault is PlayedFault =>
      fault.kind !== "id_token" && (fault.on === kind || fault.on === "any");
    return this.#take(happens);
  }

  /** Takes the oldest fault of ID tokens. */
  takeIdToken(): IdTokenFault | undefined {
    return this.#take((fault): fault is IdTokenFault => fault.kind === "id_token");
  }

  /** Forgets all faults. */
  clear(): void {
    this.#waiting = [];
  }

  #take<F extends Fault>(happens: (fault: Fault) => fault is F): F | undefined {
    const entry = this.#waiting.find(({ fault }) => happens(fault));
    if (!entry) return undefined;
    if (--entry.left < 1) this.#remove(entry);
    return entry.fault as F;
  }

  #remove(entry: { readonly fault: Fault; left: number }): void {
    this.#waiting = this.#waiting.filter((other) => other !== entry);
  }
}
