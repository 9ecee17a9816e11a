/** What begins a sign-in, and the URL it begins at, section 2.3 of MSAL Python, rows Z3, Z9, Z45. */
import { assert, assertEquals, assertFalse } from "@std/assert";
import {
  type AuthorizationRequest,
  checkAuthorizationRequest,
} from "../src/request/authorization_request.ts";
import { type AuthorizationUrlParameters, buildAuthorizationUrl } from "../src/request/authorization_url.ts";
import { requireRedirectUri } from "../src/request/redirect_uri.ts";
import { thrown } from "./support/app_fixture.ts";
import { fc } from "./support/property.ts";
import { test } from "./support/suite.ts";

const ENDPOINT = "https://login.microsoftonline.com/tid/oauth2/v2.0/authorize";
const REDIRECT = "http://localhost:5000/cb";
const ENTRA = { isEntra: true, isPublic: false };
const CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

const request = (members: Record<string, unknown> = {}): AuthorizationRequest =>
  ({ scopes: ["User.Read"], redirectUri: REDIRECT, ...members }) as AuthorizationRequest;

function urlOf(
  members: Record<string, unknown> = {},
  own: Partial<AuthorizationUrlParameters> = {},
  endpoint = ENDPOINT,
): URL {
  const isEntra = own.isEntra ?? true;
  return new URL(buildAuthorizationUrl(endpoint, {
    ...checkAuthorizationRequest(request(members), { isEntra, isPublic: false }),
    clientId: "cid",
    state: "st",
    nonce: "hash",
    codeChallenge: CHALLENGE,
    claims: undefined,
    isEntra,
    ...own,
  }));
}

test("Z3 the URL of a sign-in says what MSAL's says", () => {
  const claims =
    '{"id_token": {"auth_time": {"essential": true}}, "access_token": {"xms_cc": {"values": ["CP1"]}}}';
  const url = urlOf({
    prompt: "login",
    loginHint: "a@b.c",
    domainHint: "organizations",
    maxAge: 0,
    responseMode: "form_post",
  }, { claims });
  assertEquals(
    url.href,
    `${ENDPOINT}?client_id=cid&response_type=code&redirect_uri=http%3A%2F%2Flocalhost%3A5000%2Fcb` +
      "&scope=User.Read+offline_access+openid+profile&state=st" +
      `&code_challenge=${CHALLENGE}&code_challenge_method=S256&nonce=hash&client_info=1&login_hint=a%40b.c` +
      "&prompt=login&domain_hint=organizations" +
      "&claims=%7B%22id_token%22%3A+%7B%22auth_time%22%3A+%7B%22essential%22%3A+true%7D%7D%2C+" +
      "%22access_token%22%3A+%7B%22xms_cc%22%3A+%7B%22values%22%3A+%5B%22CP1%22%5D%7D%7D%7D" +
      "&max_age=0&response_mode=form_post&X-AnchorMailbox=UPN%3Aa%40b.c",
  );
});

test("Z9 the URL without PKCE says what MSAL's says, and asks for client_info", () => {
  const url = urlOf(
    { scopes: ["s1"], loginHint: "a@b.c", domainHint: "consumers", prompt: "none", redirectUri: "https://l" },
    { state: "S", nonce: "N", codeChallenge: undefined },
  );
  assertEquals(Object.fromEntries(url.searchParams), {
    client_id: "cid",
    response_type: "code",
    redirect_uri: "https://l",
    scope: "offline_access openid profile s1",
    state: "S",
    nonce: "N",
    client_info: "1",
    login_hint: "a@b.c",
    prompt: "none",
    domain_hint: "consumers",
    "X-AnchorMailbox": "UPN:a@b.c",
  });
});

test("Z45 without scopes an ID token is asked for; what is absent is not in the URL", () => {
  assertEquals(Object.fromEntries(urlOf({ scopes: [] }).searchParams), {
    client_id: "cid",
    response_type: "code",
    redirect_uri: REDIRECT,
    scope: "offline_access openid profile",
    state: "st",
    code_challenge: CHALLENGE,
    code_challenge_method: "S256",
    nonce: "hash",
    client_info: "1",
  });
});

test("section 2.10 a generic issuer gets neither client_info nor X-AnchorMailbox", () => {
  const { searchParams } = urlOf({ loginHint: "a@b.c" }, { isEntra: false }, "https://idp.example/authorize");
  assertEquals([searchParams.get("client_info"), searchParams.get("X-AnchorMailbox")], [null, null]);
  assertEquals(searchParams.get("login_hint"), "a@b.c");
});

