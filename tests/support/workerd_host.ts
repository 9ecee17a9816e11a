/**
 * The part of the workerd run that is bundled with the tests and runs inside the Worker.
 *
 * `/list` names the tests and `/run?i=N` runs one of them, so every test has a request of its own.
 *
 * @module
 */
import { attempt, type FiledTest, load, type TestFile } from "./drain.ts";
import { enterRequest, type Runtime, runtime, type WorkersContext } from "./suite.ts";

/** What the Worker answers to `/list`. */
export interface Listing {
  readonly runtime: Runtime;
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

/** What the Worker answers to `/run`. */
export interface Verdict {
  readonly error?: string;
}

type Env = Record<string, unknown> & { SELF: { fetch(url: string): Promise<Response> } };

/** A module Worker's handler. */
export interface SuiteWorker {
  fetch(request: Request, env: Env, ctx: WorkersContext["ctx"]): Promise<Response>;
}

/** The Worker for these test files. */
export function serveTests(files: readonly TestFile[]): SuiteWorker {
  // Loaded inside a request: workerd refuses timers, fetch and random values in global scope.
  let loaded: Promise<FiledTest[]> | undefined;
  return {
    async fetch(request, env, ctx) {
      const { pathname, searchParams } = new URL(request.url);
      const tests = await (loaded ??= load(files));
      if (pathname === "/list") return Response.json(list(tests));
      if (pathname === "/job") return await runJob(Number(searchParams.get("i")), env, ctx);
      enterRequest(contextOf(env, ctx));
      const error = await attempt(tests[Number(searchParams.get("i"))]!.body);
      return Response.json({ ...(error !== undefined && { error }) } satisfies Verdict);
    },
  };
}

const jobs: (() => Promise<void>)[] = [];

function list(tests: readonly FiledTest[]): Listing {
  return { runtime, tests: tests.map(({ file, name }) => ({ file, name })) };
}

function contextOf(env: Env, ctx: WorkersContext["ctx"]): WorkersContext {
  return {
    env,
    ctx: { waitUntil: (promise) => ctx.waitUntil(promise) },
    async inAnotherRequest<T>(body: () => T | Promise<T>): Promise<T> {
      let result: { value: T } | { error: unknown } | undefined;
      const job = async () => {
        try {
          result = { value: await body() };
        } catch (error) {
          result = { error };
        }
      };
      const response = await env.SELF.fetch(`http://suite.invalid/job?i=${jobs.push(job) - 1}`);
      await response.body?.cancel();
      if (!result) throw new Error(`the other request ended with ${response.status} before its body did`);
      if ("error" in result) throw result.error;
      return result.value;
    },
  };
}

async function runJob(index: number, env: Env, ctx: WorkersContext["ctx"]): Promise<Response> {
  enterRequest(contextOf(env, ctx));
  await jobs[index]!();
  return new Response(null, { status: 204 });
}
