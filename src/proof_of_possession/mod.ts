/**
 * Not built yet.
 *
 * @module
 */
export {};