test("R-024 scopes of other APIs are consented to in one go, each once, and do not become the token's", () => {
  const members = { extraScopesToConsent: ["api://two/x", "user.read", "api://three/.default"] };
  assertEquals(
    urlOf(members).searchParams.get("scope"),
    "User.Read api://three/.default api://two/x offline_access openid profile",
  );
  assertEquals(checkAuthorizationRequest(request(members), ENTRA).scopes, ["User.Read"]);
});

test("R-025 excludeScopes holds for the URL", () => {
  assertEquals(
    urlOf({}, { excludeScopes: ["offline_access"] }).searchParams.get("scope"),
    "User.Read openid profile",
  );
});

test("R-022 the endpoint keeps its own query, and cannot say what the library says", () => {
  const url = urlOf({}, {}, `${ENDPOINT}?p=B2C_1_x&client_id=evil&state=evil&scope=evil&scope=worse`);
  assertEquals(url.searchParams.getAll("p"), ["B2C_1_x"]);
  for (const [name, value] of [["client_id", "cid"], ["state", "st"]] as const) {
    assertEquals(url.searchParams.getAll(name), [value]);
  }
  assertEquals(url.searchParams.getAll("scope").length, 1);
});

test("R-029 extra parameters are sent, and none can say what the library says", () => {
  assertEquals(
    urlOf({ extraQueryParameters: { dc: "ESTS-PUB", slice: "é&=" } }).searchParams.get("slice"),
    "é&=",
  );
  const reserved = "client_id redirect_uri response_type response_mode state nonce code_challenge " +
    "code_challenge_method scope claims request request_uri prompt login_hint domain_hint max_age client_info " +
    "id_token_hint code STATE Request Max_Age";
  for (const name of reserved.split(" ")) {
    const error = thrown(() => urlOf({ extraQueryParameters: { [name]: "x" } }));
    assertEquals([error.code, "option" in error && error.option], [
      "reserved_parameter",
      "extraQueryParameters",
    ], name);
  }
});

test("R-028 what the application keeps is not in the URL", () => {
  assertFalse(urlOf({ appState: "/return-here" }).href.includes("return-here"));
});

/** What a request may hold, and what becomes of it. */
const KEPT: Readonly<Record<string, [Record<string, unknown>, string, string | null]>> = {
  "one prompt": [{ prompt: "select_account" }, "prompt", "select_account"],
  "two prompts": [{ prompt: ["login", "consent"] }, "prompt", "login consent"],
  "a prompt twice": [{ prompt: ["login", "login"] }, "prompt", "login"],
  "create": [{ prompt: "create" }, "prompt", "create"],
  "none": [{ prompt: ["none"] }, "prompt", "none"],
  "no prompt": [{ prompt: undefined }, "prompt", null],
  "maxAge 0": [{ maxAge: 0 }, "max_age", "0"],
  "maxAge 3600": [{ maxAge: 3600 }, "max_age", "3600"],
  "response mode query": [{ responseMode: "query" }, "response_mode", "query"],
  "path case (R-030)": [
    { redirectUri: "https://A.example/CallBack" },
    "redirect_uri",
    "https://A.example/CallBack",
  ],
};
for (const [name, [members, parameter, value]] of Object.entries(KEPT)) {
  test(`the URL says it: ${name}`, () => assertEquals(urlOf(members).searchParams.get(parameter), value));
}

