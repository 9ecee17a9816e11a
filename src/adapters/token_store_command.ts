/**
 * What a {@linkcode DurableObjectStore} asks of its objects.
 *
 * @module
 */

/** A command, sent as JSON. */
export type Command =
  | { readonly op: "get"; readonly key: string }
  | { readonly op: "delete"; readonly key: string }
  | {
    readonly op: "set";
    readonly key: string;
    readonly value: string;
    readonly expiresAtMs: number;
    readonly ifVersion?: string | null | undefined;
  }
  | { readonly op: "lock"; readonly key: string; readonly id: string; readonly leaseMs: number }
  | { readonly op: "release"; readonly key: string; readonly id: string };

/** What a member must be; the longest text that is no value. */
const MAX_NAME_LENGTH = 512;

type Members = { readonly [name: string]: unknown };

/**
 * Reads a command.
 *
 * @param text The body of the request.
 * @returns The command, or `undefined` where it is none.
 */
export function readCommand(text: string): Command | undefined {
  let members: Members;
  try {
    members = Object(JSON.parse(text));
  } catch {
    return undefined;
  }
  return isName(members.key) && isWhole(members) ? members as Command : undefined;
}

function isWhole({ op, value, expiresAtMs, ifVersion, id, leaseMs }: Members): boolean {
  if (op === "get" || op === "delete") return true;
  if (op === "release") return isName(id);
  if (op === "lock") return isName(id) && isTime(leaseMs);
  const version = ifVersion === undefined || ifVersion === null || typeof ifVersion === "string";
  return op === "set" && typeof value === "string" && isTime(expiresAtMs) && version;
}

function isName(value: unknown): value is string {
  return typeof value === "string" && value.length <= MAX_NAME_LENGTH;
}

function isTime(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= Number.MAX_SAFE_INTEGER;
}
