/** How a client proves who it is. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type ClientCredential,
  ConfidentialClientApplication,
  type CredentialContext,
  PublicClientApplication,
} from "../mod.ts";
import {
  answer,
  AUTHORITY,
  CLIENT_ID,
  CORRELATION_ID,
  discovery,
  errorAnswer,
  failure,
  fixture,
  ISSUER,
  OIDC,
  oidcScript,
  SCOPE,
  settle,
  TENANT,
  thrown,
  TOKEN_ENDPOINT,
  tokenAnswer,
} from "./support/app_fixture.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const PEM = "-----BEGIN CERTIFICATE-----\nMIIBszCCAVmgAwIBAgIUXg\n-----END CERTIFICATE-----";
const KEY = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0B\n-----END PRIVATE KEY-----";
const OPTIONS = { clientId: CLIENT_ID, authority: AUTHORITY };

/** Credentials that are none: found when the client is made, or when a function returns one. */
const WRONG: readonly [string, unknown][] = [
  ["an empty secret", ""],
  ["white space", " \t\n"],
  ["the text undefined", "undefined"],
  ["the text null", "null"],
  ["a secret with a space before it", " secret"],
  ["a secret with a line break after it", "secret\n"],
  ["a secret with a tab after it", "secret\t"],
  ["a certificate in PEM", PEM],
  ["a key in PEM", KEY],
  ["PEM with text before it", `Bag Attributes\n${KEY}`],
  ["a number", 5],
  ["a boolean", true],
  ["an empty object", {}],
  ["an empty list", []],
  ["a Map", new Map([["clientSecret", "secret"]])],
  ["bytes", new TextEncoder().encode("secret")],
  ["a secret that is null", { clientSecret: null }],
  ["a secret that is a number", { clientSecret: 5 }],
  ["a secret that is empty", { clientSecret: "" }],
  ["a secret that is PEM", { clientSecret: PEM }],
  ["a secret that is a promise", { clientSecret: Promise.resolve("secret") }],
  ["a method that does not exist", { clientSecret: "secret", method: "private_key_jwt" }],
  ["a method that is null", { clientSecret: "secret", method: null }],
  ["a method in another case", { clientSecret: "secret", method: "CLIENT_SECRET_POST" }],
];
for (const [what, wrong] of WRONG) {
  test(`R-168 R-175 ${what} is no credential: refused when the client is made, without repeating it`, () => {
    const error = thrown(() =>
      new ConfidentialClientApplication({ ...OPTIONS, clientCredential: wrong as ClientCredential })
    );
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_client_credential",
      "clientCredential",
    ]);
    assert(!error.message.includes("MII"));
  });

  test(`R-168 ${what} from a function: refused, and nothing is sent`, async () => {
    const { refused, http, clock } = fixture([tokenAnswer()], { clientCredential: () => wrong as string });
    const error = await refused();
    assertEquals([error.code, "option" in error && error.option], [
      "invalid_client_credential",
      "clientCredential",
    ]);
    assertEquals([http.requests.length, clock.pending], [0, 0]);
  });
}

test("R-168 no credential is an error that says so", () => {
  for (const clientCredential of [undefined, null]) {
    const options = { ...OPTIONS, clientCredential: clientCredential as unknown as string };
    assertEquals(thrown(() => new ConfidentialClientApplication(options)).code, "missing_client_credential");
  }
});

test("R-168 a function that returns nothing, or another function, gave no credential", async () => {
  for (
    const clientCredential of [() => undefined, () => null, () => () => "secret", async () => await undefined]
  ) {
    const { refused, http } = fixture([], {
      clientCredential: clientCredential as unknown as ClientCredential,
    });
    assertEquals([(await refused()).code, http.requests.length], ["invalid_client_credential", 0]);
  }
});

for (const name of ["clientCredential", "clientSecret"]) {
  test(`R-168 a public client refuses ${name}, without repeating it`, () => {
    for (const value of ["s3cr3t-canary", "", { clientSecret: "s3cr3t-canary" }, () => "s3cr3t-canary"]) {
      const error = thrown(() => new PublicClientApplication({ ...OPTIONS, [name]: value }));
      assertEquals([error.code, "option" in error && error.option], ["unexpected_client_credential", name]);
      assert(!error.message.includes("s3cr3t-canary"));
    }
  });
}

const SHAPES: [string, ClientCredential][] = [
  ["a string", "sec ret+&=%/é"],
  ["{ clientSecret }", { clientSecret: "sec ret+&=%/é" }],
  ["{ clientSecret, method }", { clientSecret: "sec ret+&=%/é", method: "client_secret_post" }],
  ["{ clientSecret: function }", { clientSecret: () => "sec ret+&=%/é" }],
  ["{ clientSecret: async function }", { clientSecret: async () => await Promise.resolve("sec ret+&=%/é") }],
  ["a function of a string", () => "sec ret+&=%/é"],
  ["an async function of a string", async () => await Promise.resolve("sec ret+&=%/é")],
  ["a function of a shape", () => ({ clientSecret: "sec ret+&=%/é" })],
  ["a function of a shape with a function", () => ({ clientSecret: () => "sec ret+&=%/é" })],
];
for (const [what, clientCredential] of SHAPES) {
  test(`R-168 ${what}: the secret is in the form, encoded, and nowhere else`, async () => {
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
    await acquire();
    const [request] = http.requests;
    assertEquals(request?.form.get("client_secret"), "sec ret+&=%/é");
    assertStringIncludes(request!.body, "client_secret=sec+ret%2B%26%3D%25%2F%C3%A9");
    assertEquals(request?.headers.get("authorization"), null);
    assertEquals(request?.form.has("client_assertion"), false);
  });
}

