/**
 * What the middleware for Hono must do, for any version of Hono.
 *
 * @module
 */
import { CALLER_CASES } from "./hono_caller_cases.ts";
import type { HonoClass } from "./hono_case.ts";
import { ERROR_CASES } from "./hono_error_cases.ts";
import { ORDER_CASES } from "./hono_order_cases.ts";
import { USER_CASES } from "./hono_user_cases.ts";
import { test } from "./suite.ts";
/** Registers the tests for a version. */
export function honoCases(version: string, Hono: HonoClass): void {
  const all = { ...USER_CASES, ...ERROR_CASES, ...ORDER_CASES, ...CALLER_CASES };
  for (const [name, body] of Object.entries(all)) test(`Hono ${version}: ${name}`, () => body(Hono));
}
