import {
  assertEquals,
  assertInstanceOf,
  assertRejects,
  assertStringIncludes,
  assertThrows,
} from "@std/assert";
import { FakeClock } from "./fake_clock.ts";
import { jsonResponse, scriptedFetch } from "./scripted_fetch.ts";
import { test, workersContext } from "./suite.ts";

test("FakeClock fires due timers in order, each at its own time", async () => {
  const clock = new FakeClock(1_000);
  const fired: [string, number][] = [];
  const note = (name: string) => () => void fired.push([name, clock.now()]);
  clock.setTimeout(note("late"), 300);
  clock.setTimeout(note("early"), 100);
  clock.clearTimeout(clock.setTimeout(note("cleared"), 50));
  await clock.advance(299);
  assertEquals(fired, [["early", 1_100]]);
  assertEquals([clock.now(), clock.pending], [1_299, 1]);
  await clock.advance(1);
  assertEquals(fired, [["early", 1_100], ["late", 1_300]]);
  assertEquals(clock.pending, 0);
});

test("FakeClock lets a timer's consequences set timers that fall due in the same advance", async () => {
  const clock = new FakeClock(0);
  const sleep = (ms: number) => new Promise<void>((resolve) => void clock.setTimeout(resolve, ms));
  const times: number[] = [];
  const loop = (async () => {
    for (let i = 0; i < 3; i++) {
      await sleep(10);
      times.push(clock.now());
    }
  })();
  await clock.advance(30);
  await loop;
  assertEquals(times, [10, 20, 30]);
});

test("FakeClock lets time pass only when WebCrypto is done, however long that takes", async () => {
  const clock = new FakeClock();
  const fired: string[] = [];
  const work = async () => {
    const algorithm = { name: "RSASSA-PKCS1-v1_5", modulusLength: 3072, hash: "SHA-256" };
    await crypto.subtle.generateKey({ ...algorithm, publicExponent: new Uint8Array([1, 0, 1]) }, true, [
      "sign",
      "verify",
    ]);
    await crypto.subtle.digest("SHA-256", new Uint8Array(8));
    clock.setTimeout(() => fired.push("timer"), 1_000);
  };
  const working = work();
  await clock.advance(1_000);
  assertEquals(fired, ["timer"]);
  await working;
});

test("scriptedFetch() answers in order and records what it was asked", async () => {
  const script = scriptedFetch([jsonResponse({ n: 1 }), new TypeError("offline")]);
  const body = new URLSearchParams({ grant_type: "client_credentials" });
  const response = await script.fetch("https://a.example/token", {
    method: "post",
    body,
    redirect: "manual",
  });
  assertEquals(await response.json(), { n: 1 });
  const [request] = script.requests;
  assertEquals([request?.url, request?.method, request?.redirect], [
    "https://a.example/token",
    "POST",
    "manual",
  ]);
  assertEquals(request?.form.get("grant_type"), "client_credentials");
  await assertRejects(() => script.fetch("https://a.example/token", {}), TypeError, "offline");
  script.assertDone();
});

test("scriptedFetch() fails loudly on a request beyond the script, and again at the end", async () => {
  const script = scriptedFetch();
  await assertRejects(
    () => script.fetch("https://a.example/x", {}),
    Error,
    "unexpected request: GET https://a.example/x",
  );
  assertThrows(() => script.assertDone(), Error, "unexpected request");
  assertThrows(() => scriptedFetch([jsonResponse({})]).assertDone(), Error, "never asked for");
});

test("scriptedFetch() rejects with the reason of a signal that is aborted while it waits", async () => {
  const script = scriptedFetch(() => () => new Promise<Response>(() => {}));
  const abort = new AbortController();
  const pending = script.fetch("https://a.example/", { signal: abort.signal });
  abort.abort(new RangeError("enough"));
  await assertRejects(() => pending, RangeError, "enough");
});

test("inAnotherRequest() has a request context of its own and hands errors back", async () => {
  const here = workersContext()!;
  const there = await here.inAnotherRequest(() => {
    const context = workersContext()!;
    context.ctx.waitUntil(Promise.resolve());
    return context;
  });
  assertEquals(there.ctx === here.ctx, false);
  const error = await assertRejects(() => here.inAnotherRequest(() => Promise.reject(new RangeError("no"))));
  assertInstanceOf(error, RangeError);
  assertStringIncludes(error.message, "no");
}, { on: ["workerd", "workerd-nodejs"] });

test("the shared suite runs on Deno without a single permission", () => {
  const names = ["env", "ffi", "import", "net", "read", "run", "sys", "write"] as const;
  const granted = names.filter((name) => Deno.permissions.querySync({ name }).state === "granted");
  assertEquals(granted, []);
}, { on: ["deno"] });
