/** What happens when the authority refuses a credential that has been renewed: section 3.4.2 of the .NET reference. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import type { ClientCredential, CredentialContext, MsalEvent } from "../mod.ts";
import { CredentialSource } from "../src/credential/credential_source.ts";
import { encodeBase64Url } from "../src/crypto/base64url.ts";
import { CORRELATION_ID, errorAnswer, fixture, tokenAnswer } from "./support/app_fixture.ts";
import { callback, entraDouble, nonceOf, REDIRECT_URI, type Reply } from "./support/entra_double.ts";
import type { RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const STALE = [700027, 700024, 7000214, 1000502, 7000274, 7000277];

function refusal(code: number, status = 401, error = "invalid_client") {
  return errorAnswer(status, error, { error_codes: [code], error_description: `AADSTS${code}: no` });
}

function secretsOf(requests: readonly RecordedRequest[]): (string | null)[] {
  return requests.map(({ form }) => form.get("client_secret"));
}

/** A function that gives another secret at each call, and notes what it was told. */
function rotating(): {
  credential: (context: CredentialContext) => string;
  seen: (readonly number[] | undefined)[];
} {
  const seen: (readonly number[] | undefined)[] = [];
  return { credential: ({ rejectedBy }) => `secret-${seen.push(rejectedBy)}`, seen };
}

function jwt(name: string): string {
  return `eyJhIjoxfQ.${encodeBase64Url(new TextEncoder().encode(JSON.stringify({ name })))}.c2ln`;
}

const told = (events: readonly MsalEvent[]): string[] =>
  events.filter(({ type }) => !type.startsWith("request_completed")).map(({ type }) => type);

// Negative: what must never be sent twice.

const ONCE: readonly [string, () => Response][] = [
  ["7000215, a wrong secret", refusal(7000215)],
  ["7000222, a secret that has ended", refusal(7000222)],
  ["700016, an unknown application", refusal(700016, 400, "unauthorized_client")],
  ["50012", refusal(50012)],
  ["invalid_client without a code", errorAnswer(401, "invalid_client")],
  [
    "a roll-over code that only the description's middle names",
    errorAnswer(401, "invalid_client", { error_description: "not AADSTS700027" }),
  ],
  ["a roll-over code as text", errorAnswer(401, "invalid_client", { error_codes: ["700027"] })],
  ["a roll-over code with 429", refusal(700027, 429, "temporarily_unavailable")],
];
for (const [what, answer] of ONCE) {
  test(`3.4.2 a request that is refused for ${what} is not sent with another credential`, async () => {
    const { credential, seen } = rotating();
    for (const clientCredential of [credential, ["one", "two"], [credential, "two"]]) {
      const { refused, http } = fixture([answer], { clientCredential });
      await refused();
      assertEquals(http.requests.length, 1);
    }
    assertEquals(seen, [undefined, undefined]);
  });
}

test("3.4.2 a secret or an assertion that never changes is sent once, whatever the code", async () => {
  for (const clientCredential of ["secret", { clientAssertion: jwt("a") }, ["secret"]]) {
    const { refused, http, events } = fixture([refusal(700024)], { clientCredential });
    const error = await refused();
    assertEquals([error.code, http.requests.length], ["server_error", 1]);
    assertEquals(told(events), ["token_failed"]);
  }
});

test("3.4.2 a function that is refused twice is not called a third time", async () => {
  const { credential, seen } = rotating();
  const { refused, http } = fixture([refusal(700027), refusal(700024)], { clientCredential: credential });
  const error = await refused();
  assertEquals([http.requests.length, "errorCodes" in error && error.errorCodes], [2, [700024]]);
  assertEquals(seen, [undefined, [700027]]);
});

test("3.4.2 of a list each is sent once at most, functions too, and the last refusal is thrown", async () => {
  const { credential, seen } = rotating();
  const clientCredential = ["one", credential, "three"];
  const { refused, http } = fixture([refusal(700027), refusal(700024), refusal(7000277)], {
    clientCredential,
  });
  const error = await refused();
  assertEquals("errorCodes" in error && error.errorCodes, [7000277]);
  assertEquals([secretsOf(http.requests), seen], [["one", "secret-1", "three"], [[700027]]]);
});

test("R-215 3.4.2 a function whose result was refused is told so until one is taken, though others came between", async () => {
  const seen: unknown[] = [];
  const kept = ({ rejectedBy }: CredentialContext): string => `kept-${seen.push(rejectedBy)}`;
  const script = [refusal(700024), refusal(700027), tokenAnswer({ expires_in: 1 }), tokenAnswer()];
  const { acquire, refused } = fixture(script, { clientCredential: [kept, "other"] });
  await refused();
  await acquire();
  await acquire();
  assertEquals(seen, [undefined, [700024], undefined]);
});

