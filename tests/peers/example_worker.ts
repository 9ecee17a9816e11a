/**
 * Runs a Worker of the examples as `wrangler dev` would, without wrangler; ends with its input.
 *
 * @module
 */
import { Miniflare } from "miniflare";
import { bundleTests } from "../support/bundle.ts";

const [file = ""] = Deno.args;
const port = Number(Deno.env.get("PORT"));
const contents = await bundleTests([], `export { default } from ${JSON.stringify(file)};`, {
  platform: "browser",
  target: "es2024",
  conditions: ["workerd", "worker", "browser"],
  external: ["cloudflare:*"],
});
const miniflare = new Miniflare({
  modules: [{ type: "ESModule", path: "worker.mjs", contents }],
  compatibilityDate: "2026-07-01",
  host: "127.0.0.1",
  port,
  kvNamespaces: ["STORE"],
  bindings: { REDIRECT_URI: `http://localhost:${port}/callback` },
  outboundService: (request: Request) => {
    throw new Error(`this Worker has no network: ${request.url}`);
  },
  cf: false,
});
await miniflare.ready;
console.log(`Open http://localhost:${port}/`);
for await (const _ of Deno.stdin.readable);
await miniflare.dispose();
