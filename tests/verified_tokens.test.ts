/** The cache of verified tokens: what it knows again, for how long, and what never hits. */
import { assert, assertEquals } from "@std/assert";
import { AccessTokenError } from "../src/validate/mod.ts";
import {
  type ApiFixture,
  apiFixtureOf,
  type ApiOptions,
  type Claims,
  userClaims,
  userToken,
} from "./support/access_tokens.ts";
import { FakeClock, jumping } from "./support/fake_clock.ts";
import { keyPair, keySet, signToken } from "./support/id_tokens.ts";
import { idle } from "./support/idle.ts";
import { fc } from "./support/property.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

let verifications = 0;
const { verify } = SubtleCrypto.prototype;
SubtleCrypto.prototype.verify = function (this: SubtleCrypto, ...args: Parameters<SubtleCrypto["verify"]>) {
  verifications++;
  return verify.apply(this, args);
};

/** A validator whose authority a test can change, and what it does. */
async function fixture(options: ApiOptions = {}) {
  const state = { document: await keySet("tenant") as unknown, up: true };
  const one: ApiFixture = apiFixtureOf(() => () => {
    if (!state.up) throw new TypeError("reset");
    return jsonResponse(state.document);
  }, options);
  /** The outcome, and how many signatures were verified for it. */
  const seen = async (token: unknown): Promise<[string, number]> => {
    const before = verifications;
    const outcome = await one.validate(token).then(() => "accepted", (error) => error.code);
    return [outcome, verifications - before];
  };
  return { ...one, state, seen };
}

test("R-159 a token is verified once, and is the same object afterwards, at once", async () => {
  const one = await fixture();
  const token = await userToken(one);
  assertEquals(await one.seen(token), ["accepted", 1]);
  assertEquals(await one.seen(token), ["accepted", 0]);
  // The same text in another object, as each request brings it.
  assertEquals(await one.seen(new TextDecoder().decode(new TextEncoder().encode(token))), ["accepted", 0]);
  let early: unknown;
  const found = one.validator.validate(token, { scopes: ["Files.Read"] });
  found.then((value) => early = value);
  await Promise.resolve();
  assert(early !== undefined && early === await one.validator.validate(token) && Object.isFrozen(early));
});

test("R-159 property: a token that differs in one character never hits", async () => {
  const one = await fixture();
  const token = await userToken(one);
  await one.seen(token);
  const place = fc.integer({ min: 0, max: token.length - 1 });
  await fc.assert(
    fc.asyncProperty(place, fc.constantFrom(..."AZaz09-_ .\u0130\n"), async (at, char) => {
      const [outcome, verified] = await one.seen(token.slice(0, at) + char + token.slice(at + 1));
      if (token[at] === char) assertEquals([outcome, verified], ["accepted", 0]);
      else assert(/^access_token_/.test(outcome), outcome);
    }),
    { numRuns: 200 },
  );
  for (
    const other of [` ${token}`, `${token}\0`, token.toUpperCase(), [token], {
      toString: () => token,
    }, Object(token)]
  ) {
    assertEquals((await one.seen(other))[0], "access_token_malformed");
  }
});

test("R-159 a cached token ends with its exp, tolerance included, and not later", async () => {
  const one = await fixture({ clockToleranceSeconds: 60 });
  const exp = Math.floor(one.clock.now() / 1000) + 600;
  const token = await userToken(one, { exp });
  await one.seen(token);
  await one.clock.advance(660_000 - 1);
  assertEquals(await one.seen(token), ["accepted", 0]);
  await one.clock.advance(1);
  assertEquals(await one.seen(token), ["access_token_expired", 0]);
});

test("R-159 a clock that is set back before nbf refuses a cached token, too", async () => {
  const { clock, offset } = jumping(new FakeClock());
  const one = await fixture({ clock: clock as FakeClock });
  const token = await userToken(one, { nbf: Math.floor(clock.now() / 1000) });
  await one.validator.validate(token);
  offset.ms = -4 * MINUTE;
  const error = await one.validator.validate(token).catch((error) => error);
  assertEquals(error.code, "access_token_not_yet_valid");
});

