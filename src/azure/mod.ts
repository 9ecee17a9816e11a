/**
 * To be built.
 *
 * @module
 */
export {};
