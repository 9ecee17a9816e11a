/** Tokens with extra components, such as those of an `fmiPath`: kept apart, and named as MSAL Python names them. */
import { assertEquals, assertNotEquals, assertRejects } from "@std/assert";
import { ClientConfigurationError, type ClientCredentialRequest } from "../mod.ts";
import { accessTokensOf, document, type Entry, nodeEntry, pythonEntry } from "./support/documents.ts";
import { test } from "./support/suite.ts";
import { bench, cached, eachRow, SCOPES } from "./support/token_server.ts";

type Request = Partial<ClientCredentialRequest>;

/** What a request's token is written as. */
async function written(request: Request): Promise<[string, Entry]> {
  const { ask, tokenCache } = cached();
  await ask(request);
  const [entry] = Object.entries(accessTokensOf(tokenCache.serialize()));
  return entry!;
}

async function hashOf(request: Request): Promise<unknown> {
  return (await written(request))[1].ext_cache_key;
}

function body(extraBodyParameters: Record<string, string>): Request {
  return { extraBodyParameters };
}

test("E1 E2 E3 E5 E6 E7 E8 E10 E11 E13 the hash of extra components is MSAL Python's", async () => {
  const many = Object.fromEntries([3, 4, 5, 6, 7].map((n) => [`key${n}`, `value${n}`]));
  const rows: Record<string, [Request, string]> = {
    E1: [body({ key1: "value1", key2: "value2" }), "latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike"],
    E2: [body({ key3: "value3", key4: "value4" }), "jjoe9jgfmdtnj0rzuetsqy7kzs2m1xfnjjxwsfxsrxq"],
    E3: [body(many), "prrdp31y37ufw3lo7hly0oimjjvg_34m9ji30ocu4tw"],
    E5: [body({ a: "b", cd: "e" }), "cybgactkrvlzlen1aiwzwl3ay5krkyixommrobc-ri4"],
    E6: [body({ ab: "c", d: "e" }), "xkikspvukoccjtrgeelj3xokgbldolathcckxz94pgi"],
    E7: [{ fmiPath: "value" }, "n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg"],
    E8: [body({ fmi_pat: "hvalue" }), "tjtm16m-suk2_bkniblr25lyuki40qyceco7knuyu0k"],
    E10: [{ fmiPath: "SomeFmiPath/FmiCredentialPath" }, "cojvfy5tzae3njpkvcebguvvx5vvmnj8hphqrbogjoi"],
    E11: [{ forwardedClientClaims: '{"a": 1}' }, "t_xfnlfnjjx5xywdwvvucxa13kpjhqos_byywc-d_cg"],
    E13: [body({ key2: "value2", key1: "value1" }), "latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike"],
  };
  await eachRow(rows, async ([request, hash]) => assertEquals(await hashOf(request), hash));
});

test("E12 what is empty or no component makes no extended entry", async () => {
  const rows: Record<string, Request> = {
    "nothing": {},
    "empty objects": { extraBodyParameters: {}, extraQueryParameters: {} },
    // RFC 6749 section 3.2: a parameter without a value counts as left out.
    "an empty value": body({ a: "" }),
    "claims": { claims: { access_token: {} } },
  };
  await eachRow(rows, async (request) => {
    const [key, entry] = await written(request);
    assertEquals([entry.ext_cache_key, key.includes("-accesstoken-")], [undefined, true]);
  });
  // MSAL Python leaves the names of the protocol out; here they are refused.
  for (const name of ["claims", "fmi_path", "client_claims", "grant_type", "SCOPE"]) {
    await assertRejects(
      () => bench().ask(body({ [name]: "x" })),
      ClientConfigurationError,
      "set by the library",
    );
  }
});

test("E15 texts that join alike have different hashes", async () => {
  const rows: Record<string, [Request, Request]> = {
    "length in a value": [body({ a: "5:hello" }), body({ a5: "hello" })],
    "separators": [body({ x: "1:y1:z" }), body({ x: "1:y", 1: "z" })],
    "composition": [{ fmiPath: "é" }, { fmiPath: "e\u0301" }],
    "case": [{ fmiPath: "A" }, { fmiPath: "a" }],
    "query and body": [body({ a: "b" }), { extraQueryParameters: { a: "b" } }],
    "query and body named alike": [body({ "?a": "b" }), { extraQueryParameters: { a: "b" } }],
    "path and body": [{ fmiPath: "b" }, body({ fmi_pat: "hb" })],
  };
  await eachRow(rows, async ([one, two]) => assertNotEquals(await hashOf(one), await hashOf(two)));
});

test("E16 E17 E18 the key of an extended entry is atext, with the hash at its end", async () => {
  const [key, entry] = await written(body({ key1: "value1", key2: "value2" }));
  const tail = "my_client-contoso.onmicrosoft.com-https://graph.microsoft.com/.default";
  assertEquals(
    key,
    `-login.microsoftonline.com-atext-${tail}-latlwkpewb_a0rcsmjvkecqt0_huumkw4sflzociike`,
  );
  assertEquals(entry.credential_type, "AccessToken");
  assertEquals((await written({}))[0], `-login.microsoftonline.com-accesstoken-${tail}`);
});

test("A65 a path that is no text is refused before anything is sent", async () => {
  for (const fmiPath of [123, true, ["a"], {}, new Uint8Array(1), "", null]) {
    const { ask, server } = bench();
    await assertRejects(() => ask({ fmiPath: fmiPath as never }), ClientConfigurationError);
    assertEquals(server.requests.length, 0);
  }
});

