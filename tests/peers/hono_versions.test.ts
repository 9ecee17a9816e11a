/** The middleware for Hono, in older versions: packages of these names are there for Deno alone. */
import { Hono as Hono49 } from "hono-4.9";
import { Hono as Hono43 } from "hono-4.3";
import type { HonoClass } from "../support/hono_case.ts";
import { honoCases } from "../support/hono_cases.ts";

honoCases("4.9", Hono49 as unknown as HonoClass);
honoCases("4.3", Hono43 as unknown as HonoClass);
