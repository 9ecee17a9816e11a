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
  return typeof value === "string" && /^[a-z](?:[a-z\d-]{0,61}[a-z\d])?$/.test(value);
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
  const why =
    "a region is a lower-case DNS label such as westus2: it starts with a letter, at most 63 characters";
  return refuse("invalid_option", option, why);
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
