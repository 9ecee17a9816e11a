/**
 * Serves `guarded_worker.ts` on Deno or on workerd, on the port that it prints, until its input ends.
 *
 * @module
 */
import { Miniflare } from "miniflare";
import { bundleTests } from "../tests/support/bundle.ts";
import worker from "./guarded_worker.ts";

if (Deno.args[0] === "workerd") {
  const contents = await bundleTests([], `export { default } from "./bench/guarded_worker.ts";`, {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-07-01",
    host: "127.0.0.1",
    port: 0,
    cf: false,
  });
  console.log((await miniflare.ready).port);
  for await (const _ of Deno.stdin.readable);
  await miniflare.dispose();
} else {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, worker.fetch);
  console.log(server.addr.port);
  for await (const _ of Deno.stdin.readable);
  await server.shutdown();
}
