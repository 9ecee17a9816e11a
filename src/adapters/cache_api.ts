/**
 * A store over cache-api.
 *
 * @module
 */

export {};
