/**
 * Runs the cases of the certificates on Bun, Deno or Node, against the server that its last argument names.
 *
 * @module
 */
import { runCases } from "./certificate_program.ts";

// deno-lint-ignore no-explicit-any -- each runtime has it, and none has the others' types
const { process, Deno: deno } = globalThis as any;
const args: readonly string[] = deno ? deno.args : process.argv;
console.log(JSON.stringify(await runCases(args.at(-1)!)));
