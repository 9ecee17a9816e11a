/**
 * A store over redis.
 *
 * @module
 */

export {};
