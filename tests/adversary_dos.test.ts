/**
 * Inputs that are large, deep or made to make a pattern go back and forth.
 *
 * @module
 */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import {
  claimsChallengeOf,
  isAuthError,
  openAuthCodeFlow,
  parseWwwAuthenticate,
  sealAuthCodeFlow,
  TokenCache,
} from "../mod.ts";
import { parseCompact } from "../src/jwt/compact.ts";
import { readClientInfo } from "../src/token/entra_identity.ts";
import { callback, entraDouble, HOME_ACCOUNT_ID, nonceOf, REDIRECT_URI } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

// deno-lint-ignore no-explicit-any
type Any = any;

const MB = 1_000_000;
const SCOPES = ["User.Read"];
const SECRET = "mZ3vQ8xT1kL6pW9rB4nY7cH2dF5gJ0sE";
/** Longer than any of these takes on a slow machine, and much shorter than what is quadratic in a million. */
const LIMIT_MS = 4_000;

const BOMBS: Record<string, string> = Object.fromEntries(
  [
    "/",
    " ",
    "=",
    "a",
    ".",
    "-",
    '"',
    "\\",
    ",",
    "a ",
    "a=",
    "a,",
    'a="',
    '\\"',
    "[",
    '{"a":',
    "%",
    "%2",
    "#",
    "?&",
    "\n",
    "\u0000",
    "ä",
    "\ud800",
    "a=b ",
    "a =",
    "Bearer ",
    "0",
    "1.",
    "AAAA",
  ]
    .map((unit) => [JSON.stringify(unit), unit.repeat(Math.ceil(MB / unit.length))]),
);

/** Runs a call that may only fail by an error of the library; tells how long it took. */
async function timed(call: () => unknown): Promise<number> {
  const begun = performance.now();
  try {
    await call();
  } catch (error) {
    assert(isAuthError(error), String(error).slice(0, 200));
    assert(error.message.length < 2_000, `${error.message.length}`);
    // By the fake clock, whose time passes where nothing else happens: it would make whatever hangs quick.
    assertNotEquals(error.code, "request_timeout");
  }
  return performance.now() - begun;
}

/** A call that may only fail. */
function refused<T>(call: (bomb: T) => unknown): (bomb: T) => Promise<void> {
  return async (bomb) => {
    await call(bomb);
    throw new Error("it was accepted");
  };
}

async function eachBomb(call: (bomb: string) => unknown): Promise<void> {
  const slow: string[] = [];
  for (const [name, bomb] of Object.entries(BOMBS)) {
    const ms = await timed(() => call(bomb));
    if (ms > LIMIT_MS) slow.push(`${name}: ${ms} ms`);
  }
  assertEquals(slow, []);
}

test("R-189 WWW-Authenticate of 1 MB, of whatever it is made, is read in time that grows with its length alone", async () => {
  await eachBomb((bomb) => parseWwwAuthenticate(bomb));
  await eachBomb((bomb) => parseWwwAuthenticate(`Bearer ${bomb}`));
  await eachBomb((bomb) => claimsChallengeOf(`Bearer error="insufficient_claims", claims="${bomb}`));
});

test("R-189 texts of 1 MB in requests: scopes, account, tenant, redirect URI, claims, state, hints", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const request = { scopes: SCOPES, redirectUri: REDIRECT_URI };
  await eachBomb((bomb) => app.initiateAuthCodeFlow({ ...request, scopes: [bomb.slice(0, 100_000)] }));
  await eachBomb((bomb) =>
    app.initiateAuthCodeFlow({ ...request, redirectUri: `https://x.example/${bomb.slice(0, 100_000)}` })
  );
  await eachBomb((bomb) => app.initiateAuthCodeFlow({ ...request, claims: bomb, tenantId: bomb }));
  await eachBomb((bomb) => app.acquireTokenSilent({ account: bomb, scopes: SCOPES }));
  await eachBomb((bomb) =>
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, tenantId: bomb })
  );
  await eachBomb((bomb) =>
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, correlationId: bomb })
  );
  assertEquals(entra.posts.length + entra.gets.length, 0);
});

test("R-189 flows, sealed flows and answers of 1 MB are refused in time", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  const sealed = await sealAuthCodeFlow(flow, SECRET);
  await eachBomb(refused((bomb) => openAuthCodeFlow(bomb, SECRET)));
  await eachBomb(refused((bomb) => openAuthCodeFlow(`${sealed.slice(0, 11)}${bomb}`, SECRET)));
  await eachBomb(
    refused((bomb) => sealAuthCodeFlow({ ...flow, appState: bomb, codeVerifier: bomb }, SECRET)),
  );
  await eachBomb(refused((bomb) => app.acquireTokenByAuthCodeFlow(flow, bomb)));
  await eachBomb(refused((bomb) => app.acquireTokenByAuthCodeFlow(flow, `${REDIRECT_URI}?${bomb}`)));
  await eachBomb(refused((bomb) => app.acquireTokenByAuthCodeFlow(flow, { state: bomb, code: bomb })));
  await eachBomb(refused((bomb) =>
    app.acquireTokenByAuthCodeFlow(flow, {
      state: flow.state,
      error: bomb,
      error_description: bomb,
      iss: bomb,
    })
  ));
  const many = new URLSearchParams(Array.from({ length: 100_000 }, (_, n) => [`x${n}`, "1"]));
  assert(
    await timed(() => refused((all: URLSearchParams) => app.acquireTokenByAuthCodeFlow(flow, all))(many)) <
      LIMIT_MS,
  );
  assertEquals(entra.posts.length, 0);
});

