/**
 * Azure regions, and the hosts that answer for them.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { cloudOf } from "./known_clouds.ts";

/**
 * Whether a value can be a region: it becomes the first label of a host, and must not bring another.
 *
 * @param value What was given, or found out.
 */
export function isRegion(value: unknown): value is string {
  // A variable that is not set becomes one of these in a template.
  return typeof value === "string" &&
    /^(?!(?:true|false|undefined|null)$)[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/.test(value);
}

/**
 * Checks a region.
 *
 * @param value What was given.
 * @param option The option's or variable's name, for the error.
 * @returns The same.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function requireRegion(value: unknown, option: string): string {
  if (isRegion(value)) return value;
  return refuse(
    "invalid_option",
    option,
    "a region is its name in lower case without spaces, such as westus2",
  );
}

/**
 * The host of a region.
 *
 * @param host The central host, of a Microsoft cloud.
 * @param region The region: checked.
 * @returns The host to ask.
 */
export function regionalHost(host: string, region: string): string {
  const isPublic = cloudOf(host) === cloudOf("login.microsoft.com");
  return `${region}.${isPublic ? "login.microsoft.com" : host}`;
}
