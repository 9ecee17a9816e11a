/**
 * The version that telemetry names; a test holds it against `deno.json`.
 *
 * @module
 */

/** The package's version. */
export const VERSION = "0.1.0";