test("R-189 R-196 tokens and client_info of 1 MB are refused in time", async () => {
  const fail = (): never => {
    throw Object.assign(new Error(), { [Symbol.for("@msal-edge/msal.AuthError")]: true });
  };
  await eachBomb(refused((bomb) => parseCompact(bomb, fail)));
  await eachBomb(
    refused((bomb) =>
      parseCompact(`${bomb.slice(0, 5_000)}.${bomb.slice(0, 5_000)}.${bomb.slice(0, 5_000)}`, fail)
    ),
  );
  await eachBomb((bomb) => assertEquals(readClientInfo(bomb), undefined));
});

test("R-196 token answers and documents that are large or 100 000 deep are refused by errors of the library, or read", async () => {
  const deep = (open: string, close: string, n = 100_000): string => `${open.repeat(n)}1${close.repeat(n)}`;
  const json = (text: string) => (): Response =>
    new Response(text, { headers: { "content-type": "application/json" } });
  const entra = entraDouble();
  const app = entra.confidential();
  const bodies = [
    deep("[", "]"),
    deep('{"a":', "}"),
    `{"token_type":"Bearer","access_token":"x","scope":${deep("[", "]")}}`,
    `{"error":${deep("[", "]")},"error_codes":${deep("[", "]", 50_000)}}`,
    `{"error":"x","error_codes":[${"1,".repeat(100_000)}1]}`,
    `{${'"a":1,'.repeat(100_000)}"error":"x"}`,
    `{"error":"x","error_description":${JSON.stringify("AADSTS".repeat(100_000))}}`,
    `{"error":"x","error_description":${JSON.stringify(BOMBS['"\\\\"']!.slice(0, 400_000))}}`,
    "x".repeat(2 * MB),
  ];
  for (const body of bodies) {
    const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
    entra.next(json(body));
    assert(await timed(() => entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)))) < LIMIT_MS);
  }
  for (const body of [...bodies.slice(0, 2).map((text) => text.slice(0, 200_000)), deep("[", "]", 100_000)]) {
    for (const text of [body, `{"keys":[],"x":${body}}`, `{"keys":${body}}`]) {
      const cold = entraDouble();
      cold.documents = json(text) as Any;
      const one = cold.confidential();
      const flow = await one.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
      assert(await timed(() => cold.settle(one.acquireTokenByAuthCodeFlow(flow, callback(flow)))) < LIMIT_MS);
      assertEquals(cold.posts.length, 0);
    }
  }
});

test("a granted scope of 500 kB is kept or not, and later calls are as quick as before", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const scope = Array.from({ length: 50_000 }, (_, n) => `s${n}`).join(" ");
  const flow = await app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI });
  entra.next(await entra.answer({ nonce: nonceOf(flow) }, { scope }));
  assert(await timed(() => entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)))) < LIMIT_MS);
  const ms = await timed(async () => {
    for (let n = 0; n < 200; n++) await app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES });
  });
  assert(ms < LIMIT_MS, `${ms}`);
});

test("R-195 claims that are 10 000 deep are refused or sent, whichever way they come", async () => {
  const bomb = `${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}`;
  const deep: Any = {};
  for (let at = deep, n = 0; n < 10_000; n++) at = at.a = {};
  const round: Any = {};
  round.self = round;
  for (
    const claims of [bomb, deep, round, { toJSON: () => "x" }, { a: 1n }, {
      get a() {
        throw new Error("x");
      },
    }] as Any[]
  ) {
    for (const clientCapabilities of [[], ["cp1"]]) {
      const entra = entraDouble();
      const app = entra.public({ clientCapabilities });
      await timed(() => app.initiateAuthCodeFlow({ scopes: SCOPES, redirectUri: REDIRECT_URI, claims }));
      await timed(() =>
        entra.settle(app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, claims }))
      );
      await timed(() =>
        app.acquireTokenByAuthorizationCode({
          scopes: SCOPES,
          redirectUri: REDIRECT_URI,
          code: "c",
          codeVerifier: "v",
          claims,
          tenantId: "../x",
        })
      );
    }
  }
});

test("R-124 a cache of 1 MB of anything is refused or read in time", async () => {
  await eachBomb((bomb) => new TokenCache().deserialize(bomb));
  await eachBomb((bomb) =>
    new TokenCache().deserialize(
      JSON.stringify({ AccessToken: { [bomb.slice(0, 100_000)]: { secret: bomb, target: bomb } } }),
    )
  );
});
