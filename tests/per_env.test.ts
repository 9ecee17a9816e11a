/** One application for each `env` of a Worker. */
import { assert, assertEquals, assertNotStrictEquals, assertStrictEquals, assertThrows } from "@std/assert";
import { ConfidentialClientApplication, perEnv } from "../mod.ts";
import { test } from "./support/suite.ts";
import { HOST, SCOPES, tokenServer } from "./support/token_server.ts";

test("R-103 one env has one application, another env has another one", async () => {
  const server = tokenServer();
  let made = 0;
  const appOf = perEnv((env: { tenant: string }) => {
    made++;
    const authority = `${HOST}/${env.tenant}`;
    return new ConfidentialClientApplication({
      clientId: "c",
      authority,
      clientCredential: "a secret",
      fetch: server.fetch,
    });
  });
  assertEquals(made, 0);
  const [one, two] = [{ tenant: "a.example" }, { tenant: "a.example" }];
  assertStrictEquals(appOf(one), appOf(one));
  assertNotStrictEquals(appOf(one), appOf(two));
  assertEquals(made, 2);
  for (const env of [one, one, two]) await appOf(env).acquireTokenForClient({ scopes: SCOPES });
  assertEquals(server.requests.length, 2);
});

test("R-197 making an application sends nothing and sets no timer", () => {
  const { setTimeout, fetch } = globalThis;
  const { randomUUID } = crypto;
  let calls = 0;
  const count = () => {
    calls++;
    return undefined as never;
  };
  globalThis.setTimeout = count as never;
  globalThis.fetch = count;
  Object.defineProperty(crypto, "randomUUID", { value: count, configurable: true, writable: true });
  try {
    new ConfidentialClientApplication({
      clientId: "c",
      authority: `${HOST}/a.example`,
      clientCredential: "s3cret",
    });
  } finally {
    globalThis.setTimeout = setTimeout;
    globalThis.fetch = fetch;
    Reflect.deleteProperty(crypto, "randomUUID");
  }
  assertEquals([calls, crypto.randomUUID === randomUUID], [0, true]);
});

test("a make that throws throws for the caller, and is tried again for the next", () => {
  let calls = 0;
  const of = perEnv((_env: object) => {
    if (++calls === 1) throw new RangeError("not yet");
    return calls;
  });
  const env = {};
  assertThrows(() => of(env), RangeError);
  assertEquals([of(env), of(env), calls], [2, 2, 2]);
});

test("a make may give nothing, and is still called once; two makers do not share", () => {
  let calls = 0;
  const nothing = perEnv((_env: object) => void calls++);
  const env = {};
  assertEquals([nothing(env), nothing(env), calls], [undefined, undefined, 1]);
  assert(perEnv(() => ({}))(env) !== perEnv(() => ({}))(env));
});

test("an env that is no object is refused, not shared by everybody", () => {
  const of = perEnv((_env: object) => ({}));
  for (const env of [undefined, null, 7, "env"]) assertThrows(() => of(env as never), TypeError);
});
