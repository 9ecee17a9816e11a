/**
 * What guarding a route costs over HTTP: beside the open route, and beside a guard made of bare `jose`; on Deno and in a
 * Worker (workerd). The routes take turns in short rounds; what counts are the ratios within a round.
 *
 * ```sh
 * deno run -A bench/guarded_routes.ts
 * ```
 *
 * @module
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { Miniflare } from "miniflare";
import { bundleTests } from "../tests/support/bundle.ts";
import { AUDIENCE, ISSUER, ROUTES, SCOPE, TENANT } from "./guarded_handlers.ts";
import { Load } from "./http_load.ts";
import { median } from "./timing.ts";

/** What the routes of one server answer. */
export interface RouteCosts {
  /** The server. */
  readonly server: string;
  /** Answers in a second by route, the median of the rounds. */
  readonly rates: Readonly<Record<string, number>>;
  /** The route with warm keys, of the same guarded by `jose`. */
  readonly warmOfJose: number;
  /** The route that knows its tokens, of the open one. */
  readonly knownOfOpen: number;
}

interface Server {
  readonly name: string;
  readonly port: number;
  stop(): Promise<void>;
}

const CONNECTIONS = 16;
const TOKENS = 64;

async function makeTokens(): Promise<{ jwks: string; tokens: string[] }> {
  const { publicKey, privateKey } = await generateKeyPair("RS256", { extractable: true });
  const kid = "a-key";
  const jwks = JSON.stringify({ keys: [{ ...await exportJWK(publicKey), kid, use: "sig", alg: "RS256" }] });
  const sign = (index: number): Promise<string> => {
    const object = `00000000-0000-4000-8000-${String(index).padStart(12, "0")}`;
    const claims = {
      ...{
        aio: "x".repeat(100),
        azp: TENANT,
        azpacr: "1",
        name: `User ${index}`,
        oid: object,
        rh: "y".repeat(60),
      },
      ...{
        preferred_username: `user${index}@contoso.example`,
        scp: SCOPE,
        sid: object,
        tid: TENANT,
        ver: "2.0",
      },
    };
    return new SignJWT(claims).setProtectedHeader({ alg: "RS256", typ: "JWT", kid }).setIssuer(ISSUER)
      .setAudience(AUDIENCE).setSubject(`subject-${index}`).setIssuedAt().setNotBefore("0s")
      .setExpirationTime("2h").sign(privateKey);
  };
  return { jwks, tokens: await Promise.all(Array.from({ length: TOKENS }, (_, index) => sign(index))) };
}

async function denoServer(jwks: string): Promise<Server> {
  const args = ["run", "-A", new URL("./guarded_server.ts", import.meta.url).pathname];
  const options = { args, stdin: "piped", stdout: "piped", stderr: "inherit" } as const;
  const process = new Deno.Command(Deno.execPath(), options).spawn();
  const input = process.stdin.getWriter();
  await input.write(new TextEncoder().encode(jwks));
  await input.close();
  const output = process.stdout.getReader();
  const port = Number(new TextDecoder().decode((await output.read()).value));
  const stop = async (): Promise<void> => {
    process.kill();
    await output.cancel();
    await process.status;
  };
  return { name: "Deno.serve", port, stop };
}

async function workerServer(JWKS: string): Promise<Server> {
  const contents = await bundleTests([], 'export { default } from "./bench/guarded_worker.ts";', {
    platform: "browser",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
  });
  const miniflare = new Miniflare({
    modules: [{ type: "ESModule", path: "worker.mjs", contents }],
    compatibilityDate: "2026-07-01",
    bindings: { JWKS },
    cf: false,
  });
  const { port } = await miniflare.ready;
  return { name: "workerd", port: Number(port), stop: () => miniflare.dispose() };
}

async function measure(
  { name, port }: Server,
  tokens: readonly string[],
  rounds: number,
  milliseconds: number,
): Promise<RouteCosts> {
  const load = await Load.open(port, CONNECTIONS);
  for (const route of ROUTES) await load.rate(route, tokens, 1_500);
  const taken: Record<string, number>[] = [];
  for (let round = 0; round < rounds; round++) {
    const rates: Record<string, number> = {};
    // Each begins once in a while, so that nobody always follows the same one.
    for (let turn = 0; turn < ROUTES.length; turn++) {
      const route = ROUTES[(turn + round) % ROUTES.length]!;
      rates[route] = await load.rate(route, tokens, milliseconds);
    }
    taken.push(rates);
  }
  load.close();
  const of = (one: string, other: string): number =>
    median(taken.map((rates) => rates[one]! / rates[other]!));
  return {
    server: name,
    rates: Object.fromEntries(ROUTES.map((route) => [route, median(taken.map((rates) => rates[route]!))])),
    warmOfJose: of("/warm", "/jose"),
    knownOfOpen: of("/known", "/open"),
  };
}

/**
 * Measures both servers.
 *
 * @param rounds How many times each route has its turn.
 * @param milliseconds How long a turn is.
 */
export async function measureGuards(rounds = 25, milliseconds = 400): Promise<RouteCosts[]> {
  const { jwks, tokens } = await makeTokens();
  const results: RouteCosts[] = [];
  for (const start of [denoServer, workerServer]) {
    const server = await start(jwks);
    try {
      results.push(await measure(server, tokens, rounds, milliseconds));
    } finally {
      await server.stop();
    }
  }
  return results;
}

/** Writes what was measured. */
export function formatGuards(results: readonly RouteCosts[]): string {
  const names: Readonly<Record<string, string>> = {
    "/open": "the open route",
    "/jose": "guarded by bare jose",
    "/warm": "guarded, warm keys, each token verified",
    "/known": "guarded, tokens known again",
  };
  const row = (cells: readonly string[]): string =>
    cells.map((cell, index) => index === 0 ? cell.padEnd(52) : cell.padStart(14)).join("");
  return [
    row(["A guarded route over HTTP, answers in a second", ...results.map(({ server }) => server)]),
    ...ROUTES.map((route) =>
      row([names[route]!, ...results.map(({ rates }) => Math.round(rates[route]!).toLocaleString("en"))])
    ),
    row(["warm keys, of jose's (at least 0.95)", ...results.map(({ warmOfJose }) => warmOfJose.toFixed(2))]),
    row([
      "tokens known, of the open route (at least 0.90)",
      ...results.map((one) => one.knownOfOpen.toFixed(2)),
    ]),
  ].join("\n");
}

if (import.meta.main) console.log(formatGuards(await measureGuards()));