test("A66 A67 A69 a path is sent, and its token is cached", async () => {
  const { ask, server } = bench();
  await ask({ fmiPath: "SomeFmiPath/FmiCredentialPath" });
  const { form } = server.requests[0]!;
  assertEquals([form.get("fmi_path"), form.get("grant_type")], [
    "SomeFmiPath/FmiCredentialPath",
    "client_credentials",
  ]);
  assertEquals((await ask({ fmiPath: "SomeFmiPath/FmiCredentialPath" })).tokenSource, "cache");
  assertEquals(server.requests.length, 1);
});

test("A70 tokens of two paths are kept apart", async () => {
  const { ask } = bench();
  const results = [];
  for (const fmiPath of ["PathA/credential", "PathB/credential", "PathA/credential", "PathB/credential"]) {
    results.push(await ask({ fmiPath }));
  }
  assertEquals(results.map(({ accessToken }) => accessToken), ["AT 1", "AT 2", "AT 1", "AT 2"]);
  assertEquals(results[2]?.tokenSource, "cache");
});

test("A71 E20 plain and extended tokens do not see each other, whichever comes first", async () => {
  for (const [first, second] of [[{ fmiPath: "a" }, {}], [{}, { fmiPath: "a" }]] as [Request, Request][]) {
    const { ask, server } = bench();
    await ask(first);
    assertEquals((await ask(second)).accessToken, "AT 2");
    assertEquals([(await ask(first)).accessToken, (await ask(second)).accessToken], ["AT 1", "AT 2"]);
    assertEquals(server.requests.length, 2);
  }
});

test("E20 an extended entry of a document answers its own components and nothing else", async () => {
  const hash = "n_lucewkadzv_nybtg-2wtorgf2nrns6ihlfa7vbuzg";
  const rows: Record<string, Entry> = {
    "MSAL Python 1.38": pythonEntry({ ext_cache_key: hash, secret: "fmi_token" }),
    "MSAL Node 7": nodeEntry({ additionalCacheKeyComponents: { fmi_path: "value" }, secret: "fmi_token" }),
    "MSAL.NET": nodeEntry({ ext: { fmi_path: "value" }, secret: "fmi_token" }),
  };
  await eachRow(rows, async (entry) => {
    const { ask, tokenCache, server } = cached();
    tokenCache.deserialize(document({ fmi: entry, plain: pythonEntry({ secret: "regular_token" }) }));
    assertEquals((await ask()).accessToken, "regular_token");
    assertEquals((await ask({ fmiPath: "value" })).accessToken, "fmi_token");
    assertEquals((await ask({ fmiPath: "value" })).accessToken, "fmi_token");
    assertEquals(server.requests.length, 0);
    assertEquals((await ask({ fmiPath: "valu" })).accessToken, "AT 1");
    // Asked for by its hash alone, it is still written as it was.
    assertEquals(accessTokensOf(tokenCache.serialize()).fmi, entry);
  });
});

test("E20 hashes of the other two formulas are known, too", async () => {
  // msal-node-dotnet.md 2.5 and 2.8: MSAL Python 1.36 and .NET join without lengths, MSAL Node hashes the JSON.
  const rows = {
    "MSAL.NET, MSAL Python 1.36": "zl7jaw0gyg7i6gif4rjezmr7ba4n68orslwrke-a1lw",
    "MSAL Node 5.6 to 7.2": "i6ufsungkjzcpsxareif4vlmurc-xz7cwba-lo_l6re",
    "MSAL Python 1.38": "a0ry_zl4gccsdp7gnw927x8s0mrmnodv6tyilt0u07m",
  };
  await eachRow(rows, async (hash) => {
    const { ask, tokenCache, server } = cached();
    tokenCache.deserialize(document({ k: pythonEntry({ ext_cache_key: hash }) }));
    assertEquals((await ask({ fmiPath: "agent-app-id" })).accessToken, "an app token");
    assertEquals(server.requests.length, 0);
  });
});

test("R-117 paths of any text are kept apart", async () => {
  const paths = [
    ..."a|b|a|b".split("|"),
    "a\0",
    "a\n",
    "\n",
    "|",
    "-",
    "=8:fmi_path1:a",
    "__proto__",
    "constructor",
    "x".repeat(600),
    `${"x".repeat(600)}y`,
    "\u{1f600}",
    "é",
    "e\u0301",
  ];
  const { app, server } = bench();
  const tokens = new Map<string, string>();
  for (const fmiPath of [...paths, ...paths]) {
    const { accessToken } = await app.acquireTokenForClient({ scopes: SCOPES, fmiPath });
    assertEquals(tokens.get(fmiPath) ?? accessToken, accessToken);
    tokens.set(fmiPath, accessToken);
  }
  assertEquals(new Set(tokens.values()).size, new Set(paths).size);
  assertEquals(server.requests.length, new Set(paths).size);
});

test("R-117 R-188 paths of any text are kept apart by a document, too", async () => {
  const paths = [
    "\ufeffa",
    "a",
    "a\ufeff",
    "\ufeff",
    "a\0",
    "1:a",
    "é",
    "e\u0301",
    "\u{1f600}",
    "a\n",
    " a",
    "x".repeat(600),
  ];
  const requests: Request[] = [
    ...paths.map((fmiPath) => ({ fmiPath })),
    ...["__proto__", "constructor", "toString"].map((name) => body(JSON.parse(`{"${name}":"x"}`))),
    {},
  ];
  const one = cached();
  const tokens = [];
  for (const request of requests) tokens.push((await one.ask(request)).accessToken);
  const two = cached();
  two.tokenCache.deserialize(one.tokenCache.serialize());
  two.server.otherwise({ access_token: "a new one" });
  const found = [];
  for (const request of requests) found.push((await two.ask(request)).accessToken);
  assertEquals(found, tokens);
});