test("3.4.2 a wrong secret ends the roll-over: what comes after it in the list is not tried", async () => {
  const { refused, http } = fixture([refusal(700027), refusal(7000215)], {
    clientCredential: ["one", "two", "three"],
  });
  const error = await refused();
  assertEquals(["errorCodes" in error && error.errorCodes, http.requests.length], [[7000215], 2]);
});

test("3.4.2 a function that throws when it is called once more: its error, without what it said, and the refusal as an event", async () => {
  const clientCredential = ({ rejectedBy }: CredentialContext): string => {
    if (rejectedBy) throw new RangeError("canary-s3cr3t");
    return "secret";
  };
  const { refused, http, events, lines } = fixture([refusal(700027)], { clientCredential });
  const error = await refused({ correlationId: CORRELATION_ID });
  assertEquals([error.code, error.correlationId, http.requests.length], [
    "client_credential_failed",
    CORRELATION_ID,
    1,
  ]);
  assertEquals(told(events), ["request_retried", "token_failed"]);
  assert(!`${error.message}${JSON.stringify(events)}${lines}`.includes("canary"));
});

test("3.4.2 a function that hangs when it is called once more ends with the token deadline", async () => {
  const clientCredential = ({ rejectedBy }: CredentialContext): string | Promise<string> =>
    rejectedBy ? new Promise<string>(() => {}) : "secret";
  const { refused, clock } = fixture([refusal(700027)], { clientCredential, timeoutMs: 3_000 });
  assertEquals([(await refused()).code, clock.pending], ["client_credential_failed", 0]);
});

// What is sent again.

for (const code of STALE) {
  test(`3.4.2 AADSTS${code}: a function is called once more, told why, and one request is sent again`, async () => {
    const { credential, seen } = rotating();
    const { acquire, http, events } = fixture([refusal(code), tokenAnswer()], {
      clientCredential: credential,
    });
    assertEquals((await acquire()).accessToken, "AT");
    assertEquals([secretsOf(http.requests), seen], [["secret-1", "secret-2"], [undefined, [code]]]);
    assertEquals(told(events), ["request_retried", "token_acquired"]);
    const retried = events.find(({ type }) => type === "request_retried");
    assert(retried && "error" in retried && "errorCodes" in retried.error);
    assertEquals(retried.error.errorCodes, [code]);
  });

  test(`3.4.2 AADSTS${code}: a list goes on with its next member`, async () => {
    const { acquire, http } = fixture([refusal(code), tokenAnswer()], { clientCredential: ["old", "new"] });
    await acquire();
    assertEquals(secretsOf(http.requests), ["old", "new"]);
  });
}

test("3.4.2 functions within a shape are called once more, too", async () => {
  const assertions = { clientAssertion: ({ rejectedBy }: CredentialContext) => jwt(`${rejectedBy}`) };
  const { acquire, http } = fixture([refusal(700024), tokenAnswer()], { clientCredential: assertions });
  await acquire();
  assertEquals(http.requests.map(({ form }) => form.get("client_assertion")), [
    jwt("undefined"),
    jwt("700024"),
  ]);
  const secrets = { clientSecret: ({ rejectedBy }: CredentialContext) => `after ${rejectedBy}` };
  const other = fixture([refusal(7000214), tokenAnswer()], { clientCredential: secrets });
  await other.acquire();
  assertEquals(secretsOf(other.http.requests), ["after undefined", "after 7000214"]);
});

test("3.4.2 the code counts where only the description begins with it, as some endpoints answer", async () => {
  const answer = errorAnswer(400, "invalid_request", {
    error_description: "AADSTS7000277: the key is not there",
  });
  const { acquire, http } = fixture([answer, tokenAnswer()], { clientCredential: ["old", "new"] });
  await acquire();
  assertEquals(http.requests.length, 2);
});

