/**
 * What a program could print of a value: for tests that look for secrets in it.
 *
 * @module
 */
// deno-lint-ignore no-explicit-any
const { Deno: deno, Bun: bun, process } = globalThis as any;

const DEEP = { depth: 20, showHidden: true, getters: true };
const inspect: (value: unknown) => string = inspector();

/** As each runtime prints a value by itself; workerd has nothing for that without Node's modules. */
function inspector(): (value: unknown) => string {
  if (deno) return (value) => deno.inspect(value, DEEP);
  if (bun) return (value) => bun.inspect(value, { depth: DEEP.depth });
  const util = process?.versions?.node && process.getBuiltinModule?.("node:util");
  return util ? (value) => util.inspect(value, DEEP) : () => "";
}

/** All that a program could print of a value: own members, hidden ones included, and those of its causes. */
export function printed(value: unknown): string {
  const parts: unknown[] = [];
  for (let one = value; one !== undefined && one !== null && parts.length < 500; one = (one as Error).cause) {
    parts.push(String(one), JSON.stringify(one), inspect(one));
    if (typeof one !== "object") break;
    for (const name of Object.getOwnPropertyNames(one)) {
      const member = (one as Record<string, unknown>)[name];
      parts.push(name, typeof member === "object" ? JSON.stringify(member) : String(member));
    }
  }
  return parts.join("\n");
}
