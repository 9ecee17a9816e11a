/**
 * Registers one test with whichever runner the runtime has.
 *
 * Deno and Bun bring their own. Node and workerd get none, so there the tests are kept in
 * {@linkcode registered} and `drain.ts` calls them one by one.
 *
 * @module
 */

/** A runtime the suite runs on; workerd counts twice, with and without `nodejs_compat`. */
export type Runtime = "deno" | "bun" | "node" | "workerd" | "workerd-nodejs";

/** A test's body. */
export type Body = () => void | Promise<void>;

/** What a test may ask for. */
export interface TestOptions {
  /** The only runtimes on which the test makes sense; all of them where absent. */
  readonly on?: readonly Runtime[];
}

/** A test that no runner has taken yet. */
export interface Registered {
  readonly name: string;
  readonly body: Body;
}

/** What workerd hands to the request that runs a test. */
export interface WorkersContext {
  readonly env: Readonly<Record<string, unknown>>;
  readonly ctx: { waitUntil(promise: Promise<unknown>): void };
  /** Runs `body` in another request of the same isolate, with that request's own `waitUntil`. */
  inAnotherRequest<T>(body: () => T | Promise<T>): Promise<T>;
}

/** How long a test may take before it fails by name. */
export const TEST_TIMEOUT_MS = 30_000;

// deno-lint-ignore no-explicit-any
const { Deno: deno, Bun: bun, navigator, process } = globalThis as any;

/** Where this is running. */
export const runtime: Runtime = detect();

/** What was registered where the runtime has no runner. */
export const registered: Registered[] = [];

// A variable, so that the other runtimes' checkers and bundlers leave it alone.
const bunTest = "bun:test";
const bunRunner = runtime === "bun" ? (await import(bunTest)).test : undefined;

let workers: WorkersContext | undefined;

/** Registers a test, unless it asks for other runtimes than this one. */
export function test(name: string, body: Body, options: TestOptions = {}): void {
  if (options.on && !options.on.includes(runtime)) return;
  if (runtime === "deno") deno.test({ name, fn: body, timeout: TEST_TIMEOUT_MS });
  else if (bunRunner) bunRunner(name, announced(name, body), TEST_TIMEOUT_MS);
  else registered.push({ name, body });
}

/** The request in which the current test runs; undefined outside workerd. */
export function workersContext(): WorkersContext | undefined {
  return workers;
}

/** Tells {@linkcode workersContext} about the request that has begun. */
export function enterRequest(context: WorkersContext): void {
  workers = context;
}

function detect(): Runtime {
  if (deno) return "deno";
  if (bun) return "bun";
  if (navigator?.userAgent !== "Cloudflare-Workers") return "node";
  return process?.versions?.node ? "workerd-nodejs" : "workerd";
}

/** Bun names a test when it is over, which is too late for one that spins for ever. */
function announced(name: string, body: Body): Body {
  if (!process.env.SUITE_ANNOUNCE) return body;
  return () => {
    process.stderr.write(`> ${name}\n`);
    return body();
  };
}