const BASIC: [string, string, string][] = [
  ["client", "secret", "client:secret"],
  ["cli:ent", "sec:ret", "cli%3Aent:sec%3Aret"],
  ["client", "a b+c%d&e=f/g", "client:a+b%2Bc%25d%26e%3Df%2Fg"],
  ["client", "pässwörd\u{1f600}", "client:p%C3%A4ssw%C3%B6rd%F0%9F%98%80"],
  ["client", "-._*", "client:-._*"],
];
for (const [clientId, clientSecret, decoded] of BASIC) {
  test(`R-168 client_secret_basic form-encodes both parts: ${decoded}`, async () => {
    const { acquire, http } = fixture([tokenAnswer()], {
      clientId,
      clientCredential: { clientSecret, method: "client_secret_basic" },
    });
    await acquire();
    const [request] = http.requests;
    const [scheme, encoded = ""] = request?.headers.get("authorization")?.split(" ") ?? [];
    assertEquals([scheme, atob(encoded)], ["Basic", decoded]);
    assertEquals([request?.form.has("client_secret"), request?.form.get("client_id")], [false, clientId]);
  });
}

/** Names of the members, so that a context tells what it is documented to tell and no more. */
const CONTEXT: CredentialContext = {
  clientId: CLIENT_ID,
  authority: `https://login.microsoftonline.com/${TENANT}`,
  authorityType: "aad",
  tenantId: TENANT,
  tokenEndpoint: TOKEN_ENDPOINT,
  correlationId: CORRELATION_ID,
};

test("R-168 A89 A90 the function is told client, tenant, endpoint, correlation id, and fmiPath where there is one", async () => {
  const seen: CredentialContext[] = [];
  const note = (context: CredentialContext): string => {
    seen.push(context);
    return "secret";
  };
  for (const clientCredential of [note, { clientSecret: note }]) {
    const { acquire } = fixture([tokenAnswer(), tokenAnswer(), tokenAnswer()], { clientCredential });
    const correlationId = CORRELATION_ID;
    await acquire({ correlationId });
    await acquire({ correlationId, fmiPath: "a/b" });
    await acquire({ correlationId, tenantId: "Other.Example", extraQueryParameters: { dc: "x" } });
  }
  const other = TOKEN_ENDPOINT.replace(TENANT, "other.example");
  const expected = [
    CONTEXT,
    { ...CONTEXT, fmiPath: "a/b" },
    {
      ...CONTEXT,
      authority: "https://login.microsoftonline.com/other.example",
      tenantId: "other.example",
      tokenEndpoint: other,
    },
  ];
  assertEquals(seen, [...expected, ...expected]);
  assertEquals(seen.map((context) => Object.keys(context).length), [6, 7, 6, 6, 7, 6]);
});

test("R-168 for a generic issuer the function is told the discovered endpoint", async () => {
  const seen: string[] = [];
  const clientCredential = ({ tokenEndpoint, tenantId }: CredentialContext): string => {
    seen.push(tokenEndpoint, tenantId);
    return "secret";
  };
  const { acquire } = fixture(oidcScript(() => jsonResponse(discovery())), { ...OIDC, clientCredential });
  await acquire();
  assertEquals(seen, [`${ISSUER}/token`, "realms/main"]);
});

test("R-168 A60 A91 the function is called once for each request that is sent, never for a hit, and may rotate", async () => {
  let calls = 0;
  const { app, acquire, http, clock } = fixture(() => tokenAnswer(), {
    clientCredential: () => `secret-${++calls}`,
  });
  await settle(
    clock,
    Promise.all(Array.from({ length: 20 }, () => app.acquireTokenForClient({ scopes: [SCOPE] }))),
  );
  await acquire();
  assertEquals(calls, 1);
  await acquire({ scopes: ["api://two/.default"] });
  assertEquals(http.requests.map(({ form }) => form.get("client_secret")), ["secret-1", "secret-2"]);
});

test("R-168 making a client calls no function and sends nothing", () => {
  let calls = 0;
  const { http } = fixture([], { clientCredential: () => `secret-${++calls}` });
  assertEquals([calls, http.requests.length], [0, 0]);
});

