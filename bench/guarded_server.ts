/**
 * The Deno server of `guarded_routes.ts`, in a process of its own: reads the keys from its input and prints its port.
 *
 * @module
 */
import { guardedHandler } from "./guarded_handlers.ts";

const jwks = await new Response(Deno.stdin.readable).text();
const handler = guardedHandler(jwks);
Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.log(port) },
  (request) => handler(request),
);
