/** Keys of access tokens: how often they are asked for (R-087..R-090, R-157), who may bring them, and outages. */
import { assert, assertEquals } from "@std/assert";
import type { Store } from "../mod.ts";
import {
  type ApiFixture,
  apiFixtureOf,
  type ApiOptions,
  type Claims,
  genericClaims,
  genericFixture,
  userClaims,
  userToken,
} from "./support/access_tokens.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { settle } from "./support/app_fixture.ts";
import { type KeyName, keyPair, keySet, signToken } from "./support/id_tokens.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const SECRET = "a secret of at least 32 characters";

/** A validator whose authority a test can change. */
async function movable(options: ApiOptions = {}) {
  const state = { document: await keySet("tenant") as unknown, up: true };
  const one: ApiFixture = apiFixtureOf(() => () => {
    if (!state.up) throw new TypeError("reset");
    return jsonResponse(state.document);
  }, options);
  const codeOf = async (header: Claims = {}, name: KeyName = "main"): Promise<string> => {
    const far = { exp: Math.floor(one.clock.now() / 1000) + 3600 };
    const token = await signToken({ ...userClaims(one.clock), ...far }, header, name);
    return await one.validate(token).then(() => "accepted", (error) => error.code);
  };
  return { ...one, state, codeOf };
}
const jwkOf = async (name: KeyName, kid: string) => ({ ...(await keyPair(name)).jwk, kid });

test("R-087 a thousand cold validations at once: one download", async () => {
  for (const maxVerifiedBytes of [undefined, 0]) {
    const one = await movable({ maxVerifiedBytes });
    const tokens = await Promise.all([0, 1, 2, 3].map((uti) => userToken(one, { uti })));
    const all = Array.from({ length: 1_000 }, (_, n) => one.validator.validate(tokens[n % 4]));
    const found = await settle(one.clock, Promise.all(all));
    assertEquals([found.length, one.requests.length], [1_000, 1]);
  }
});

test("R-087 an issuer that goes by discovery: one document and one key set for all", async () => {
  const one = await genericFixture();
  const token = await signToken(genericClaims(one.clock));
  await settle(one.clock, Promise.all(Array.from({ length: 200 }, () => one.validator.validate(token))));
  assertEquals(one.requests.length, 2);
});

test("R-088 fifty random kids: one extra download in five minutes", async () => {
  const one = await movable();
  for (let n = 0; n < 50; n++) {
    assertEquals(await one.codeOf({ kid: `random-${n}` }), "access_token_key_not_found");
  }
  assertEquals(one.requests.length, 2);
  await one.clock.advance(5 * MINUTE - 1);
  await one.codeOf({ kid: "x" });
  assertEquals(one.requests.length, 2);
  await one.clock.advance(1);
  await one.codeOf({ kid: "x" });
  await one.codeOf({ kid: "y" });
  assertEquals(one.requests.length, 3);
});

test("R-157 tokens that cannot count do not use the cool-down up", async () => {
  const one = await movable();
  assertEquals(await one.codeOf(), "accepted");
  for (
    const claims of [{ aud: "x" }, { iss: "https://evil.example" }, { exp: 1 }, { tid: "x" }, {
      nonce: "n",
      scp: undefined,
    }]
  ) {
    await one.refused(await userToken(one, claims, { kid: "unknown" }));
  }
  one.state.document = { keys: [await jwkOf("other", "new")] };
  assertEquals([await one.codeOf({ kid: "new" }, "other"), one.requests.length], ["accepted", 2]);
});

test("R-089 keys rotated between two tokens: the second is accepted after one download", async () => {
  const one = await movable();
  assertEquals(await one.codeOf(), "accepted");
  one.state.document = { keys: [await jwkOf("other", "new")] };
  const token = await userToken(one, {}, {}).then(() =>
    signToken(userClaims(one.clock), { kid: "new" }, "other")
  );
  await settle(one.clock, Promise.all(Array.from({ length: 50 }, () => one.validator.validate(token))));
  assertEquals(one.requests.length, 2);
});

test("R-090 R-184 while the authority is down the last keys serve for a day, and an event says so", async () => {
  const one = await movable();
  assertEquals(await one.codeOf(), "accepted");
  one.state.up = false;
  await one.clock.advance(HOUR);
  for (let n = 0; n < 3; n++) assertEquals(await one.codeOf(), "accepted");
  const stale = () => one.events.filter(({ type }) => type === "metadata_stale").length;
  assertEquals([stale(), one.requests.length], [1, 3]);
  await one.clock.advance(22 * HOUR);
  assertEquals([await one.codeOf(), stale()], ["accepted", 2]);
  await one.clock.advance(HOUR);
  assertEquals(await one.codeOf(), "network_error");
  one.state.up = true;
  assertEquals(await one.codeOf(), "accepted");
});

