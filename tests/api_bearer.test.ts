/** What a request brings as its token; RFC 6750 sections 2 and 3. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import { AccessTokenError } from "../src/errors/access_token_error.ts";
import { bearerTokenOf } from "../src/web/bearer_token.ts";
import { API, apiScene, takeApart } from "./support/api_scene.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

/** A header, the status and the error of the challenge. */
type Row = readonly [header: string | undefined, status: number, error?: string];

const REFUSED: Readonly<Record<string, Row>> = {
  "no header": [undefined, 401],
  "an empty one": ["", 401],
  "spaces": ["   ", 401],
  "the scheme alone": ["Bearer", 401],
  "the scheme and a space": ["Bearer ", 401],
  "another scheme": ["Basic dXNlcjpwYXNz", 401],
  "another scheme with a JSON Web Token": ["Basic eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 401],
  "DPoP": ["DPoP eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 401],
  "a scheme that begins alike": ["BearerX token", 401],
  "a scheme that ends alike": ["XBearer token", 401],
  "a token without a scheme": ["eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 401],
  "percent signs": ["Bearer %%", 401, "invalid_token"],
  "two spaces": ["Bearer  token", 400, "invalid_request"],
  "a tab": ["Bearer\ttoken", 400, "invalid_request"],
  "two tokens": ["Bearer one two", 400, "invalid_request"],
  "two tokens and a comma": ["Bearer one, Bearer two", 400, "invalid_request"],
  "two tokens and a comma alone": ["Bearer one,two", 400, "invalid_request"],
  "another scheme behind": ["Bearer one, Basic two", 400, "invalid_request"],
  "another scheme before": ["Basic one, Bearer two", 401],
  "a token in quotes": ['Bearer "token"', 401, "invalid_token"],
  "parameters": ['Bearer token="x"', 401, "invalid_token"],
  "an equals sign within": ["Bearer to=ken", 401, "invalid_token"],
  "Latin letters": ["Bearer t\u00f6ken", 401, "invalid_token"],
  "20 kB": [`Bearer ${"a".repeat(20_000)}`, 400, "invalid_request"],
  "20 kB of another scheme": ["a".repeat(20_000), 401],
  "no JSON Web Token": ["Bearer token", 401, "invalid_token"],
  "a JSON Web Token of nobody": ["Bearer eyJhbGciOiJSUzI1NiJ9.e30.AAAA", 401, "invalid_token"],
  "dots alone": ["Bearer ..", 401, "invalid_token"],
  "undefined": ["Bearer undefined", 401, "invalid_token"],
};
for (const [name, [header, status, error]] of Object.entries(REFUSED)) {
  test(`R-151 Authorization is refused with a challenge, and nothing is sent: ${name}`, async () => {
    const one = apiScene();
    const answer = await one.call(header);
    assertEquals([answer.status, answer.challenge?.error], [status, error]);
    assertEquals(answer.challenge?.realm, "");
    assertEquals(answer.headers.get("cache-control"), "no-store");
    assertEquals(typeof answer.body.error_description, "string");
    assertEquals(one.callers.length, 0);
    assertEquals(one.scene.authority.requests.length, 0);
  });
}

test("R-151 a request without a token gets a challenge without an error, and is told nothing more", async () => {
  const { headers, body } = await apiScene().call(undefined, { scopes: ["Secret.Permission"] });
  const challenge = headers.get("www-authenticate") ?? "";
  assert(challenge.startsWith('Bearer realm="", authorization_uri="https://login.microsoftonline.com/'));
  for (const word of ["error", "scope", "claims", "Secret"]) assertFalse(challenge.includes(word), word);
  assertEquals(Object.keys(body), ["error", "error_description"]);
});

for (const scheme of ["Bearer", "bearer", "BEARER", "bEaReR"]) {
  test(`R-151 the scheme is known in any case: ${scheme}`, async () => {
    const one = apiScene();
    assertEquals((await one.call(`${scheme} ${await one.token()}`)).status, 200);
  });
}

test("R-151 a good token twice is refused, in one header or in two", async () => {
  const one = apiScene();
  const token = await one.token();
  const route = one.api.protect(() => new Response("in"), { scopes: ["Orders.Read"] });
  const headers = new Headers({ authorization: `Bearer ${token}` });
  headers.append("authorization", `Bearer ${token}`);
  assertEquals((await takeApart(await route(new Request(API, { headers })))).status, 400);
  assertEquals((await one.call(`Bearer ${token} ${token}`)).status, 400);
  assertEquals((await one.call(`Bearer ${token},`)).status, 400);
});

test("R-152 a token in the query or in a form is ignored", async () => {
  const one = apiScene();
  const access_token = await one.token();
  const route = one.api.protect(() => new Response("in"), { scopes: ["Orders.Read"] });
  const requests = [
    new Request(`${API}/orders?access_token=${access_token}`),
    new Request(`${API}/orders`, { method: "POST", body: new URLSearchParams({ access_token }) }),
    new Request(`${API}/orders`, { headers: { cookie: `access_token=${access_token}` } }),
  ];
  for (const request of requests) {
    const { status, challenge } = await takeApart(await route(request));
    assertEquals([status, challenge?.error], [401, undefined]);
    assertFalse(request.bodyUsed);
  }
});

/** Texts that headers may have. */
const headerText = fc.array(
  fc.oneof(
    fc.constantFrom(
      "Bearer",
      "bearer ",
      " ",
      "\t",
      ",",
      "=",
      "==",
      "a.b.c",
      '"',
      "\\",
      "%",
      "Basic ",
      "~+/-_.",
    ),
    fc.string({ maxLength: 20 }),
  ),
  { maxLength: 40 },
).map((parts) => parts.join(""));

test("R-151 R-189 whatever a header holds, it is one word or an error of 400 or 401", () => {
  fc.assert(
    fc.property(headerText, (header) => {
      try {
        const token = bearerTokenOf({ get: () => header });
        assertEquals(header.slice(7), token);
        assert(/^bearer $/i.test(header.slice(0, 7)) && /^[^ ,]+$/.test(token));
      } catch (error) {
        assert(error instanceof AccessTokenError, String(error));
        assert(error.status === 401 || (error.status === 400 && error.error === "invalid_request"));
        if (header.length > 20) assertFalse(error.message.includes(header));
      }
    }),
    { numRuns: 2_000 },
  );
});

for (const junk of [" ", "=", "/", "a", "Bearer ", "\t", "a=", ","]) {
  for (const scheme of ["Bearer ", "Bearer", ""]) {
    test(`R-189 a megabyte is read in linear time: ${JSON.stringify(scheme + junk)}`, () => {
      const header = scheme + junk.repeat(Math.ceil(1_000_000 / junk.length));
      assertThrows(() => bearerTokenOf({ get: () => header }), AccessTokenError);
    });
  }
}
