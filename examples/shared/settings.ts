/**
 * What the web applications have to be told.
 *
 * @module
 */

/** The variables without which nobody can sign in. */
export const SETTINGS = [
  "TENANT_ID",
  "CLIENT_ID",
  "CLIENT_SECRET",
  "API_CLIENT_ID",
  "API_CLIENT_SECRET",
  "COOKIE_SECRET",
] as const;
