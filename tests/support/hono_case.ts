/**
 * What the tests of the middleware for Hono share.
 *
 * @module
 */
import type { Hono as NewestHono } from "hono";
import type { CallerVariables, EntraVariables } from "../../src/hono/mod.ts";
/** The class `Hono` of some version. */
export type HonoClass = new () => App;
/** An application. */
export type App = NewestHono<
  { Bindings: Record<string, unknown>; Variables: EntraVariables & CallerVariables }
>;
/** Tests by their names. */
export type HonoCases = Readonly<Record<string, (Hono: HonoClass) => void | Promise<void>>>;

/** A request of a user. */
export const USER = { headers: { cookie: "user=alex" } };
/** A request of a caller. */
export const CALLER = { headers: { authorization: "Bearer good" } };
/** What a foreign error handler says. */
export const HANDLED = "the application's error page";