test("3.4.2 a list may mix shapes: nothing of the one that was refused is sent with the next", async () => {
  const list: ClientCredential = [
    { clientSecret: "old", method: "client_secret_basic" },
    { clientAssertion: jwt("new") },
    "last",
  ];
  const answers = [refusal(700027), refusal(700024), tokenAnswer()];
  const { acquire, http } = fixture(answers, { clientCredential: list });
  await acquire();
  const [first, second, third] = http.requests;
  assert(first?.headers.get("authorization")?.startsWith("Basic "));
  assertEquals([first?.form.has("client_assertion"), first?.form.has("client_secret")], [false, false]);
  assertEquals(second?.headers.get("authorization"), null);
  assertEquals([second?.form.getAll("client_assertion"), second?.form.has("client_secret")], [
    [jwt("new")],
    false,
  ]);
  assertEquals([third?.form.has("client_assertion"), third?.form.getAll("client_secret")], [false, ["last"]]);
});

test("3.4.2 the member that worked is the first that is tried next time, in this application", async () => {
  const clientCredential = ["old", "new"];
  const script = (
    { form }: RecordedRequest,
  ) => (form.get("client_secret") === "old" ? refusal(700027) : tokenAnswer());
  const { acquire, http } = fixture(script, { clientCredential });
  await acquire();
  await acquire({ scopes: ["api://two/.default"] });
  assertEquals(secretsOf(http.requests), ["old", "new", "new"]);
  const fresh = fixture(script, { clientCredential });
  await fresh.acquire();
  assertEquals(secretsOf(fresh.http.requests), ["old", "new"]);
});

test("3.4.2 where the one that worked is refused later, the others are tried again in their order", async () => {
  const good = new Set(["two"]);
  const script = (
    { form }: RecordedRequest,
  ) => (good.has(form.get("client_secret")!) ? tokenAnswer() : refusal(700027));
  const { acquire, http } = fixture(script, { clientCredential: ["one", "two", "three"] });
  await acquire();
  good.clear();
  good.add("three");
  await acquire({ scopes: ["api://two/.default"] });
  assertEquals(secretsOf(http.requests), ["one", "two", "two", "one", "three"]);
});

test("3.4.2 a refusal for another reason prefers nobody", async () => {
  const { acquire, refused, http } = fixture([
    refusal(700027),
    refusal(53003, 400, "invalid_grant"),
    tokenAnswer(),
  ], {
    clientCredential: ["one", "two"],
  });
  await refused();
  await acquire({ scopes: ["api://two/.default"] });
  assertEquals(secretsOf(http.requests), ["one", "two", "one"]);
});

// Members that cannot be used.

const throws = (): string => {
  throw new RangeError("canary-s3cr3t");
};

test("3.4.2 a member of a list that throws is passed over with an event that holds no secret", async () => {
  const wrong = (() => ({ clientSecret: "a", privateKey: "b" })) as unknown as () => string;
  const { acquire, http, events, lines } = fixture([tokenAnswer()], {
    clientCredential: [throws, wrong, "good"],
  });
  await acquire({ correlationId: CORRELATION_ID });
  assertEquals(secretsOf(http.requests), ["good"]);
  assertEquals(told(events), ["credential_failed", "credential_failed", "token_acquired"]);
  const failed = events.filter(({ type }) => type === "credential_failed");
  assertEquals(failed.map((event) => "error" in event && event.error.code), [
    "client_credential_failed",
    "invalid_client_credential",
  ]);
  assert(!`${JSON.stringify(events)}${lines}`.includes("canary"));
  assertStringIncludes(lines.join("\n"), "credential_failed");
});

test("3.4.2 where every member throws, the last one's error is thrown, and nothing is sent", async () => {
  const hasNone = (): string => undefined as unknown as string;
  const { refused, http, events } = fixture([], { clientCredential: [throws, hasNone] });
  assertEquals([(await refused()).code, http.requests.length], ["invalid_client_credential", 0]);
  assertEquals(told(events), ["credential_failed", "token_failed"]);
  const { refused: other } = fixture([], { clientCredential: [hasNone, throws] });
  assertEquals((await other()).code, "client_credential_failed");
});

test("3.4.2 a member that throws after a refusal is passed over as well", async () => {
  const { acquire, http, events } = fixture([refusal(700027), tokenAnswer()], {
    clientCredential: ["one", throws, "three"],
  });
  await acquire();
  assertEquals(secretsOf(http.requests), ["one", "three"]);
  assertEquals(told(events), ["request_retried", "credential_failed", "token_acquired"]);
});

test("a function that stands alone and throws is not called again at once", async () => {
  let calls = 0;
  const clientCredential = (): string => {
    calls++;
    throw new Error("vault sealed");
  };
  await fixture([], { clientCredential }).refused();
  await fixture([], { clientCredential: [clientCredential] }).refused();
  assertEquals(calls, 2);
});

// Codes and refresh tokens.

const SIGN_IN = { scopes: ["User.Read"], redirectUri: REDIRECT_URI };

