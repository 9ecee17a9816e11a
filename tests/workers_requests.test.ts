/** In workerd a promise can die with the request that made it: nobody may wait for it for ever. */
import { assert, assertEquals } from "@std/assert";
import { systemClock } from "../mod.ts";
import { SingleFlight } from "../src/store/single_flight.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { test, workersContext } from "./support/suite.ts";
import { bench, deferred, gate, isPending, settledNow, silence } from "./support/token_server.ts";

const WORKERD = { on: ["workerd", "workerd-nodejs"] } as const;
const PATIENCE_MS = 2_000;

function never<T>(): Promise<T> {
  return new Promise<T>(() => {});
}

test("R-106 followers of a leader that never settles do the work themselves within 2 s", async () => {
  const clock = new FakeClock();
  const flights = new SingleFlight<string>(clock);
  const options = { deadlineMs: 46_500 };
  flights.run("k", options, never).catch(() => {});
  let runs = 0;
  const follower = flights.run("k", options, () => Promise.resolve(`own ${++runs}`));
  await clock.advance(PATIENCE_MS - 1);
  assert(await isPending(clock, follower));
  await clock.advance(1);
  assertEquals([await settledNow(follower), clock.pending], ["own 1", 0]);
  // The dead flight is out of the way: nobody waits for it again.
  assertEquals(await settledNow(flights.run("k", options, () => Promise.resolve("next"))), "next");
}, WORKERD);

test("R-106 many followers of a dead leader make one new request, not one each", async () => {
  const clock = new FakeClock();
  const flights = new SingleFlight<string>(clock);
  const options = { deadlineMs: 46_500 };
  flights.run("k", options, never).catch(() => {});
  let runs = 0;
  const { promise, resolve } = deferred<string>();
  const followers = Array.from({ length: 20 }, () => flights.run("k", options, () => (runs++, promise)));
  await clock.advance(PATIENCE_MS);
  assertEquals(runs, 1);
  resolve("shared");
  await clock.advance(0);
  assertEquals([...new Set(await settledNow(Promise.all(followers)))], ["shared"]);
  assertEquals(clock.pending, 0);
}, WORKERD);

test("R-104 R-106 a slow authority does not turn 50 callers into 50 requests", async () => {
  // Without waitUntil followers lose patience every 2 s; each round may add a request, not one for each caller.
  const { ask, server, clock } = bench();
  const late = gate();
  server.otherwise(late.answer);
  const calls = Array.from({ length: 50 }, () => ask());
  await clock.advance(9_000);
  late.open();
  await clock.advance(0);
  await Promise.all(calls);
  assert(server.requests.length <= 5, `${server.requests.length} requests`);
}, WORKERD);

test("R-106 with a waitUntil followers trust the leader for as long as it may take", async () => {
  const { ask, server, clock } = bench();
  const late = gate();
  server.next(late.answer);
  const kept: Promise<unknown>[] = [];
  const leader = ask({ waitUntil: (promise) => void kept.push(promise) });
  const followers = Array.from({ length: 20 }, () => ask());
  await clock.advance(9_000);
  assertEquals([server.requests.length, kept.length], [1, 1]);
  late.open();
  const tokens = (await Promise.all([leader, ...followers])).map(({ accessToken }) => accessToken);
  assertEquals([...new Set(tokens)], ["AT late"]);
  await Promise.all(kept);
  assertEquals(clock.pending, 0);
}, WORKERD);

test("R-106 a leader that dies in the app-token flow costs its followers 2 s, not the answer", async () => {
  const { ask, server, clock } = bench({ timeoutMs: 600_000 });
  server.next(silence);
  ask().catch(() => {});
  const followers = [ask(), ask()];
  await clock.advance(PATIENCE_MS);
  const tokens = (await settledNow(Promise.all(followers))).map(({ accessToken }) => accessToken);
  assertEquals([tokens, server.requests.length], [["AT 2", "AT 2"], 2]);
}, WORKERD);

test("R-106 R-200 a request that ends before its token comes does not hang another one", async () => {
  const { inAnotherRequest } = workersContext()!;
  const { ask, server } = bench({ clock: systemClock as FakeClock });
  server.next(silence);
  await inAnotherRequest(async () => {
    ask().catch(() => {});
    await Promise.resolve();
  });
  const result = await ask();
  assertEquals([result.accessToken, server.requests.length], ["AT 2", 2]);
}, WORKERD);

test("R-200 a token that one request cached serves another one", async () => {
  const { inAnotherRequest } = workersContext()!;
  const { ask, server } = bench();
  await inAnotherRequest(() => ask());
  assertEquals((await ask()).tokenSource, "cache");
  assertEquals((await inAnotherRequest(() => ask())).tokenSource, "cache");
  assertEquals(server.requests.length, 1);
}, WORKERD);
