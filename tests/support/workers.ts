/**
 * Runs the shared suite inside workerd: loads it in a Worker and asks for one test per request.
 *
 * @module
 */
import type { Readable } from "node:stream";
import { Miniflare } from "miniflare";
import { bundleTests, stackMapper } from "./bundle.ts";
import { emptyOutcome, type Outcome, type Say } from "./outcome.ts";
import { type Runtime, TEST_TIMEOUT_MS } from "./suite.ts";
import type { Listing, Verdict } from "./workerd_host.ts";

/** Not later than the pinned workerd, and before the date that makes `nodejs_compat` a default. */
const COMPATIBILITY_DATE = "2026-07-01";

/** What stacks call the bundle. */
const SCRIPT = "suite.mjs";

const HOST = `import { serveTests } from "./tests/support/workerd_host.ts";
export { ProbedTokenStore, UnmigratedTokenStore } from "./tests/support/probed_token_store.ts";
export default serveTests(files);`;

/** Which of the two Workers to run. */
export type WorkerdRuntime = Extract<Runtime, `workerd${string}`>;

/** Runs these test files in workerd. */
export async function runWorkerd(
  runtime: WorkerdRuntime,
  files: readonly string[],
  say: Say,
): Promise<Outcome> {
  const outcome = emptyOutcome();
  const bundle = await bundleSuite(files);
  const inSources = stackMapper(bundle, SCRIPT);
  const suite = new Suite(runtime, bundle, say);
  try {
    const listing = await suite.ask<Listing>("/list");
    if (listing.runtime !== runtime) throw new Error(`this is ${listing.runtime}, not ${runtime}`);
    for (const [i, { file, name }] of listing.tests.entries()) {
      const start = performance.now();
      const error = await suite.run(i);
      const took = `(${Math.round(performance.now() - start)}ms)`;
      say(`${file}: ${name} ... ${error === undefined ? "ok" : "FAILED"} ${took}`);
      if (error === undefined) outcome.passed++;
      else {
        outcome.failures.push(`${file}: ${name}`);
        say(inSources(error).replace(/^/gm, "    "));
      }
    }
  } catch (error) {
    outcome.failures.push(`(the Worker failed: ${error instanceof Error ? error.message : error})`);
  } finally {
    await suite.close();
  }
  return outcome;
}

/** A Worker with the suite in it, replaced when a test has taken it hostage. */
class Suite {
  readonly #runtime: WorkerdRuntime;
  readonly #contents: string;
  readonly #say: Say;
  readonly #refused: string[] = [];
  #miniflare: Miniflare;

  constructor(runtime: WorkerdRuntime, contents: string, say: Say) {
    this.#runtime = runtime;
    this.#contents = contents;
    this.#say = say;
    this.#miniflare = this.#start();
  }

  /** Runs one test and returns what is wrong with it, if anything. */
  async run(index: number): Promise<string | undefined> {
    this.#refused.length = 0;
    try {
      const { error } = await this.ask<Verdict>(`/run?i=${index}`);
      if (error !== undefined || this.#refused.length === 0) return error;
      return `the test reached for the network: ${this.#refused.join(", ")}`;
    } catch (error) {
      if (!(error instanceof DOMException && error.name === "TimeoutError")) return String(error);
      // A test that never yields keeps the isolate; the tests after it get a new one.
      await this.close();
      this.#miniflare = this.#start();
      return `no answer in ${ANSWER_MS / 1000} s: the test holds the thread`;
    }
  }

  /** Asks the Worker for one thing; whatever else comes back is an error. */
  async ask<T>(path: string): Promise<T> {
    // Not the signal of the request alone: a held thread may keep even its abort waiting.
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new DOMException("no answer", "TimeoutError")), ANSWER_MS);
    try {
      const answer = this.#miniflare.dispatchFetch(`http://suite.invalid${path}`);
      answer.catch(() => {});
      const response = await Promise.race([answer, late]);
      const text = await Promise.race([response.text(), late]);
      if (!response.ok) throw new Error(text);
      return JSON.parse(text);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): Promise<void> {
    return this.#miniflare.dispose();
  }

  #start(): Miniflare {
    return new Miniflare({
      name: "suite",
      modules: [{ type: "ESModule", path: SCRIPT, contents: this.#contents }],
      compatibilityDate: COMPATIBILITY_DATE,
      compatibilityFlags: this.#runtime === "workerd-nodejs" ? ["nodejs_compat"] : [],
      serviceBindings: { SELF: "suite" },
      kvNamespaces: ["KV"],
      durableObjects: {
        TOKENS: { className: "ProbedTokenStore", useSQLite: true },
        UNMIGRATED: { className: "UnmigratedTokenStore", useSQLite: false },
      },
      outboundService: (request: Request) => {
        this.#refused.push(`${request.method} ${request.url}`);
        throw new Error("the suite has no network");
      },
      handleRuntimeStdio: (stdout: Readable, stderr: Readable) => {
        for (const stream of [stdout, stderr]) {
          stream.on("data", (bytes: Uint8Array) => this.#say(new TextDecoder().decode(bytes).trimEnd()));
        }
      },
      cf: false,
    });
  }
}

/** The test's own limit and then some, so that a test that merely waits fails by its own name. */
const ANSWER_MS = TEST_TIMEOUT_MS + 10_000;

function bundleSuite(files: readonly string[]): Promise<string> {
  return bundleTests(files, HOST, {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*"],
  });
}
