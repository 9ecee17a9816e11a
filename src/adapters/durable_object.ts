/**
 * A store over durable-object.
 *
 * @module
 */

export {};