const FAILING: [string, () => unknown][] = [
  ["throws an Error", () => {
    throw new RangeError("canary-s3cr3t");
  }],
  ["throws a string", () => {
    throw "canary-s3cr3t";
  }],
  ["throws undefined", () => {
    throw undefined;
  }],
  ["throws an object", () => {
    throw { secret: "canary-s3cr3t" };
  }],
  ["rejects", () => Promise.reject(new Error("canary-s3cr3t"))],
  ["rejects with null", () => Promise.reject(null)],
  ["throws a TypeError from inside (A92)", () => (undefined as unknown as { x: string }).x],
  ["gives a thenable that throws", () => ({
    then() {
      throw new Error("canary-s3cr3t");
    },
  })],
  ["throws an Error whose name throws", () => {
    throw Object.defineProperty(new Error("canary-s3cr3t"), "name", {
      get() {
        throw new Error("canary-s3cr3t");
      },
    });
  }],
];
for (const [what, fn] of FAILING) {
  test(`R-168 R-186 a function that ${what}: client_credential_failed, without what it said, and nothing is sent`, async () => {
    for (const clientCredential of [fn, { clientSecret: fn }]) {
      const { refused, http, clock } = fixture([], {
        clientCredential: clientCredential as ClientCredential,
      });
      const error = await refused({ correlationId: CORRELATION_ID });
      assertEquals([error.name, error.code], ["ClientAuthError", "client_credential_failed"]);
      assertEquals([error.correlationId, error.cause], [CORRELATION_ID, undefined]);
      assert(!`${error.message} ${error.stack} ${JSON.stringify(error)}`.includes("canary-s3cr3t"));
      assertEquals([http.requests.length, clock.pending], [0, 0]);
    }
  });
}

test("R-168 a function that hangs ends with the token deadline, and its late answer is ignored", async () => {
  let late = (_: string): void => {};
  const clientCredential = () => new Promise<string>((resolve) => late = resolve);
  const { app, clock, http } = fixture([], { clientCredential, timeoutMs: 3_000 });
  const call = failure(app.acquireTokenForClient({ scopes: [SCOPE] }));
  await clock.advance(2_999);
  assertEquals(clock.pending, 1);
  await clock.advance(1);
  assertEquals([(await call).code, clock.pending], ["client_credential_failed", 0]);
  late("secret");
  await clock.advance(0);
  assertEquals(http.requests.length, 0);
});

test("R-168 a function that failed is asked again by the next call", async () => {
  let calls = 0;
  const clientCredential = (): string => {
    if (++calls === 1) throw new Error("vault sealed");
    return "secret";
  };
  const { refused, acquire } = fixture([tokenAnswer()], { clientCredential });
  await refused();
  assertEquals((await acquire()).accessToken, "AT");
});

test("R-168 a credential that was refused is not kept: after a rotation the next call is sent", async () => {
  let calls = 0;
  const clientCredential = () => `secret-${++calls}`;
  const { refused, acquire } = fixture([errorAnswer(401, "invalid_client"), tokenAnswer()], {
    clientCredential,
  });
  await refused();
  assertEquals((await acquire()).accessToken, "AT");
});

// Entra answers invalid_client with 401, RFC 6749 allows 400, and many issuers do that. The secret is no part of the
// throttle key here, so the good secret would wait for a minute; MSAL Python's key has the secret.
test("R-168 R-180 an invalid_client with status 400 does not lock out the next secret", async () => {
  let calls = 0;
  const clientCredential = () => `secret-${++calls}`;
  const { refused, acquire } = fixture([errorAnswer(400, "invalid_client"), tokenAnswer()], {
    clientCredential,
  });
  await refused();
  assertEquals((await acquire()).accessToken, "AT");
});

test("R-168 the caller's object is read once: changing it later changes nothing", async () => {
  const clientCredential = { clientSecret: "before" };
  const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
  clientCredential.clientSecret = "after";
  await acquire();
  assertEquals(http.requests[0]?.form.get("client_secret"), "before");
});

for (const tenant of ["common", "organizations", "consumers", "COMMON"]) {
  // MSAL Python only warns here (A41, A42); Entra refuses, and so do we, before anything is sent.
  test(`R-165 A41 A42 an app token from ${tenant} is refused before any request, by authority or by tenantId`, async () => {
    const shared = fixture([], { authority: `https://login.microsoftonline.com/${tenant}` });
    const error = await shared.refused();
    assertEquals([error.code, "option" in error && error.option], ["invalid_tenant", "authority"]);
    const { refused, http } = fixture([], {});
    const other = await refused({ tenantId: tenant });
    assertEquals([other.code, "option" in other && other.option], ["invalid_tenant", "tenantId"]);
    assertEquals([shared.http.requests.length, http.requests.length], [0, 0]);
  });
}

test("R-165 without an authority, common is meant, so a tenant must come with the request", async () => {
  const { refused, acquire, http } = fixture([tokenAnswer()], { authority: undefined });
  assertEquals((await refused()).code, "invalid_tenant");
  await acquire({ tenantId: TENANT });
  assertEquals(http.requests.map(({ url }) => url), [TOKEN_ENDPOINT]);
});

test("R-168 a refused credential costs one request and says what to mend", async () => {
  const body = JSON.stringify({ error: "invalid_client", error_codes: [7000215] });
  const { refused, http } = fixture([answer(401, body)]);
  const error = await refused();
  assert("hint" in error);
  assertStringIncludes(error.hint ?? "", "not its ID");
  assertEquals([http.requests.length, error.classification], [1, "configuration"]);
});