/** What a request may not hold. */
const REFUSED: Readonly<Record<string, [string, Record<string, unknown>]>> = {
  "an unknown prompt": ["prompt", { prompt: "ask" }],
  "prompts in one text": ["prompt", { prompt: "login consent" }],
  "none with another prompt": ["prompt", { prompt: ["none", "login"] }],
  "no prompt at all": ["prompt", { prompt: [] }],
  "an empty prompt": ["prompt", { prompt: "" }],
  "a prompt of null": ["prompt", { prompt: null }],
  "a prompt that is none": ["prompt", { prompt: [["login"]] }],
  "maxAge below 0": ["maxAge", { maxAge: -1 }],
  "half a second": ["maxAge", { maxAge: 0.5 }],
  "maxAge as a text": ["maxAge", { maxAge: "60" }],
  "maxAge NaN": ["maxAge", { maxAge: NaN }],
  "maxAge without end": ["maxAge", { maxAge: Infinity }],
  "maxAge null": ["maxAge", { maxAge: null }],
  "response mode fragment": ["responseMode", { responseMode: "fragment" }],
  "response mode of null": ["responseMode", { responseMode: null }],
  "a login hint that is no text": ["loginHint", { loginHint: 5 }],
  "an empty login hint": ["loginHint", { loginHint: "" }],
  "a domain hint that is no text": ["domainHint", { domainHint: {} }],
  "an appState that is no text": ["appState", { appState: { returnTo: "/" } }],
  "an extra scope that is reserved": ["extraScopesToConsent", { extraScopesToConsent: ["openid"] }],
  "extra scopes in one text": ["extraScopesToConsent", { extraScopesToConsent: "a b" }],
  "extra parameters that are no texts": ["extraQueryParameters", { extraQueryParameters: { a: 1 } }],
  "no scopes": ["scopes", { scopes: undefined }],
  "two APIs (R-024)": ["scopes", { scopes: ["User.Read", "api://x/y"] }],
  "no redirect URI": ["redirectUri", { redirectUri: undefined }],
};
for (const [name, [option, members]] of Object.entries(REFUSED)) {
  test(`a sign-in does not begin with: ${name}`, () => {
    const error = thrown(() => checkAuthorizationRequest(request(members), ENTRA));
    assertEquals([error.name, "option" in error && error.option], ["ClientConfigurationError", option]);
  });
}
for (const junk of [undefined, null, 5, "x", []]) {
  test(`a sign-in does not begin with nothing: ${JSON.stringify(junk)}`, () => {
    const error = thrown(() => checkAuthorizationRequest(junk as unknown as AuthorizationRequest, ENTRA));
    assertEquals(error.code, "invalid_scopes");
  });
}

const REDIRECTS: readonly [unknown, boolean | "public"][] = [
  ["https://app.example/cb", true],
  ["https://app.example/CB?x=1", true],
  ["https://app.example:8443/", true],
  ["HTTPS://app.example/cb", true],
  ["http://localhost", true],
  ["http://localhost:3000/cb", true],
  ["http://127.0.0.1:3000/cb", true],
  ["http://[::1]:3000/cb", true],
  ["msal6731de76-14a6-49ae-97bc-6eba6914391e://auth", "public"],
  ["com.example.app:/cb", "public"],
  ["urn:ietf:wg:oauth:2.0:oob", "public"],
  ["http://app.example/cb", false],
  ["http://localhost.evil.example/cb", false],
  ["http://127.0.0.1.evil.example/cb", false],
  ["http://10.0.0.1/cb", false],
  ["https://user@app.example/cb", false],
  ["https://user:pass@app.example/cb", false],
  ["https://app.example/cb#x", false],
  ["https://app.example/cb#", false],
  ["https:\\\\app.example/cb", false],
  [" https://app.example/cb", false],
  ["https://app.example/c b", false],
  ["https://app.example/cb\n", false],
  ["https://app.example/\u0000", false],
  ["/cb", false],
  ["//app.example/cb", false],
  ["app.example/cb", false],
  ["", false],
  ["javascript:alert(1)", false],
  ["JavaScript:alert(1)", false],
  ["data:text/html,x", false],
  ["file:///etc/passwd", false],
  ["blob:https://app.example/x", false],
  ["ws://localhost/", false],
  [undefined, false],
  [null, false],
  [new URL("https://app.example/cb"), false],
  [["https://app.example/cb"], false],
];
for (const [i, [uri, fits]] of REDIRECTS.entries()) {
  test(`R-030 redirect URI ${i} ${JSON.stringify(uri)}: ${fits}`, () => {
    for (const isPublic of [false, true]) {
      if (fits === true || (fits === "public" && isPublic)) {
        assertEquals(requireRedirectUri(uri, isPublic), uri);
      } else {
        const error = thrown(() => requireRedirectUri(uri, isPublic));
        assertEquals([error.code, "option" in error && error.option], ["invalid_request", "redirectUri"]);
      }
    }
  });
}

test("R-030 R-196 whatever the redirect URI, it is sent as it is or refused", () => {
  const piece = fc.constantFrom(
    "https:",
    "//",
    "app.example",
    "@",
    "#",
    "\\",
    "?",
    "%",
    " ",
    "localhost",
    "x:",
    ":",
  );
  const text = fc.array(fc.oneof(piece, fc.string({ maxLength: 3 })), { maxLength: 6 }).map((all) =>
    all.join("")
  );
  fc.assert(fc.property(text, (redirectUri) => {
    try {
      const { searchParams } = urlOf({ redirectUri });
      assertEquals(searchParams.getAll("redirect_uri"), [redirectUri]);
      const { protocol, username, hash, hostname } = new URL(redirectUri);
      assert(protocol === "https:" || /^(localhost|127\.)/.test(hostname), redirectUri);
      assertEquals(username + hash, "");
    } catch (error) {
      assertEquals((error as { code?: string }).code, "invalid_request");
    }
  }));
});
