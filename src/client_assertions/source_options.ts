/**
 * What every source of assertions takes.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { type Clock, systemClock } from "../runtime/clock.ts";
import type { FetchFunction } from "../runtime/web_types.ts";

/** What every source of assertions takes. */
export interface AssertionSourceOptions {
  /** The `fetch` for every request; the global one, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /**
   * The deadline of each request, in milliseconds. The application's own deadline for its credential counts as well.
   *
   * @default {3000}
   */
  readonly timeoutMs?: number | undefined;
  /** Where the time comes from; the runtime's own by default. */
  readonly clock?: Clock | undefined;
}

/** The options, with every default. */
export interface SourceSettings {
  readonly fetch: FetchFunction | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
}

/**
 * Checks the options.
 *
 * @param options The caller's.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function readSource(options: AssertionSourceOptions = {}): SourceSettings {
  const { fetch, timeoutMs = 3_000, clock = systemClock } = options;
  if (typeof timeoutMs !== "number" || !(timeoutMs > 0 && timeoutMs <= 600_000)) {
    refuse("invalid_option", "timeoutMs", "give milliseconds above 0, and ten minutes at most");
  }
  if (fetch !== undefined) requireFunction(fetch, "fetch");
  return { fetch, timeoutMs, clock };
}

/** Refuses what is no function. */
export function requireFunction(value: unknown, option: string): void {
  if (typeof value !== "function") refuse("invalid_option", option, "it must be a function");
}

/** Checks an audience that stands in for that of the authority's cloud. */
export function requireAudience(audience: unknown): void {
  const fits = audience === undefined ||
    (typeof audience === "string" && /^[\x21-\x7e]{1,1000}$/.test(audience));
  if (!fits) refuse("invalid_option", "audience", "give a text such as api://AzureADTokenExchange");
}
