/**
 * Documents that are meant to break a reader.
 *
 * @module
 */
import { fc } from "./property.ts";
import { NOW, pythonEntry } from "./documents.ts";

/** A user's entry of any section, with members that have broken readers before. */
const USER = JSON.stringify({
  home_account_id: "__proto__",
  environment: "constructor",
  client_id: "__proto__",
  realm: "__proto__",
  family_id: "__proto__",
  secret: `h.${btoa('{"__proto__":{"polluted":1},"iss":"i","sub":"s","aud":"a","exp":1,"iat":1}')}.s`,
  username: "__proto__",
});

/** Texts that have broken readers before, in the places where they may stand. */
export const HOSTILE: Readonly<Record<string, string>> = {
  "__proto__ at the top": `{"__proto__":{"polluted":1},"AccessToken":{"k":${JSON.stringify(pythonEntry())}}}`,
  "__proto__ as a section":
    `{"__proto__":{"AccessToken":{"x":${JSON.stringify(pythonEntry({ secret: "forged" }))}}},` +
    `"AccessToken":{"k":${JSON.stringify(pythonEntry())}}}`,
  "__proto__ as a key": `{"AccessToken":{"__proto__":{"polluted":1},"k":${JSON.stringify(pythonEntry())}}}`,
  "__proto__ in an entry": `{"AccessToken":{"k":{"__proto__":{"polluted":1,"secret":"forged"},${
    JSON.stringify(pythonEntry()).slice(1)
  }}}`,
  "constructor":
    `{"constructor":{"prototype":{"polluted":1}},"AccessToken":{"constructor":{"prototype":{"polluted":1}},` +
    `"k":${JSON.stringify(pythonEntry())}}}`,
  "a deep section": `{"Deep":${"[".repeat(10_000)}${"]".repeat(10_000)},"AccessToken":{"k":${
    JSON.stringify(pythonEntry())
  }}}`,
  "a deep entry": `{"AccessToken":{"deep":${'{"a":'.repeat(10_000)}1${"}".repeat(10_000)},"k":${
    JSON.stringify(pythonEntry())
  }}}`,
  "a deep field": `{"AccessToken":{"deep":{"secret":"x","home_account_id":${"[".repeat(10_000)}${
    "]".repeat(10_000)
  }},"k":${JSON.stringify(pythonEntry())}}}`,
  "hostile users": `{${
    ["Account", "RefreshToken", "IdToken", "AppMetadata"].map((section) =>
      `"${section}":{"__proto__":${USER},"constructor":${USER},"toString":7,"n":null,"l":[${USER}],` +
      `"deep":{"home_account_id":"u","environment":"h","client_id":"c","secret":"s","x":${
        "[".repeat(10_000)
      }${
        "]".repeat(10_000)
      }},"types":{"home_account_id":{"toString":1},"environment":["h"],"client_id":true,"username":{"valueOf":1},` +
      `"last_modification_time":{"toString":1},"secret":"s"},"p":{"__proto__":{"polluted":1},${
        USER.slice(1)
      }}`
    ).join(",")
  },"AccessToken":{"k":${JSON.stringify(pythonEntry())}}}`,
  "wrong sections": `{"Account":7,"IdToken":null,"RefreshToken":[],"AppMetadata":"x","AccessToken":{"k":${
    JSON.stringify(pythonEntry())
  }}}`,
};

const JWT = `h.${btoa('{"iss":"i","sub":"s","aud":"a","exp":1,"iat":1,"name":"J"}')}.s`;

/** Mostly what belongs into a field; now and then anything else. */
function mostly<T>(...fit: T[]): fc.Arbitrary<unknown> {
  const odd = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.double(), fc.maxSafeInteger(), fc.string());
  return fc.oneof({ arbitrary: fc.constantFrom(...fit), weight: 6 }, { arbitrary: odd, weight: 1 });
}
const time = mostly<unknown>(String(NOW), String(NOW + 3600), NOW + 3600, "0");
const entry = fc.record({
  credential_type: mostly("AccessToken"),
  secret: mostly("a", "b"),
  home_account_id: mostly(null, "", "uid.utid"),
  environment: mostly("login.microsoftonline.com", "login.windows.net", "idp.example.com"),
  client_id: mostly("my_client", "MY_CLIENT"),
  target: mostly("a b", "B a", "openid", ""),
  realm: mostly("contoso", "Contoso"),
  token_type: mostly("Bearer", "pop"),
  key_id: mostly("k"),
  ext_cache_key: mostly("h"),
  additionalCacheKeyComponents: mostly({ a: "b" }, {}),
  userAssertionHash: mostly("h"),
  requested_target: mostly("c"),
  cached_at: time,
  expires_on: time,
  extended_expires_on: time,
  refresh_on: time,
}, { requiredKeys: ["secret", "environment", "client_id", "target", "realm", "expires_on"] });
const user = fc.record({
  credential_type: mostly("RefreshToken", "IdToken", undefined),
  secret: mostly("a", "b", JWT),
  home_account_id: mostly("uid.utid", "UID.utid", "sub"),
  environment: mostly("login.microsoftonline.com", "login.windows.net", "idp.example.com"),
  client_id: mostly("my_client", "MY_CLIENT"),
  realm: mostly("contoso", "Contoso"),
  target: mostly("a", ""),
  family_id: mostly("1", ""),
  last_modification_time: mostly<unknown>("1000", 1000, "2000"),
  expires_on: time,
  local_account_id: mostly("o", null),
  username: mostly("John", ""),
  name: mostly("J"),
  authority_type: mostly("MSSTS"),
  account_source: mostly("x"),
  client_info: mostly("y"),
}, { requiredKeys: ["home_account_id", "environment", "client_id", "secret"] });
const name = fc.oneof(
  fc.string(),
  fc.constantFrom("__proto__", "constructor", "toString", "AccessToken", "k"),
);
const users = fc.dictionary(name, fc.oneof({ arbitrary: user, weight: 4 }, fc.jsonValue()));
/** Any text: not JSON, JSON, or a document with whatever in it. */
export const anyDocument: fc.Arbitrary<string> = fc.oneof(
  fc.string(),
  fc.json(),
  fc.record({ AccessToken: fc.dictionary(name, fc.oneof(entry, fc.jsonValue())), Other: fc.jsonValue() })
    .map((value) => JSON.stringify(value)),
  fc.record({ Account: users, RefreshToken: users, IdToken: users, AppMetadata: users }, { requiredKeys: [] })
    .map((value) => JSON.stringify(value)),
  fc.dictionary(name, fc.dictionary(name, entry)).map((value) => JSON.stringify(value)),
);