test("R-159 what a route asks is looked at on each call", async () => {
  const one = await fixture();
  const token = await userToken(one, { xms_cc: ["cp1"] });
  await one.validate(token, { scopes: ["Files.Read"] });
  const before = verifications;
  for (
    const [requirements, status] of [
      [{ scopes: ["Files.Write"] }, 403],
      [{ roles: ["Admin"] }, 403],
      [{ acrs: ["c1"] }, 401],
    ] as const
  ) {
    const refusal = one.validator.validate(token, requirements);
    const error = await refusal.catch((error) => error);
    assert(error instanceof AccessTokenError);
    assertEquals(error.status, status);
  }
  await one.validate(token, { scopes: ["Orders.Write"] });
  assertEquals(verifications, before);
});

test("R-159 a valid token that is not enough for the first route is known for the next", async () => {
  const one = await fixture();
  const token = await userToken(one);
  await one.refused(token, { scopes: ["Files.Write"] });
  const before = verifications;
  await one.validate(token, { scopes: ["Files.Read"] });
  assertEquals(verifications, before);
});

test("R-159 refused tokens are never kept: each is looked at again", async () => {
  const one = await fixture();
  const wrong = await userToken(one, {}, { kid: "wrong" });
  const foreign = await userToken(one, {}, { kid: "foreign" });
  for (let n = 0; n < 3; n++) {
    assertEquals(await one.seen(wrong), ["access_token_signature_invalid", 1]);
    assertEquals(await one.seen(foreign), ["access_token_key_issuer_mismatch", 1]);
  }
});

test("R-159 validators share nothing: another audience refuses what this one knows", async () => {
  const one = await fixture();
  const other = await fixture({ audience: "api://another" });
  const token = await userToken(one);
  await one.seen(token);
  assertEquals(await other.seen(token), ["access_token_audience_mismatch", 0]);
});

const removed = async (name: "other" | "main", kid: string) => ({
  keys: [{ ...(await keyPair(name)).jwk, kid }],
});

test("R-090 a key that the authority removed: cached tokens end with the next renewal, not with their exp", async () => {
  const one = await fixture();
  const token = await userToken(one, { exp: Math.floor((one.clock.now() + DAY) / 1000) });
  await one.seen(token);
  one.state.document = await removed("other", "new");
  await one.clock.advance(HOUR - 1);
  assertEquals(await one.seen(token), ["accepted", 0]);
  await one.clock.advance(1);
  assertEquals(await one.seen(token), ["access_token_key_not_found", 0]);
});

test("R-090 a removed key is found out at once where another token brings the new keys", async () => {
  const one = await fixture();
  const token = await userToken(one);
  await one.seen(token);
  one.state.document = await removed("other", "new");
  const renewed = await signToken(userClaims(one.clock), { kid: "new" }, "other");
  assertEquals(await one.seen(renewed), ["accepted", 1]);
  assertEquals((await one.seen(token))[0], "access_token_key_not_found");
});

test("R-090 a kid that names another key afterwards does not keep the old one's tokens", async () => {
  const one = await fixture();
  const token = await userToken(one, { exp: Math.floor((one.clock.now() + DAY) / 1000) });
  await one.seen(token);
  one.state.document = await removed("other", "main");
  await one.clock.advance(HOUR);
  assertEquals(await one.seen(token), ["access_token_signature_invalid", 1]);
});

test("R-090 an hour later the same keys: a token that is at hand asks for them, and the rest stay known", async () => {
  const one = await fixture();
  const exp = Math.floor((one.clock.now() + DAY) / 1000);
  const tokens = [await userToken(one, { exp }), await userToken(one, { exp, uti: 2 })];
  for (const token of tokens) await one.seen(token);
  await one.clock.advance(HOUR);
  const outcomes = [];
  for (const token of [...tokens, ...tokens]) outcomes.push(await one.seen(token));
  assertEquals(outcomes, [["accepted", 1], ["accepted", 0], ["accepted", 0], ["accepted", 0]]);
  assertEquals(one.requests.length, 2);
});

