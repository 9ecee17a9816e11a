/**
 * Waits until nothing is left to do but for what waits for a clock or for the network.
 *
 * WebCrypto works on threads of its own: however often the event loop turns, a hash on a busy machine may not be done
 * yet. So its calls are counted, and idle is when none is under way and the loop has turned since.
 *
 * @module
 */

const METHODS = [
  "decrypt",
  "deriveBits",
  "deriveKey",
  "digest",
  "encrypt",
  "exportKey",
  "generateKey",
  "importKey",
  "sign",
  "unwrapKey",
  "verify",
  "wrapKey",
] as const;
const QUIET_TURNS = 3;

// Kept, because a test may put its own in its place.
const { setTimeout } = globalThis;

let underWay = 0;

/** Resolves once no call of WebCrypto is under way and every promise reaction has run. */
export async function idle(): Promise<void> {
  for (let quietTurns = 0; quietTurns < QUIET_TURNS; quietTurns++) {
    await new Promise<void>((resolve) => setTimeout(resolve, 0));
    if (underWay > 0) quietTurns = -1;
  }
}

/** Puts a method in the place of WebCrypto's own that counts its calls. */
function count(name: typeof METHODS[number]): void {
  const prototype = SubtleCrypto.prototype as unknown as Record<
    string,
    (...args: unknown[]) => Promise<unknown>
  >;
  const method = prototype[name]!;
  prototype[name] = async function (this: SubtleCrypto, ...args: unknown[]): Promise<unknown> {
    underWay++;
    try {
      return await method.apply(this, args);
    } finally {
      underWay--;
    }
  };
}

METHODS.forEach(count);
