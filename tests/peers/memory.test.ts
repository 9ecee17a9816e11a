/** One million users, and what they leave behind in memory: R-119. */
import { assert } from "@std/assert";
import type { Weights } from "./memory_child.ts";

const MAX_BYTES = 32 * 2 ** 20;
const MAX_ENTRIES = 10_000;
/**
 * What the heap may hold above the two bounds together: maps and sets of the index, and what estimates of texts and objects
 * miss. Without bounds it would be more than a hundred times as much.
 */
const HEAP_FACTOR = 1.5;
/** Nothing grows with users: an entry in a map for each of them is more than this for each call. */
const BYTES_PER_CALL = 20;

async function weigh(): Promise<Weights> {
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-check",
      "--v8-flags=--expose-gc",
      new URL("memory_child.ts", import.meta.url).pathname,
    ],
    stdout: "piped",
    stderr: "piped",
  });
  // The suite ends what is silent for too long, and this may take its time on a busy machine.
  const alive = setInterval(() => console.log("still weighing"), 20_000);
  try {
    const { success, stdout, stderr } = await child.output();
    assert(success, new TextDecoder().decode(stderr));
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    clearInterval(alive);
  }
}

Deno.test({
  name:
    "R-119 a million users stay within the bounds of the cache, and of the heap; nothing beside it grows with them",
  timeout: 600_000,
  async fn() {
    const { users: [empty, early, last], layers } = await weigh();
    assert(empty && early && last);
    for (const { calls, size, users, tokenBytes, userBytes } of [early, last]) {
      const told =
        `${calls} users: ${size} tokens of ${tokenBytes} bytes, ${users} users of ${userBytes} bytes`;
      console.log(told);
      assert(size <= MAX_ENTRIES && users <= MAX_ENTRIES, told);
      assert(tokenBytes <= MAX_BYTES && userBytes <= MAX_BYTES, told);
      // It is no proof of a bound that there was nothing to hold.
      assert(size === MAX_ENTRIES && userBytes > 0.9 * MAX_BYTES, told);
    }
    const grownBytes = last.heapBytes - empty.heapBytes;
    console.log(
      `the heap grew by ${grownBytes} bytes, and by ${
        last.heapBytes - early.heapBytes
      } after the first tenth`,
    );
    assert(grownBytes < HEAP_FACTOR * 2 * MAX_BYTES, `the heap grew by ${grownBytes} bytes`);
    assert(last.heapBytes - early.heapBytes < 0.1 * MAX_BYTES, "it goes on growing with the bounds reached");
    const [, before] = layers;
    const after = layers.at(-1);
    assert(before && after);
    const each = (after.heapBytes - before.heapBytes) / (after.calls - before.calls);
    console.log(`${after.calls} calls through the applications left ${each.toFixed(1)} bytes each`);
    assert(each < BYTES_PER_CALL, `each call left ${each} bytes`);
  },
});
