/** Attempts of one request: what may be sent twice, and what is not sent any more. R-208, RFC 7523 section 3. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import { ClientAuthError, createAuthorizedFetch } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { bindingReply, plainScheme } from "./support/bound_tokens.ts";
import { testKeys } from "./support/certificates.ts";
import { test } from "./support/suite.ts";
import { deferred, eachRow, oidcBench, refusal, type Reply, SCOPES } from "./support/token_server.ts";

const KEY = plainScheme("key1");
const POP = plainScheme("key1", {
  tokenType: "pop",
  tokenRequest: () => ({ form: { token_type: "pop", req_cnf: "a confirmation" } }),
});
const wantsNonce = refusal(400, { error: "use_dpop_nonce" }, { "dpop-nonce": "nonce-1" });

test("RFC 7523 section 3: each attempt has an assertion of its own, for an issuer that takes none twice", async () => {
  const { jwk } = await testKeys("EC");
  await eachRow<[Reply, boolean]>({
    "once more for a nonce": [wantsNonce, true],
    "once more after a failure": [refusal(502, {}), false],
    "once more after a failure, bound": [refusal(502, {}), true],
    "once more after a lost connection": [new TypeError("lost"), false],
  }, async ([first, isBound]) => {
    const { ask, askFor, server } = oidcBench({ clientCredential: { privateKey: jwk } });
    server.next(first);
    server.otherwise(bindingReply());
    const request = isBound ? { authScheme: KEY } : {};
    await (first === wantsNonce ? ask(request) : askFor(2_000, request));
    const sent = server.requests.map(({ form }) => form.getAll("client_assertion"));
    assertEquals(sent.map(({ length }) => length), [1, 1]);
    assert(sent[0]?.[0] !== sent[1]?.[0], "it was sent twice");
  });
});

test("a credential that fails at the second attempt fails the call, and no assertion is told", async () => {
  let calls = 0;
  const clientCredential = () => {
    if (++calls > 1) throw new TypeError("cAnArY");
    return { clientAssertion: "h.cAnArY.s" };
  };
  const { ask, server } = oidcBench({ clientCredential });
  server.next(wantsNonce);
  const error = await failure(ask({ authScheme: KEY }));
  assertEquals([error.code, server.requests.length], ["client_credential_failed", 1]);
  assertFalse(/cAnArY/.test(JSON.stringify(error) + error.message));
});

test("a secret's function is asked once, whatever the attempts", async () => {
  let calls = 0;
  const clientCredential = () => {
    calls++;
    return { clientSecret: "a secret" };
  };
  const { ask, server } = oidcBench({ clientCredential });
  server.next(wantsNonce);
  server.otherwise(bindingReply());
  await ask({ authScheme: KEY });
  assertEquals([calls, server.requests.length], [1, 2]);
});

test("what a slow key signs after its call has failed is not sent: a grant may be spent by it", async () => {
  const { clock, app, server } = oidcBench();
  const { promise, resolve } = deferred<object>();
  server.otherwise(bindingReply());
  const slow = plainScheme("key1", { tokenRequest: () => promise });
  const call = failure(app.acquireTokenForClient({ scopes: SCOPES, authScheme: slow }));
  await clock.advance(31_000);
  assertEquals((await call).code, "auth_scheme_failed");
  resolve({ headers: { dpop: "late" } });
  await clock.advance(31_000);
  assertEquals(server.requests.length, 0);
});

test("what the authority says of a key says nothing of it under another scheme", async () => {
  const { ask, server } = oidcBench();
  server.next(refusal(400, { error: "invalid_dpop_proof" }));
  server.otherwise(bindingReply());
  await failure(ask({ authScheme: KEY }));
  assertEquals((await ask({ authScheme: POP })).tokenType, "pop");
});

test("headers of a scheme that are none fail by name: what is refused would be quoted", async () => {
  await eachRow<unknown>({
    "a line in one": { authorization: "DPoP\ncAnArY" },
    "a name that is none": { "cAnArY cAnArY": "x" },
    "nothing": undefined,
  }, async (headers) => {
    const authScheme = plainScheme("key1", {
      apiHeaders: () => Promise.resolve(headers as Record<string, string>),
    });
    const api = createAuthorizedFetch({
      origins: ["https://api.example"],
      authScheme,
      acquireToken: () => Promise.resolve({ accessToken: "cAnArY", tokenType: "DPoP" }),
      fetch: () => Promise.reject(new Error("nothing is sent")),
    });
    const error = await failure(api("https://api.example/"));
    assert(error instanceof ClientAuthError);
    assertEquals([error.code, /cAnArY/.test(error.message + error.stack)], ["auth_scheme_failed", false]);
  });
});
