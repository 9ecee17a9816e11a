/**
 * The one thing that every Redis client can do: run a script on one key.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";

/**
 * Sends one command and gives its reply. The store sends `["EVAL", script, "1", key, ...]`, so `args[3]` is the key, for
 * clients of a cluster that want to know.
 */
export type RedisCommand = (args: string[]) => Promise<unknown>;

/** The clients that a store takes as they are. */
export type RedisClientLike =
  | RedisCommand
  /** `ioredis`. */
  | { call(command: string, ...args: string[]): Promise<unknown> }
  /** `RedisClient` of Bun. */
  | { send(command: string, args: string[]): Promise<unknown> }
  /** `createClient()` of `redis`, the official client for JavaScript. */
  | { sendCommand(args: string[]): Promise<unknown> }
  /** `@upstash/redis`, and an object of one's own around anything else. */
  | { eval(script: string, keys: string[], args: string[]): Promise<unknown> };

/** Runs a script on a key. */
export type RedisScript = (script: string, key: string, args: string[]) => Promise<unknown>;

/** Every way, as something that may be there. */
interface AnyClient {
  call?(command: string, ...args: string[]): Promise<unknown>;
  send?(command: string, args: string[]): Promise<unknown>;
  sendCommand?(args: string[]): Promise<unknown>;
  eval?(script: string, keys: string[], args: string[]): Promise<unknown>;
}

/**
 * Finds out how a client is spoken to.
 *
 * @param client The client.
 * @returns A function that runs a script.
 * @throws {ClientConfigurationError} `invalid_store` where it is none of those known.
 */
export function scriptOf(client: RedisClientLike): RedisScript {
  const send = commandOf(client);
  if (send) return (script, key, args) => send(["EVAL", script, "1", key, ...args]);
  const { eval: evaluate, sendCommand } = Object(client) as AnyClient;
  // With the other one, `eval` takes something else as well.
  if (typeof evaluate === "function" && sendCommand === undefined) {
    return (script, key, args) => evaluate.call(client, script, [key], args);
  }
  return refuse(
    "invalid_store",
    "client",
    "it is no client of redis, ioredis, Bun or Upstash; a promise of one wants an await. For others pass " +
      "a function that sends a command, such as (args) => cluster.sendCommand(args[3], false, args)",
  );
}

function commandOf(client: RedisClientLike): RedisCommand | undefined {
  if (typeof client === "function") return client;
  const { call, send, sendCommand } = Object(client) as AnyClient;
  // In this order: the first has a `sendCommand` too, which takes an object of its own.
  if (typeof call === "function") return ([name = "", ...args]) => call.call(client, name, ...args);
  if (typeof send === "function") return ([name = "", ...args]) => send.call(client, name, args);
  // Those of clusters, of sentinels and of other libraries begin with other parameters, and have more.
  if (typeof sendCommand === "function" && sendCommand.length <= 2) {
    return (args) => sendCommand.call(client, args);
  }
  return undefined;
}