test("3.4.2 R-048 a code is sent again with the next credential: the client failed to prove who it is, so it is not spent", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ clientCredential: ["old", "new"] });
  const flow = await app.initiateAuthCodeFlow(SIGN_IN);
  entra.next(refusal(700027)(), await entra.answer({ nonce: nonceOf(flow) }));
  const result = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  assertEquals([result.accessToken, secretsOf(entra.posts)], ["AT 1", ["old", "new"]]);
  assertEquals(entra.posts.map(({ form }) => form.get("code")), ["a code", "a code"]);
});

test("R-048 R-181 a code is not sent again with another credential for any other reason", async () => {
  const replies: Reply[] = [
    refusal(54005, 400, "invalid_grant")(),
    refusal(7000215)(),
    refusal(700027, 503, "temporarily_unavailable")(),
    new TypeError("reset"),
  ];
  for (const reply of replies) {
    const entra = entraDouble();
    const app = entra.confidential({ clientCredential: ["old", "new"] });
    const flow = await app.initiateAuthCodeFlow(SIGN_IN);
    entra.next(reply);
    await entra.refused(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
    assertEquals(entra.posts.length, 1);
  }
});

test("3.4.2 a refresh token that waits for a renewed credential is kept, and sent with it", async () => {
  const entra = entraDouble();
  const app = entra.confidential({ clientCredential: ["old", "new"] });
  const { account } = await entra.signIn(app);
  entra.next(refusal(700027)(), refusal(700024)(), refusal(700027)(), await entra.answer());
  const request = { account: account!, scopes: ["User.Read"], forceRefresh: true };
  await entra.refused(app.acquireTokenSilent({ ...request, scopes: ["Mail.Read"] }));
  const { tokenSource } = await entra.settle(app.acquireTokenSilent(request));
  assertEquals(tokenSource, "identity_provider");
  const renewals = entra.posts.slice(1);
  assertEquals(renewals.map(({ form }) => form.get("refresh_token")), Array(4).fill("RT 1"));
  assertEquals(secretsOf(renewals), ["old", "new", "old", "new"]);
});

// What is remembered, and for how long it may take.

test("R-180 the throttle cache remembers no refusal that a renewed credential mends, with status 400 either", async () => {
  for (const error of ["invalid_client", "invalid_request", "unauthorized_client"]) {
    const { credential } = rotating();
    const stale = refusal(700027, 400, error);
    const { acquire, refused, http } = fixture([stale, stale, tokenAnswer()], {
      clientCredential: credential,
    });
    await refused();
    await acquire();
    assertEquals(http.requests.length, 3);
    const list = fixture([stale, tokenAnswer(), tokenAnswer()], { clientCredential: ["one", "two"] });
    await list.acquire();
    await list.acquire({ forceRefresh: true } as never);
    assertEquals(list.events.filter(({ type }) => type === "throttled"), []);
  }
});

test("R-180 a Retry-After counts with a roll-over code, too, when nothing is left to try", async () => {
  const answer = () => {
    const response = refusal(700027, 400)();
    response.headers.set("retry-after", "30");
    return response;
  };
  const { refused, http } = fixture([answer], { clientCredential: "secret" });
  await refused();
  const error = await refused();
  assertEquals(["throttledLocally" in error && error.throttledLocally, http.requests.length], [true, 1]);
});

const ATTEMPTS: readonly [ClientCredential, number][] = [
  ["secret", 1],
  [["secret"], 1],
  [{ clientAssertion: jwt("a") }, 1],
  [() => "secret", 2],
  [{ clientSecret: () => "secret" }, 2],
  [{ clientAssertion: () => jwt("a") }, 2],
  [[() => "secret"], 2],
  [["one", "two", () => "three"], 3],
];
test("a shared piece of work is given the time that every attempt may take", () => {
  for (const [credential, attempts] of ATTEMPTS) {
    assertEquals(new CredentialSource(credential, { now: () => 0 }).attempts, attempts);
  }
});

test("the first secret of a list that never changes keys the HTTP cache, whichever credential is used", () => {
  const keyOf = (credential: ClientCredential) =>
    new CredentialSource(credential, { now: () => 0 }).staticSecret;
  assertEquals(keyOf([() => "x", { clientSecret: () => "y" }, { clientSecret: "z" }, "a"]), "z");
  for (
    const credential of [() => "x", { clientSecret: () => "y" }, { clientAssertion: jwt("a") }, [() => "x"]]
  ) {
    assertEquals(keyOf(credential), undefined);
  }
});