test("R-184 a cold validator and an authority that is down: an outage, and no refused token", async () => {
  const one = await movable();
  one.state.up = false;
  assertEquals(await one.codeOf(), "network_error");
  one.state.up = true;
  assertEquals(await one.codeOf(), "accepted");
});

test("R-184 an unknown kid while the authority is down is an outage; known ones go on", async () => {
  const one = await movable();
  assertEquals(await one.codeOf(), "accepted");
  one.state.up = false;
  assertEquals(await one.codeOf({ kid: "new" }, "other"), "network_error");
  assertEquals(await one.codeOf(), "accepted");
});

test("R-090 a key that left the document is refused within an hour", async () => {
  const one = await movable();
  assertEquals(await one.codeOf(), "accepted");
  one.state.document = { keys: [await jwkOf("other", "new")] };
  await one.clock.advance(HOUR);
  assertEquals(await one.codeOf(), "access_token_key_not_found");
});

/** A store that is not this application's alone. */
function shared(): Store & { readonly values: Map<string, string> } {
  const values = new Map<string, string>();
  return {
    values,
    cas: false,
    get: (key) => Promise.resolve(values.has(key) ? { value: values.get(key)! } : undefined),
    set: (key, value) => Promise.resolve({ ok: values.set(key, value).size > 0 }),
    delete: (key) => Promise.resolve(void values.delete(key)),
  };
}

test("a shared httpCache with a secret: another isolate asks nobody", async () => {
  const httpCache = shared();
  const clock = new FakeClock();
  const [first, second] = await Promise.all(
    [0, 1].map(() => movable({ httpCache, httpCacheSecret: SECRET, clock })),
  );
  assertEquals([await first!.codeOf(), first!.requests.length, httpCache.values.size], ["accepted", 1, 1]);
  second!.state.up = false;
  assertEquals([await second!.codeOf(), second!.requests.length], ["accepted", 0]);
});

test("decision 8: keys that somebody else wrote into a shared httpCache are not believed", async () => {
  const httpCache = shared();
  const clock = new FakeClock();
  const evil = await movable({ httpCache, httpCacheSecret: "another secret of 32 characters.", clock });
  evil.state.document = { keys: [await jwkOf("other", "main")] };
  assertEquals(await evil.codeOf({ kid: "main" }, "other"), "accepted");
  const one = await movable({ httpCache, httpCacheSecret: SECRET, clock });
  assertEquals([await one.codeOf({ kid: "main" }, "other"), one.requests.length], [
    "access_token_signature_invalid",
    1,
  ]);
  for (const [key, value] of [...httpCache.values]) {
    for (const other of httpCache.values.keys()) if (other !== key) httpCache.values.set(other, value);
  }
  const next = await movable({ httpCache, httpCacheSecret: SECRET, clock });
  assertEquals(await next.codeOf(), "accepted");
});

test("decision 8: a shared httpCache without a secret is not used; one that nobody else can write to is", async () => {
  const clock = new FakeClock();
  const httpCache = shared();
  assertEquals([await (await movable({ httpCache, clock })).codeOf(), httpCache.values.size], [
    "accepted",
    0,
  ]);
  const own = { ...shared(), isPrivate: true };
  const [first, second] = await Promise.all([0, 1].map(() => movable({ httpCache: own, clock })));
  assertEquals([await first!.codeOf(), await second!.codeOf()], ["accepted", "accepted"]);
  assertEquals([first!.requests.length, second!.requests.length], [1, 0]);
});

test("an httpCache that is broken costs an event and no call", async () => {
  const broken: Store = {
    cas: false,
    get: () => Promise.reject(new Error("x")),
    set: () => Promise.reject(new Error("x")),
    delete: () => Promise.reject(new Error("x")),
  };
  const one = await movable({ httpCache: broken, httpCacheSecret: SECRET });
  assertEquals(await one.codeOf(), "accepted");
  assert(one.events.some(({ type }) => type === "cache_failed"));
});

test("the correlation id is in errors, and is a word", async () => {
  const one = await movable();
  const context = { correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c" };
  const token = await userToken(one, {}, { kid: "unknown" });
  const error = await settle(one.clock, one.validator.validate(token, {}, context).catch((error) => error));
  assertEquals([error.code, error.correlationId], ["access_token_key_not_found", context.correlationId]);
  assertEquals(
    one.requests[0]?.headers.get("client-request-id") ?? context.correlationId,
    context.correlationId,
  );
  const wrong = await one.validator.validate(token, {}, { correlationId: "a\r\nb" }).catch((error) => error);
  assertEquals([wrong.code, wrong.option], ["invalid_request", "correlationId"]);
});
