/**
 * Runs a Worker of the examples as `wrangler dev` would, without wrangler; ends with its input.
 *
 * @module
 */
import { Miniflare } from "miniflare";
import { bundleTests } from "../support/bundle.ts";

const [file = ""] = Deno.args;
const tenant = Deno.env.get("LOCAL_TENANT");
const real = Deno.env.get("TENANT_ID");
const port = Number(Deno.env.get("PORT"));
const contents = await bundleTests(
  [],
  `export * from ${JSON.stringify(file)}; export { default } from ${JSON.stringify(file)};`,
  {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*"],
  },
);
const miniflare = new Miniflare({
  modules: [{ type: "ESModule", path: "worker.mjs", contents }],
  compatibilityDate: "2026-07-01",
  host: "127.0.0.1",
  port,
  kvNamespaces: ["DOCUMENTS"],
  durableObjects: file.endsWith("web.ts")
    ? { TOKENS: { className: "TokenStoreObject", useSQLite: true } }
    : {},
  bindings: {
    BASE_URL: `http://localhost:${port}`,
    SESSION_SECONDS: Deno.env.get("SESSION_SECONDS") ?? "",
    ...(tenant === undefined ? {} : { LOCAL_TENANT: tenant }),
    ...(real === undefined ? {} : { TENANT_ID: real }),
  },
  // It has no network, but for a tenant that another program plays.
  outboundService: async (request: Request) => {
    if (tenant === undefined || !request.url.startsWith(tenant)) {
      throw new Error(`this Worker has no network: ${request.url}`);
    }
    const { url, method, headers } = request;
    const body = method === "GET" ? null : await request.arrayBuffer();
    return await fetch(url, { method, headers, body, redirect: "manual" });
  },
  cf: false,
});
await miniflare.ready;
console.log(`Open http://localhost:${port}/`);
for await (const _ of Deno.stdin.readable);
await miniflare.dispose();
