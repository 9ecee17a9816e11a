/** The local authority's authorization endpoint, without its pages: what it accepts, and where its errors go. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { EntraError, LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import {
  type Changes,
  CONSUMERS,
  CONTOSO,
  FABRIKAM,
  REDIRECT_URI,
  USERS,
  UserScene,
  WEB,
} from "./support/user_scene.ts";

const CLAIMS_C1 = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });

async function refusedWith(
  scene: UserScene,
  changes: Changes,
  tenant?: string,
  username?: string,
): Promise<number> {
  const options = username === undefined ? {} : { username };
  const error = await assertRejects(
    () => scene.authority.signIn(scene.authorizeUrl(changes, tenant), options),
    EntraError,
  );
  return error.code;
}

test("a sign-in answers with a code, the state, who the user is and which session", async () => {
  const scene = new UserScene();
  const answer = await scene.authority.signIn(scene.authorizeUrl());
  assertEquals([answer.mode, answer.redirectUri], ["query", REDIRECT_URI]);
  assertEquals([...answer.parameters.keys()], ["code", "client_info", "state", "session_state"]);
  assertEquals(answer.url.href, `${REDIRECT_URI}?${answer.parameters}`);
  const clientInfo = JSON.parse(atob(answer.parameters.get("client_info") ?? ""));
  assertEquals(clientInfo.utid, CONTOSO.id);
  const request = answer.request();
  assertEquals([request.method, request.url], ["GET", answer.url.href]);
});

test("an answer travels as the request asks: in the query, the fragment or a form", async () => {
  const scene = new UserScene();
  const fragment = await scene.authority.signIn(scene.authorizeUrl({ response_mode: "fragment" }));
  assertEquals([fragment.url.search, fragment.url.hash], ["", `#${fragment.parameters}`]);
  const form = await scene.authority.signIn(scene.authorizeUrl({ response_mode: "form_post" }));
  const request = form.request();
  assertEquals([request.method, request.url], ["POST", REDIRECT_URI]);
  assertEquals(await request.text(), form.parameters.toString());
});

test("an answer has no client_info, state or code that nobody asked for", async () => {
  const scene = new UserScene();
  const url = scene.authorizeUrl({ client_info: undefined, state: undefined });
  const { parameters } = await scene.authority.signIn(url);
  assertEquals([...parameters.keys()], ["code", "session_state"]);
});

test("errors that must not be redirected are thrown", async () => {
  const scene = new UserScene({
    apps: [WEB, { clientId: "11111111-2222-4333-8444-555555555555", secrets: ["x"] }],
  });
  const cases: readonly (readonly [string, Changes, number, string?])[] = [
    ["no client", { client_id: undefined }, 900144],
    ["an unknown client", { client_id: "00000000-2222-4333-8444-555555555555" }, 700016],
    ["an unknown client on common", { client_id: "nobody" }, 700016, "common"],
    ["an unknown tenant", {}, 90002, "nowhere.example"],
    ["no redirect URI", { redirect_uri: undefined }, 900144],
    ["an app without redirect URIs", { client_id: "11111111-2222-4333-8444-555555555555" }, 500113],
    ["another host", { redirect_uri: "https://evil.example/callback" }, 50011],
    ["another path", { redirect_uri: "http://localhost/other" }, 50011],
    ["a path below", { redirect_uri: "https://web.example/callback/more" }, 50011],
    ["another port where it matters", { redirect_uri: "https://web.example:8443/callback" }, 50011],
    ["another scheme", { redirect_uri: "http://web.example/callback" }, 50011],
    ["TLS to localhost", { redirect_uri: "https://localhost/callback" }, 50011],
    ["a user in front of the host", { redirect_uri: "http://localhost@evil.example/callback" }, 50011],
    ["a user before the right host", { redirect_uri: "https://x@web.example/callback" }, 50011],
    ["a query", { redirect_uri: "https://web.example/callback?x=1" }, 50011],
    ["a fragment", { redirect_uri: "https://web.example/callback#x" }, 50011],
    ["no URL", { redirect_uri: "callback" }, 50011],
    ["a script", { redirect_uri: "javascript:alert(1)" }, 50011],
  ];
  for (const [name, changes, code, tenant] of cases) {
    assertEquals(await refusedWith(scene, changes, tenant), code, name);
  }
  const twice = `${scene.authorizeUrl()}&redirect_uri=https%3A%2F%2Fevil.example%2F`;
  const error = await assertRejects(() => scene.authority.signIn(twice), EntraError);
  assertEquals(error.code, 9000411);
});

test("errors that belong to the client are sent to it, with its state", async () => {
  const scene = new UserScene();
  const cases: readonly (readonly [string, Changes, string, number])[] = [
    ["no response type", { response_type: undefined }, "invalid_request", 900144],
    ["an ID token in front", { response_type: "id_token" }, "unsupported_response_type", 700054],
    ["a hybrid response", { response_type: "code id_token" }, "unsupported_response_type", 700054],
    ["an unknown mode", { response_mode: "web_message" }, "invalid_request", 70007],
    ["a request object", { request: "x.y.z" }, "request_not_supported", 90023],
    ["a request URI", { request_uri: "https://x.example/" }, "request_uri_not_supported", 90023],
    ["a plain challenge", { code_challenge_method: "plain" }, "invalid_request", 50147],
    ["a challenge without a method", { code_challenge_method: undefined }, "invalid_request", 50147],
    ["a method without a challenge", { code_challenge: undefined }, "invalid_request", 501491],
    ["a short challenge", { code_challenge: "short" }, "invalid_request", 501491],
    ["an unknown prompt", { prompt: "please" }, "invalid_request", 90023],
    ["none and login", { prompt: "none login" }, "invalid_request", 90023],
    ["a broken max_age", { max_age: "-1" }, "invalid_request", 90023],
    ["claims that are no JSON", { claims: "{" }, "invalid_request", 9002313],
    ["claims that are a list", { claims: "[]" }, "invalid_request", 9002313],
    ["no scope", { scope: undefined }, "invalid_request", 900144],
    ["an unknown resource", { scope: "api://nothing/.default" }, "invalid_resource", 500011],
    ["an unknown permission", { scope: "Nothing.Read" }, "invalid_client", 650053],
    ["a scope without a name", { scope: "https://graph.microsoft.com/" }, "invalid_scope", 70011],
    ["everything and something", { scope: "User.Read .default" }, "invalid_scope", 70011],
  ];
  for (const [name, changes, error, code] of cases) {
    const { parameters, redirectUri } = await scene.authority.signIn(scene.authorizeUrl(changes));
    assertEquals([parameters.get("error"), parameters.get("state")], [error, "the-state"], name);
    assert(parameters.get("error_description")?.startsWith(`AADSTS${code}: `), name);
    assertEquals([parameters.has("code"), redirectUri], [false, REDIRECT_URI], name);
  }
});

test("a loopback redirect URI works on any port, and /* stands for any path", async () => {
  const redirectUris = ["http://localhost", "http://127.0.0.1/*", "https://web.example/in/*", "msal://auth"];
  const scene = new UserScene({ apps: [{ ...WEB, redirectUris }] });
  const accepted = [
    "http://localhost",
    "http://localhost/",
    "http://localhost:51234",
    "http://127.0.0.1:8080/any/path?x=1",
    "https://web.example/in/",
    "https://web.example/in/callback",
    "msal://auth",
  ];
  for (const redirect_uri of accepted) {
    const { parameters } = await scene.authority.signIn(scene.authorizeUrl({ redirect_uri }));
    assert(parameters.has("code"), redirect_uri);
  }
  const refused = [
    "http://localhost:1/other",
    "https://127.0.0.1/",
    "https://web.example/in",
    "https://web.example/in/../out",
    "https://web.example:444/in/x",
    "https://web.example.evil.example/in/x",
    "msal://auth/more",
  ];
  for (const redirect_uri of refused) {
    assertEquals(await refusedWith(scene, { redirect_uri }), 50011, redirect_uri);
  }
});

test("a user who does not belong there is not let in", async () => {
  const single = { ...WEB, clientId: "11111111-0000-4000-8000-000000000001", audience: "single" as const };
  const multi = { ...WEB, clientId: "11111111-0000-4000-8000-000000000002", audience: "multi" as const };
  const personal = {
    ...WEB,
    clientId: "11111111-0000-4000-8000-000000000003",
    audience: "personal" as const,
  };
  const elsewhere = { ...WEB, clientId: "11111111-0000-4000-8000-000000000004", tenants: [FABRIKAM.id] };
  const scene = new UserScene({ apps: [WEB, single, multi, personal, elsewhere] });
  const [ada, bob, fay, pat] = USERS.map(({ username }) => username);
  const cases: readonly (readonly [string, string, string | undefined, string, number])[] = [
    ["nobody", WEB.clientId, "nobody@contoso.onmicrosoft.com", CONTOSO.id, 50034],
    ["a stranger", WEB.clientId, fay, CONTOSO.id, 50020],
    ["a member who is no guest", WEB.clientId, bob, FABRIKAM.id, 50020],
    ["a Microsoft account in a tenant", WEB.clientId, pat, CONTOSO.id, 50020],
    ["a Microsoft account at work", WEB.clientId, pat, "organizations", 500200],
    ["a Microsoft account of an app for work", multi.clientId, pat, "common", 500200],
    ["a work account among Microsoft accounts", WEB.clientId, ada, "consumers", 50034],
    ["the same by id", WEB.clientId, ada, CONSUMERS, 50034],
    ["an app of one tenant on common", single.clientId, ada, "common", 50194],
    ["an app of one tenant on organizations", single.clientId, ada, "organizations", 50194],
    ["an app of one tenant in another", single.clientId, ada, FABRIKAM.id, 700016],
    ["an app for work on consumers", multi.clientId, pat, "consumers", 9002346],
    ["an app for Microsoft accounts on common", personal.clientId, pat, "common", 9002331],
    ["an app that is not installed", elsewhere.clientId, ada, CONTOSO.id, 700016],
    ["an app that is not installed at home", elsewhere.clientId, ada, "common", 700016],
  ];
  for (const [name, client_id, username, tenant, code] of cases) {
    assertEquals(await refusedWith(scene, { client_id }, tenant, username), code, name);
  }
});

test("everyone gets in where they belong", async () => {
  const personal = {
    ...WEB,
    clientId: "11111111-0000-4000-8000-000000000003",
    audience: "personal" as const,
  };
  const scene = new UserScene({ apps: [WEB, personal] });
  const cases: readonly (readonly [number, string, string?])[] = [
    [0, "common"],
    [0, "organizations"],
    [0, CONTOSO.id],
    [0, "contoso.onmicrosoft.com"],
    [0, "fabrikam.example"],
    [2, "common"],
    [3, "common"],
    [3, "consumers"],
    [3, CONSUMERS],
    [3, "consumers", personal.clientId],
  ];
  for (const [index, tenant, client_id = WEB.clientId] of cases) {
    const username = USERS[index]?.username ?? "";
    const { parameters } = await scene.authority.signIn(scene.authorizeUrl({ client_id }, tenant), {
      username,
    });
    assert(parameters.has("code"), `${username} on ${tenant}`);
  }
});

test("a user who declines, or cannot pass multi-factor authentication, is an error of the answer", async () => {
  const scene = new UserScene();
  const ask = async (changes: Changes, options: Parameters<typeof scene.authority.signIn>[1]) => {
    const { parameters } = await scene.authority.signIn(scene.authorizeUrl(changes), options);
    return [
      parameters.get("error"),
      parameters.get("error_description")?.split(":")[0],
      parameters.get("state"),
    ];
  };
  assertEquals(await ask({}, { decline: true }), ["access_denied", "AADSTS65004", "the-state"]);
  const failed = await ask({ claims: CLAIMS_C1 }, { mfa: false });
  assertEquals(failed, ["access_denied", "AADSTS500121", "the-state"]);
  const bob = await ask({ claims: CLAIMS_C1 }, { username: "bob@contoso.onmicrosoft.com" });
  assertEquals(bob, ["access_denied", "AADSTS50079", "the-state"]);
});

test("prompt=none succeeds with a session, and says what is missing otherwise", async () => {
  const app = { ...WEB, requireConsent: true };
  const scene = new UserScene({ apps: [app] });
  const silently = async (changes: Changes = {}, tenant?: string) => {
    const { parameters } = await scene.authority.signIn(
      scene.authorizeUrl({ prompt: "none", ...changes }, tenant),
    );
    return parameters.get("error");
  };
  assertEquals(await silently(), "login_required");
  await scene.code();
  assertEquals(await silently(), null);
  assertEquals(await silently({ login_hint: "bob@contoso.onmicrosoft.com" }), "login_required");
  assertEquals(await silently({ scope: "openid Mail.Read" }), "consent_required");
  assertEquals(await silently({ claims: CLAIMS_C1 }), "interaction_required");
  await scene.clock.advance(61_000);
  assertEquals(await silently({ max_age: "60" }), "login_required");
  assertEquals(await silently({ max_age: "61" }), null);
  assertEquals(await silently({}, "consumers"), "interaction_required");
  scene.authority.revokeSessions(scene.authority.defaults.username);
  assertEquals(await silently(), "login_required");
});

test("a session dies after a day", async () => {
  const scene = new UserScene();
  await scene.code();
  await scene.clock.advance(86_400_000);
  const { parameters } = await scene.authority.signIn(scene.authorizeUrl({ prompt: "none" }));
  assertEquals(parameters.get("error"), "login_required");
});

test("who signs in is the user of the hint, unless the test says so", async () => {
  const scene = new UserScene();
  const uid = async (changes: Changes, username?: string) => {
    const options = username === undefined ? {} : { username };
    const { parameters } = await scene.authority.signIn(scene.authorizeUrl(changes, "common"), options);
    return JSON.parse(atob(parameters.get("client_info") ?? "")).utid;
  };
  assertEquals(await uid({}), CONTOSO.id);
  assertEquals(await uid({ login_hint: "FAY@fabrikam.example" }), FABRIKAM.id);
  assertEquals(await uid({ login_hint: "fay@fabrikam.example" }, "pat@outlook.example"), CONSUMERS);
});

test("only the URL of an authorization endpoint can be signed in at", async () => {
  const scene = new UserScene();
  const wrong = [
    scene.authorizeUrl().replace("/authorize", "/token"),
    scene.authorizeUrl().replace("/v2.0", ""),
    "https://graph.microsoft.com/v1.0/me",
  ];
  for (const url of wrong) {
    await assertRejects(() => scene.authority.signIn(url), TypeError, "authorization endpoint");
  }
});

test("the built-in apps take what examples use as redirect URIs, and nothing else", async () => {
  const authority = new LocalAuthority();
  const { clientId, publicClientId } = authority.defaults;
  const urlOf = (client_id: string, redirect_uri: string) =>
    `https://login.microsoftonline.com/common/oauth2/v2.0/authorize?${new URLSearchParams({
      client_id,
      redirect_uri,
      response_type: "code",
      scope: "openid",
    })}`;
  const nativeUri = "https://login.microsoftonline.com/common/oauth2/nativeclient";
  const accepted: readonly (readonly [string, string])[] = [
    [clientId, "http://localhost"],
    [clientId, "http://localhost:8787/auth/callback"],
    [clientId, "http://127.0.0.1:3000/x"],
    [clientId, "https://app.example/auth/callback"],
    [publicClientId, "http://localhost:41234"],
    [publicClientId, nativeUri],
  ];
  for (const [id, uri] of accepted) {
    assert((await authority.signIn(urlOf(id, uri))).parameters.has("code"), uri);
  }
  const refused: readonly (readonly [string, string])[] = [
    [clientId, "https://other.example/auth/callback"],
    [clientId, nativeUri],
    [publicClientId, "https://app.example/auth/callback"],
    [publicClientId, "https://localhost/"],
  ];
  for (const [id, uri] of refused) {
    const error = await assertRejects(() => authority.signIn(urlOf(id, uri)), EntraError);
    assertEquals(error.code, 50011, uri);
  }
});
