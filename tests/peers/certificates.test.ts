/** Certificates and PFX files of openssl on workerd, Deno, Bun and Node, before one verifier, Z13, Z14. */
import { assertEquals } from "@std/assert";
import { root } from "../support/bundle.ts";
import { peer } from "../support/peers.ts";
import { type Judged, makeCases, makeFiles } from "./certificate_cases.ts";
import { OpenSsl } from "./certificate_files.ts";
import type { CaseResult } from "./certificate_program.ts";
import { verifyClientAssertion } from "./certificate_verifier.ts";
import { onBun, onDeno, onNode, type Started } from "./elsewhere.ts";
import { bundleWorker, startWorker } from "./worker_host.ts";

const CHILD = "tests/peers/certificate_child.ts";

/** Hands out the cases, and is every authority at once. */
class CaseServer {
  readonly #cases: readonly Judged[];
  /** What was wrong with which case's assertion. */
  readonly problems: string[] = [];

  constructor(cases: readonly Judged[]) {
    this.#cases = cases;
  }

  readonly handle = async (request: Request): Promise<Response> => {
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/cases") return Response.json(this.#cases);
    const url = searchParams.get("url")!;
    const [issuer, document] = url.split("/.well-known/");
    if (document !== undefined) {
      return Response.json({
        issuer,
        token_endpoint: `${issuer}/token`,
        authorization_endpoint: `${issuer}/authorize`,
      });
    }
    const name = searchParams.get("case")!;
    try {
      await this.#verify(name, url, new URLSearchParams(await request.text()));
      return Response.json({ access_token: `token of ${name}`, token_type: "Bearer", expires_in: 3600 });
    } catch (error) {
      this.problems.push(`${name}: ${error}`);
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
  };

  async #verify(name: string, url: string, form: URLSearchParams): Promise<void> {
    const judged = this.#cases.find((one) => one.name === name)!;
    if (!("expected" in judged)) throw new Error("this credential should not have got here");
    await verifyClientAssertion(form, url, judged.expected);
  }
}

let made: Promise<readonly Judged[]> | undefined;

/** Made once: keys of 4096 bits take their time. */
function cases(): Promise<readonly Judged[]> {
  return made ??= (async () => {
    await using openssl = await OpenSsl.start();
    return await makeCases(openssl, await makeFiles(openssl));
  })();
}

/** What is wrong with what became of a case, if anything. */
function wrongWith(one: Judged, { token, error }: CaseResult): string | undefined {
  const right = "refused" in one ? error?.includes(one.refused) : token === `token of ${one.name}`;
  return right ? undefined : `${one.name}: ${error ?? token}`;
}

/** Checks what became of every case. */
function judge(judged: readonly Judged[], results: readonly CaseResult[], problems: readonly string[]): void {
  const wrong = judged.map((one, at) => wrongWith(one, results[at]!)).filter((text) => text !== undefined);
  assertEquals([...problems, ...wrong], []);
  assertEquals(results.map(({ name }) => name), judged.map(({ name }) => name));
}

async function runIn([command, ...args]: Started): Promise<void> {
  const judged = await cases();
  const server = new CaseServer(judged);
  await using listener = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, server.handle);
  const origin = `http://127.0.0.1:${listener.addr.port}`;
  const io = { stdin: "null", stdout: "piped", stderr: "piped" } as const;
  const child = new Deno.Command(command, { args: [...args, origin], cwd: root, ...io });
  const { success, stdout, stderr } = await child.output();
  const text = new TextDecoder().decode(stdout);
  if (!success) throw new Error(text + new TextDecoder().decode(stderr));
  judge(judged, JSON.parse(text), server.problems);
}

const openssl = peer("OpenSSL");

/** Some fifty keys and files are opened in each runtime, which takes its time where others use the processor, too. */
const timeout = 240_000;

openssl.test("openssl's legacy PFX file is converted by the command of the error", async () => {
  assertEquals((await cases()).some(({ name }) => name === "PFX: converted"), true);
}, { timeout });

const ELSEWHERE: readonly [string, () => Promise<void>][] = [
  ["Deno", () => runIn(onDeno(CHILD))],
  ["Bun", () => runIn(onBun(CHILD))],
  ["Node", () => onNode(CHILD, runIn)],
];
for (const [name, run] of ELSEWHERE) {
  openssl.test(`R-167 Z13 Z14 every certificate and PFX file of openssl on ${name}`, run, { timeout });
}

for (const compatibilityFlags of [[], ["nodejs_compat"]]) {
  const how = compatibilityFlags.length > 0 ? "with nodejs_compat" : "without nodejs_compat";
  openssl.test(`R-167 Z13 Z14 every certificate and PFX file of openssl on workerd ${how}`, async () => {
    const judged = await cases();
    const server = new CaseServer(judged);
    await using worker = await startWorker(await bundleWorker("certificate_worker.ts"), {
      compatibilityDate: "2026-07-01",
      compatibilityFlags,
      outbound: server.handle,
    });
    judge(judged, await worker.ask<CaseResult[]>("/", 180_000), server.problems);
  }, { sanitizeOps: false, sanitizeResources: false, timeout });
}
