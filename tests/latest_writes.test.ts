/** more than one write a second to a key of Workers KV is coalesced, and never lost. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { LatestWrites } from "../src/adapters/latest_writes.ts";
import { WorkersKvStore } from "../src/adapters/workers_kv.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { kvDouble, tooMany } from "./support/kv_double.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";
import { deferred, isPending, settledNow } from "./support/token_server.ts";

const SECOND = 1_000;
const never = () => new Promise<never>(() => {});

function scene() {
  const clock = new FakeClock();
  const kv = kvDouble();
  const store = new WorkersKvStore(kv, { clock });
  const set = (value: string, key = "k") => store.set(key, value, { expiresAtMs: clock.now() + 3_600_000 });
  return { clock, kv, store, set, text: () => kv.kept.get("k")?.value };
}

test("R-125 a hundred writes to a key at once are one, the last", async () => {
  const { kv, set, text, clock } = scene();
  const results = await Promise.all(Array.from({ length: 100 }, (_, n) => set(`${n}`)));
  assertEquals(results, Array.from({ length: 100 }, () => ({ ok: true })));
  assertEquals([kv.writes, text(), clock.pending], [["put 99"], "99", 0]);
});

test("R-125 a write is done no sooner than a text as new as its own is written", async () => {
  const { kv, set, clock } = scene();
  const gates = [deferred<void>(), deferred<void>()];
  kv.fates.push(...gates.map(({ promise }) => promise));
  const first = set("1");
  assert(await isPending(clock, first));
  const [second, third] = [set("2"), set("3")];
  gates[0]!.resolve();
  assertEquals(await settledNow(first), { ok: true });
  assert(await isPending(clock, second) && await isPending(clock, third));
  gates[1]!.resolve();
  assertEquals([await settledNow(second), await settledNow(third)], [{ ok: true }, { ok: true }]);
  assertEquals(kv.writes, ["put 1", "put 3"]);
});

test("writes to other keys do not wait", async () => {
  const { kv, set } = scene();
  kv.fates.push(never());
  set("stuck", "a");
  assertEquals(await settledNow(set("free", "b")), { ok: true });
});

test("R-125 a write that is refused by 429 is made again after a second, once", async () => {
  const { kv, set, clock, text } = scene();
  kv.fates.push(tooMany());
  const write = set("v");
  await clock.advance(SECOND - 1);
  assertEquals(kv.writes.length, 1);
  await clock.advance(1);
  assertEquals([await settledNow(write), text(), kv.writes.length], [{ ok: true }, "v", 2]);
  assertEquals(clock.pending, 0);
});

test("R-125 the second attempt writes the newest text, and ends everybody's wait", async () => {
  const { kv, set, clock, text } = scene();
  kv.fates.push(tooMany());
  const writes = [set("1")];
  await clock.advance(SECOND / 2);
  writes.push(set("2"));
  writes.push(set("3"));
  await clock.advance(SECOND / 2);
  assertEquals(await settledNow(Promise.all(writes)), [{ ok: true }, { ok: true }, { ok: true }]);
  assertEquals([kv.writes, text(), clock.pending], [["put 1", "put 3"], "3", 0]);
});

test("R-116 a second attempt does not bring back what was deleted meanwhile", async () => {
  const { kv, store, set, clock, text } = scene();
  kv.fates.push(tooMany());
  const write = set("tokens");
  await clock.advance(SECOND / 2);
  const removal = store.delete("k");
  await clock.advance(SECOND);
  await settledNow(Promise.all([write, removal]));
  assertEquals([kv.writes, text()], [["put tokens", "delete"], undefined]);
});

test("R-125 after two refusals all who waited for them fail, and the next write is made", async () => {
  const { kv, set, clock, text } = scene();
  kv.fates.push(tooMany(), tooMany());
  const first = set("1");
  await clock.advance(0);
  const settled = Promise.allSettled([first, set("2"), set("3")]);
  await clock.advance(SECOND);
  assertEquals((await settledNow(settled)).map(({ status }) => status), ["rejected", "rejected", "rejected"]);
  assertEquals(kv.writes, ["put 1", "put 3"]);
  assertEquals([await settledNow(set("4")), text(), clock.pending], [{ ok: true }, "4", 0]);
});

test("R-125 who asks during the last attempt has one of his own, whatever becomes of it", async () => {
  const { kv, set, clock, text } = scene();
  const second = deferred<void>();
  kv.fates.push(tooMany(), second.promise.then(() => Promise.reject(tooMany())));
  const early = Promise.allSettled([set("1")]);
  await clock.advance(SECOND);
  const late = set("2");
  second.resolve();
  assertEquals((await settledNow(early))[0]!.status, "rejected");
  assertEquals([await settledNow(late), text()], [{ ok: true }, "2"]);
});

test("a refusal that no second attempt mends fails at once", async () => {
  for (const status of ["400 Bad Request", "403 Forbidden", "413 Value length exceeds limit", "414 UTF-8"]) {
    const { kv, set, clock } = scene();
    kv.fates.push(new Error(`KV PUT failed: ${status}`));
    await assertRejects(() => set("v"), Error, status);
    assertEquals([kv.writes.length, clock.pending], [1, 0]);
  }
});

test("any other failure is tried again: 5xx, a lost connection, what is no error", async () => {
  for (
    const fault of [new Error("KV PUT failed: 500 Internal Error"), new TypeError("lost"), "x", null, {}]
  ) {
    const clock = new FakeClock();
    let attempts = 0;
    const write = new LatestWrites(clock).run(
      "k",
      () => ++attempts === 1 ? Promise.reject(fault) : Promise.resolve(),
    );
    await clock.advance(SECOND);
    await settledNow(write);
    assertEquals(attempts, 2);
  }
});

test("R-106 a write whose request has died holds nobody up for more than two seconds", async () => {
  const { kv, set, clock, text } = scene();
  kv.fates.push(never());
  set("dead");
  await clock.advance(SECOND / 2);
  const followers = [set("2"), set("3")];
  await clock.advance(1_500 - 1);
  assertEquals(kv.writes, ["put dead"]);
  await clock.advance(1);
  assertEquals(await settledNow(Promise.all(followers)), [{ ok: true }, { ok: true }]);
  assertEquals([kv.writes, text(), clock.pending], [["put dead", "put 3"], "3", 0]);
  assertEquals(await settledNow(set("4")), { ok: true });
});

test("R-106 a write that wakes up late does not disturb the one that took its place", async () => {
  const { kv, set, clock } = scene();
  const [late, next] = [deferred<void>(), deferred<void>()];
  kv.fates.push(late.promise, next.promise);
  const first = set("late");
  await clock.advance(0);
  const second = set("next");
  await clock.advance(2 * SECOND);
  late.resolve();
  assertEquals(await settledNow(first), { ok: true });
  const third = set("third");
  assert(await isPending(clock, third));
  assertEquals(kv.writes.length, 2);
  next.resolve();
  assertEquals(await settledNow(Promise.all([second, third])), [{ ok: true }, { ok: true }]);
  assertEquals(kv.writes.at(-1), "put third");
});

test("R-106 nor does its second attempt", async () => {
  const { kv, set, clock, text } = scene();
  const [late, next] = [deferred<void>(), deferred<void>()];
  kv.fates.push(late.promise.then(() => Promise.reject(tooMany())), next.promise);
  const first = set("late");
  await clock.advance(1.5 * SECOND);
  late.resolve();
  const second = set("next");
  await clock.advance(SECOND);
  assertEquals([await settledNow(first), kv.writes, text()], [
    { ok: true },
    ["put late", "put next", "put next"],
    "next",
  ]);
  const third = set("third");
  assert(await isPending(clock, third));
  assertEquals(kv.writes.length, 3);
  next.resolve();
  assertEquals(await settledNow(Promise.all([second, third])), [{ ok: true }, { ok: true }]);
  assertEquals([kv.writes.at(-1), text()], ["put third", "third"]);
});

test("R-119 nothing is remembered of writes that are over, and little of those that died", async () => {
  const clock = new FakeClock();
  const writes = new LatestWrites(clock);
  for (let n = 0; n < 2_000; n++) await writes.run(`k${n % 7}`, () => Promise.resolve());
  assertEquals(writes.size, 0);
  await Promise.allSettled([writes.run("k", () => Promise.reject(new Error("failed: 400")))]);
  assertEquals(writes.size, 0);
  for (let n = 0; n < 2_000; n++) writes.run(`dead${n}`, never);
  assert(writes.size <= 256);
  await writes.run("alive", () => Promise.resolve());
});

test("R-125 whatever is refused when, KV ends with the newest text that anybody was told of (property)", async () => {
  const step = fc.record({ waitMs: fc.constantFrom(0, 1, 400, 1_000), refused: fc.boolean() });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      const { kv, set, clock, text } = scene();
      let told = -1;
      const writes = steps.map(() => Promise.resolve());
      for (const [n, { waitMs, refused }] of steps.entries()) {
        kv.fates.push(refused ? tooMany() : undefined);
        writes[n] = set(`${n}`).then(() => void (told = Math.max(told, n)), () => {});
        await clock.advance(waitMs);
      }
      await clock.advance(20 * SECOND);
      await settledNow(Promise.all(writes));
      assert(Number(text() ?? -1) >= told, `${text()} is older than ${told}`);
      assertEquals(clock.pending, 0);
    }),
    { numRuns: 40 },
  );
});
