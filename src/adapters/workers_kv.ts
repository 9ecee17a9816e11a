/**
 * A store over workers-kv.
 *
 * @module
 */

export {};