test("R-088 unknown kids that ask for the same keys again make no token be verified again", async () => {
  const one = await fixture();
  const token = await userToken(one);
  await one.seen(token);
  assertEquals(await one.seen(await userToken(one, {}, { kid: "x" })), ["access_token_key_not_found", 0]);
  assertEquals([await one.seen(token), one.requests.length], [["accepted", 0], 2]);
});

test("R-090 R-184 cached tokens outlive an outage, but not the keys' day", async () => {
  const one = await fixture();
  const token = await userToken(one, { exp: Math.floor((one.clock.now() + 2 * DAY) / 1000) });
  await one.seen(token);
  one.state.up = false;
  await one.clock.advance(23 * HOUR);
  assertEquals((await one.seen(token))[0], "accepted");
  assertEquals(one.events.filter(({ type }) => type === "metadata_stale").length, 1);
  await one.clock.advance(HOUR);
  assertEquals((await one.seen(token))[0], "network_error");
});

test("with waitUntil a renewal of the keys keeps no caller waiting, with it or after it", async () => {
  const kept: Promise<unknown>[] = [];
  const document = await keySet("tenant");
  let open = (): void => {};
  const gate = new Promise<void>((resolve) => open = resolve);
  let asked = 0;
  const one = apiFixtureOf(
    () => () => asked++ === 0 ? jsonResponse(document) : gate.then(() => jsonResponse(document)),
    {
      waitUntil: (promise) => void kept.push(promise),
    },
  );
  const token = await userToken(one, { exp: Math.floor((one.clock.now() + DAY) / 1000) });
  await one.validate(token);
  await one.clock.advance(HOUR);
  for (let n = 0; n < 3; n++) assert(await one.validator.validate(token));
  assertEquals(asked, 2);
  open();
  await Promise.all(kept);
  assertEquals(kept.length, 2);
});

test("R-187 the cache is bounded by its bytes: what is used stays, and 0 keeps nothing", async () => {
  const one = await fixture({ maxVerifiedBytes: 40_000 });
  const used = await userToken(one, { uti: "used" });
  const idleToken = await userToken(one, { uti: "idle" });
  await one.seen(used);
  await one.seen(idleToken);
  for (let n = 0; n < 30; n++) {
    await one.seen(await userToken(one, { uti: n }));
    assertEquals((await one.seen(used))[1], 0);
  }
  assertEquals(await one.seen(idleToken), ["accepted", 1]);
  const none = await fixture({ maxVerifiedBytes: 0 });
  for (let n = 0; n < 2; n++) assertEquals(await none.seen(used), ["accepted", 1]);
});

test("R-188 a token named like a member of an object hits nothing", async () => {
  const one = await fixture();
  await one.seen(await userToken(one));
  for (const name of ["__proto__", "constructor", "get", "size", undefined, null, NaN]) {
    assertEquals(await one.seen(name), ["access_token_malformed", 0]);
  }
});

test("a hit sends nothing and waits for nothing, whatever else is under way", async () => {
  const one = await fixture();
  const tokens: string[] = [];
  for (let n = 0; n < 5; n++) tokens.push(await userToken(one, { uti: n } as Claims));
  for (const token of tokens) await one.seen(token);
  await idle();
  const before = [one.requests.length, verifications, one.clock.pending];
  const found = await Promise.all(
    tokens.flatMap((token) => [token, token]).map((token) => one.validator.validate(token)),
  );
  assertEquals(found.map(({ claims }) => claims["uti"]), [0, 0, 1, 1, 2, 2, 3, 3, 4, 4]);
  assertEquals([one.requests.length, verifications, one.clock.pending], before);
});
