/** The middleware for Hono, in its newest version; `tests/peers/hono_versions.test.ts` runs the others. */
import { Hono } from "hono";
import type { HonoClass } from "./support/hono_case.ts";
import { honoCases } from "./support/hono_cases.ts";

honoCases("4.13", Hono as HonoClass);
