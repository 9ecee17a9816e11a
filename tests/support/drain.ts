/**
 * Runs the registered tests where the runtime has no test runner: in Node and in workerd.
 *
 * @module
 */
import { type Body, type Registered, registered, runtime, TEST_TIMEOUT_MS } from "./suite.ts";

/** A test file: its name, and what evaluates it. */
export type TestFile = readonly [name: string, evaluate: () => Promise<unknown>];

/** A test and the file that registered it. */
export interface FiledTest extends Registered {
  readonly file: string;
}

// Kept, because a test may put its own in their place.
const { setTimeout, clearTimeout } = globalThis;

const strays: unknown[] = [];
let watching = false;

/** Evaluates every file; one that throws becomes a failing test of that file. */
export async function load(files: readonly TestFile[]): Promise<FiledTest[]> {
  watchRejections();
  const tests: FiledTest[] = [];
  for (const [file, evaluate] of files) {
    const from = registered.length;
    try {
      await evaluate();
    } catch (error) {
      tests.push({ file, name: "(loading the file)", body: () => Promise.reject(error) });
    }
    for (const test of registered.slice(from)) tests.push({ file, ...test });
  }
  return tests;
}

/** Runs one test and returns what is wrong with it, if anything. */
export async function attempt(body: Body): Promise<string | undefined> {
  strays.length = 0;
  try {
    await settled(body);
    // A rejection counts as unhandled only after the microtasks, so one turn of the loop is waited for.
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
  } catch (error) {
    return describe(error);
  }
  return strays.length > 0 ? `a promise was rejected and nobody listened: ${describe(strays[0])}` : undefined;
}

async function settled(body: Body): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    const expire = () => reject(new Error(`the test did not settle in ${TEST_TIMEOUT_MS / 1000} s`));
    timer = setTimeout(expire, TEST_TIMEOUT_MS);
  });
  try {
    await Promise.race([body(), late]);
  } finally {
    clearTimeout(timer);
  }
}

function watchRejections(): void {
  if (watching) return;
  watching = true;
  // deno-lint-ignore no-explicit-any
  const { process } = globalThis as any;
  if (runtime === "node") {
    process.on("unhandledRejection", (reason: unknown) => strays.push(reason));
    process.on("uncaughtException", (error: unknown) => strays.push(error));
  } else {
    addEventListener("unhandledrejection", (event) => strays.push(event.reason));
  }
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const head = `${error.name}: ${error.message}`;
  const text = error.stack?.includes(error.message) ? error.stack : `${head}\n${error.stack ?? ""}`;
  return error.cause === undefined ? text : `${text}\nCaused by: ${describe(error.cause)}`;
}
