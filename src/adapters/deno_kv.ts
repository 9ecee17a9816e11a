/**
 * A store over deno-kv.
 *
 * @module
 */

export {};
