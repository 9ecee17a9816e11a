/**
 * What was said of tokens a moment ago.
 *
 * @module
 */

import type { Engine } from "../client/engine.ts";
import { sha256 } from "../crypto/digest.ts";
import { MemoryStore } from "../store/memory_store.ts";

/** nothing counts for longer. */
export const MAX_AGE_SECONDS = 60;
const BOUNDS = { maxEntries: 1_024, maxBytes: 2 ** 22 };

/** When a token was asked about, and what was said; or when it was taken back. */
type Said = readonly [atMs: number, claims?: Readonly<Record<string, unknown>>];

let memories: WeakMap<Engine, MemoryStore> | undefined;

function memoryOf(engine: Engine): MemoryStore {
  memories ??= new WeakMap();
  const known = memories.get(engine);
  if (known !== undefined) return known;
  const made = new MemoryStore({ ...BOUNDS, clock: engine.configuration.clock });
  memories.set(engine, made);
  return made;
}

/** Never the token itself; what was not signed does not answer for what has to be. */
function keyOf(token: string, signed: boolean): Promise<string> {
  return sha256(`${signed ? "signed" : "plain"} ${token}`);
}

/**
 * Finds what was said of an active token.
 *
 * @param engine The application's parts.
 * @param token The token.
 * @param signed Whether the answer had to be signed.
 * @param maxAgeSeconds How old it may be.
 * @returns The claims.
 */
export async function recallIntrospection(
  engine: Engine,
  token: string,
  signed: boolean,
  maxAgeSeconds: number,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  if (maxAgeSeconds === 0) return undefined;
  const found = await memoryOf(engine).get(await keyOf(token, signed));
  if (found === undefined) return undefined;
  const [atMs, claims] = JSON.parse(found.value) as Said;
  const ageMs = engine.configuration.clock.now() - atMs;
  return ageMs >= 0 && ageMs < 1_000 * maxAgeSeconds ? claims : undefined;
}

/**
 * Keeps what was said of an active token, for a minute and not longer than the token counts.
 *
 * @param engine The application's parts.
 * @param token The token.
 * @param signed Whether the answer was signed.
 * @param claims The claims.
 * @param askedAtMs When it was asked about.
 */
export async function rememberIntrospection(
  engine: Engine,
  token: string,
  signed: boolean,
  claims: Readonly<Record<string, unknown>>,
  askedAtMs: number,
): Promise<void> {
  const { exp = Infinity } = claims as { exp?: number };
  const key = await keyOf(token, signed);
  const known = await memoryOf(engine).get(key);
  const [takenBackAtMs, before] = known === undefined ? [-Infinity] : JSON.parse(known.value) as Said;
  if (before === undefined && takenBackAtMs >= askedAtMs) return;
  const expiresAtMs = Math.min(askedAtMs + 1_000 * MAX_AGE_SECONDS, 1_000 * exp);
  await memoryOf(engine).set(key, JSON.stringify([askedAtMs, claims]), { expiresAtMs });
}

/**
 * Forgets what was said of a token, and what is being said.
 *
 * @param engine The application's parts.
 * @param token The token.
 */
export async function forgetIntrospection(engine: Engine, token: string): Promise<void> {
  const nowMs = engine.configuration.clock.now();
  const options = { expiresAtMs: nowMs + 1_000 * MAX_AGE_SECONDS };
  for (const signed of [false, true]) {
    await memoryOf(engine).set(await keyOf(token, signed), JSON.stringify([nowMs]), options);
  }
}
