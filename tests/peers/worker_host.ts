/**
 * Runs a Worker in workerd, beside the tests: in front of it plain requests, behind it a gate that tests open.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { Miniflare, Response as WorkerdResponse } from "miniflare";
import { bundleTests } from "../support/bundle.ts";
import type { LocalAuthority } from "../../src/testing/mod.ts";

/** One way in which a Worker can be configured. */
export interface Compatibility {
  readonly compatibilityDate: string;
  readonly compatibilityFlags: readonly string[];
}

/** A Worker that runs. */
export interface RunningWorker extends AsyncDisposable {
  /** Where it listens, on loopback. */
  readonly origin: string;
  /** Asks it for JSON, and fails where no answer comes in time. */
  ask<T>(path: string, timeoutMs?: number): Promise<T>;
}

type Handler = (request: Request) => Promise<Response>;

/** What a Worker is made of beside its module. */
export interface WorkerOptions extends Compatibility {
  readonly bindings?: Readonly<Record<string, string>>;
  /** Answers every request that the Worker sends. */
  readonly outbound?: Handler;
}

/** Makes one module of a Worker below this folder, as wrangler does. */
export function bundleWorker(file: string): Promise<string> {
  return bundleTests([], `export { default } from "./tests/peers/${file}";`, {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
  });
}

/** Starts a Worker; its requests go to `outbound`, and nowhere else. */
export async function startWorker(contents: string, options: WorkerOptions): Promise<RunningWorker> {
  const { compatibilityDate, compatibilityFlags, bindings = {}, outbound } = options;
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate,
    compatibilityFlags: [...compatibilityFlags],
    bindings: { ...bindings },
    outboundService: (request: Request) => forward(request, outbound),
    handleRuntimeStdio: (...streams: Readable[]) => {
      // Drained and not shown: workerd warns whenever a promise of a request that has ended is settled.
      for (const stream of streams) stream.resume();
    },
    cf: false,
  });
  const { origin } = await miniflare.ready;
  return {
    origin,
    ask: async (path, timeoutMs = ANSWER_MS) => {
      const response = await fetch(origin + path, { signal: AbortSignal.timeout(timeoutMs) });
      const text = await response.text();
      if (!response.ok) throw new Error(`${path} was answered with ${response.status}: ${text}`);
      return JSON.parse(text);
    },
    [Symbol.asyncDispose]: () => miniflare.dispose(),
  };
}

/** A Worker that hangs is a failure, not a wait. */
const ANSWER_MS = 15_000;

/** Miniflare has requests and responses of its own making. */
// deno-lint-ignore no-explicit-any -- its types are not Deno's
async function forward(request: Request, outbound: Handler | undefined): Promise<any> {
  if (!outbound) throw new Error(`this Worker has no network: ${request.url}`);
  const { method, url } = request;
  const body = method === "POST" ? { body: await request.text() } : {};
  const response = await outbound(new Request(url, { method, headers: [...request.headers], ...body }));
  return new WorkerdResponse(await response.text(), {
    status: response.status,
    headers: [...response.headers],
  });
}

/** Lets requests through to an authority when a test says so. */
export class Gate {
  readonly #authority: LocalAuthority;
  readonly #arrived: string[] = [];
  #open = Promise.withResolvers<void>();

  constructor(authority: LocalAuthority) {
    this.#authority = authority;
  }

  /** The requests that have arrived at the gate. */
  get arrived(): readonly string[] {
    return this.#arrived;
  }

  /** Lets everything through, from now on. */
  open(): void {
    this.#open.resolve();
  }

  /** Holds what arrives from now on. */
  shut(): void {
    this.#open = Promise.withResolvers<void>();
  }

  readonly pass: Handler = async (request) => {
    this.#arrived.push(`${request.method} ${request.url}`);
    await this.#open.promise;
    return await this.#authority.fetch(request);
  };
}

/** Waits until something is so; a state that only another process knows. */
export async function until(what: string, isSo: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + ANSWER_MS;
  while (!await isSo()) {
    if (performance.now() > deadline) throw new Error(`waited in vain until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
