/**
 * The scene of the tests that run `token_worker.ts`: a cold isolate, and an authority behind a gate.
 *
 * @module
 */
import { LocalAuthority } from "../../src/testing/mod.ts";
import type { Stats, TokenAnswer } from "./token_worker.ts";
import {
  bundleWorker,
  type Compatibility,
  Gate,
  type RunningWorker,
  startWorker,
  until,
} from "./worker_host.ts";

/** A Worker whose isolate has no token yet. */
export interface Scene {
  readonly gate: Gate;
  /** Asks for a token; `waitUntil` says how the Worker passes its own. */
  token(waitUntil: string, timeoutMs?: number): Promise<TokenAnswer>;
  /** Begins `count` requests for a token at once, and returns when the Worker has begun to serve them all. */
  crowd(waitUntil: string, count: number): Promise<Promise<TokenAnswer>[]>;
  /** Makes a request that starts to get a token and is over before there is one. */
  leave(waitUntil: string): Promise<void>;
  /** Puts the Worker's clock ahead. */
  ahead(ms: number): Promise<void>;
  /** The JSON of the application that was made at module scope. */
  constructed(): Promise<unknown>;
  stats(): Promise<Stats>;
}

/** The name of a way to run the Worker. */
export type Mode = "default" | "nodejs_compat" | "2024-01-01" | "no_global_navigator";

/** The ways in which the Worker is run: the default, with Node's globals, and as old Workers still are. */
export const COMPATIBILITIES: Readonly<Record<Mode, Compatibility>> = {
  "default": { compatibilityDate: "2026-07-01", compatibilityFlags: [] },
  "nodejs_compat": { compatibilityDate: "2026-07-01", compatibilityFlags: ["nodejs_compat"] },
  // Before workerd ran what follows a promise in the request that waits for it.
  "2024-01-01": { compatibilityDate: "2024-01-01", compatibilityFlags: [] },
  // As up to 2022-03-21, and on request.
  "no_global_navigator": { compatibilityDate: "2026-07-01", compatibilityFlags: ["no_global_navigator"] },
};

/** The modes that everything important is tried in. */
export const MODES: readonly Mode[] = ["default", "nodejs_compat", "2024-01-01"];

// One authority for all scenes, as its key takes longer to make than anything else here.
const authority = new LocalAuthority({ tokenLifetimeSeconds: 7200, refreshInSeconds: 3600 });
let bundle: Promise<string> | undefined;

/** Registers a test that begins with a cold isolate. */
export function workerdTest(name: string, mode: Mode, body: (scene: Scene) => Promise<void>): void {
  Deno.test({
    name: `workerd (${mode}): ${name}`,
    // Miniflare leaves a message port, a timer and the removal of a file behind.
    sanitizeOps: false,
    sanitizeResources: false,
    timeout: 60_000,
    async fn() {
      const { tenantId, clientId, clientSecret, scope } = authority.defaults;
      const gate = new Gate(authority);
      await using worker = await startWorker(await (bundle ??= bundleWorker("token_worker.ts")), {
        ...COMPATIBILITIES[mode],
        bindings: { TENANT_ID: tenantId, CLIENT_ID: clientId, CLIENT_SECRET: clientSecret, SCOPE: scope },
        outbound: gate.pass,
      });
      await body(sceneOf(worker, gate));
    },
  });
}

function sceneOf(worker: RunningWorker, gate: Gate): Scene {
  const stats = () => worker.ask<Stats>("/stats");
  const token = (waitUntil: string, timeoutMs?: number) =>
    worker.ask<TokenAnswer>(`/token?waitUntil=${waitUntil}`, timeoutMs);
  const begun = (count: number) =>
    until(`${count} calls have begun`, async () => (await stats()).begun === count);
  return {
    gate,
    stats,
    token,
    async crowd(waitUntil, count) {
      const before = (await stats()).begun;
      const answers = Array.from({ length: count }, () => token(waitUntil));
      for (const answer of answers) answer.catch(() => {});
      await begun(before + count);
      return answers;
    },
    async leave(waitUntil) {
      const before = (await stats()).begun;
      await worker.ask(`/leave?waitUntil=${waitUntil}`);
      await begun(before + 1);
      await until("its request has been sent", () => gate.arrived.length > 0);
    },
    ahead: (ms) => worker.ask(`/ahead?ms=${ms}`),
    constructed: () => worker.ask("/constructed"),
  };
}
