/** Assertions that a platform's endpoint gives: GitHub Actions and Google Cloud. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  type ClientAssertionProvider,
  githubActionsAssertion,
  googleCloudAssertion,
} from "../src/client_assertions/mod.ts";
import { thrown } from "./support/app_fixture.ts";
import { type SourceScene, sourceScene, textAnswer } from "./support/assertion_scene.ts";
import type { Answer } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const REQUEST_URL = "https://run-actions.example.githubusercontent.com/1/idtoken/2?api-version=2.0";
const REQUEST_TOKEN = "canary-request-token";
const IDENTITY = "http://169.254.169.254/computeMetadata/v1/instance/service-accounts/default/identity";
const GOOGLE = { "metadata-flavor": "Google" };

const github = ({ options }: SourceScene): ClientAssertionProvider =>
  githubActionsAssertion({ ...options, requestUrl: REQUEST_URL, requestToken: REQUEST_TOKEN });
const google = ({ options }: SourceScene): ClientAssertionProvider => googleCloudAssertion(options);
const BOTH = { github, google };

const json = (value: unknown) => textAnswer(JSON.stringify(value), { "content-type": "application/json" });

/** What each must refuse, with the code and what the message names. */
const REFUSED: readonly [string, Answer, string, RegExp][] = [
  [
    "a redirect",
    () => new Response(null, { status: 302, headers: { location: "https://evil.example" } }),
    "redirect_refused",
    /302/,
  ],
  [
    "a redirect that a fetch followed",
    () => Object.defineProperty(new Response("x"), "redirected", { value: true }),
    "redirect_refused",
    /redirects/,
  ],
  ["401", textAnswer("canary-body", {}, 401), "client_credential_failed", /status 401/],
  ["404", textAnswer("canary-body", GOOGLE, 404), "client_credential_failed", /status 404/],
  ["500", textAnswer("canary-body", {}, 500), "client_credential_failed", /status 500/],
  ["204", () => new Response(null, { status: 204 }), "client_credential_failed", /status 204/],
  ["a flood", textAnswer("x".repeat(70_000), GOOGLE), "response_too_large", /65536/],
  [
    "no connection",
    new TypeError(`cannot reach ${REQUEST_URL} with canary-request-token`),
    "network_error",
    /TypeError/,
  ],
  [
    "something that is no error",
    (() => Promise.reject("canary-thrown")) as Answer,
    "network_error",
    /no error/,
  ],
];
for (const [name, make] of Object.entries(BOTH)) {
  for (const [what, answer, code, message] of REFUSED) {
    test(`${name}: ${what} is ${code}, and nothing of what was said is repeated`, async () => {
      const scene = sourceScene([answer]);
      const error = await scene.refused(make(scene));
      assertEquals([error.code, scene.http.requests.length, scene.clock.pending], [code, 1, 0]);
      assert(message.test(error.message), error.message);
      assert(!/canary|idtoken|computeMetadata/.test(`${error.message}${JSON.stringify(error)}`));
    });
  }

  test(`${name}: an answer that never comes ends with timeoutMs, and its request is aborted`, async () => {
    const scene = sourceScene([() => new Promise<Response>(() => {})]);
    const error = await scene.refused(make(scene));
    assertEquals([error.code, scene.http.requests[0]?.signal?.aborted], ["request_timeout", true]);
    assertStringIncludes(error.message, "3000 ms");
  });

  test(`${name}: a body that never ends is given up with the deadline`, async () => {
    const scene = sourceScene([() => new Response(new ReadableStream({}), { headers: GOOGLE })]);
    assertEquals((await scene.refused(make(scene))).code, "request_timeout");
  });

  test(`${name}: nothing is sent when it is made, and one request for twenty who ask`, async () => {
    const scene = sourceScene(
      () => (name === "github" ? json({ value: scene.token(300) }) : textAnswer(scene.token(300), GOOGLE)),
    );
    const source = make(scene);
    assertEquals(scene.http.requests.length, 0);
    await Promise.all(Array.from({ length: 20 }, () => scene.get(source)));
    await scene.get(source);
    assertEquals([scene.http.requests.length, scene.http.requests[0]?.redirect], [1, "manual"]);
  });
}

test("github: the runner is asked with its token, for the audience of the authority's cloud", async () => {
  const scene = sourceScene(() => json({ count: 1, value: scene.token(300) }));
  const source = github(scene);
  assertEquals(await scene.get(source), scene.token(300));
  await scene.get(source, { authority: "https://login.microsoftonline.us/contoso" });
  const [request, other] = scene.http.requests;
  assertEquals([request?.method, request?.headers.get("authorization")], ["GET", `Bearer ${REQUEST_TOKEN}`]);
  assertEquals(request?.url, `${REQUEST_URL}&audience=api%3A%2F%2FAzureADTokenExchange`);
  assertEquals(new URL(other!.url).searchParams.get("audience"), "api://AzureADTokenExchangeUSGov");
});

test("github: an audience of one's own goes over that of the cloud, and over one in the URL", async () => {
  const scene = sourceScene(() => json({ value: scene.token(300) }));
  const requestUrl = `${REQUEST_URL}&audience=evil`;
  const own = { requestUrl, requestToken: REQUEST_TOKEN, audience: "api://a&b=c" };
  await scene.get(githubActionsAssertion({ ...scene.options, ...own }));
  assertEquals(new URL(scene.http.requests[0]!.url).searchParams.getAll("audience"), ["api://a&b=c"]);
});

test("github: an answer without a token, or with something else, is refused", async () => {
  const answers = [
    json({}),
    json({ value: null }),
    json([]),
    json(null),
    json({ value: 5 }),
    json({ value: "x" }),
    textAnswer("<html>"),
    textAnswer(""),
  ];
  for (const answer of answers) {
    const scene = sourceScene([answer]);
    const { code } = await scene.refused(github(scene));
    assert(["client_credential_failed", "invalid_client_credential"].includes(code), code);
  }
});

test("github: what is no https URL or no token is refused when it is made, without being repeated", () => {
  const good = { requestUrl: REQUEST_URL, requestToken: REQUEST_TOKEN };
  const WRONG: readonly [Record<string, unknown> | undefined, string][] = [
    [undefined, "requestUrl"],
    [{ ...good, requestUrl: undefined }, "requestUrl"],
    [{ ...good, requestUrl: "" }, "requestUrl"],
    [{ ...good, requestUrl: "idtoken" }, "requestUrl"],
    [{ ...good, requestUrl: REQUEST_URL.replace("https", "http") }, "requestUrl"],
    [{ ...good, requestUrl: "http://169.254.169.254/" }, "requestUrl"],
    [{ ...good, requestUrl: "https://canary:x@runner.example/" }, "requestUrl"],
    [{ ...good, requestUrl: `${REQUEST_URL}#canary` }, "requestUrl"],
    [{ ...good, requestToken: "" }, "requestToken"],
    [{ ...good, requestToken: "canary\r\nx: y" }, "requestToken"],
    [{ ...good, audience: "" }, "audience"],
    [{ ...good, audience: ["api://a"] }, "audience"],
    [{ ...good, audience: "a b" }, "audience"],
    [{ ...good, fetch: "fetch" }, "fetch"],
  ];
  for (const [options, option] of WRONG) {
    const error = thrown(() => githubActionsAssertion(options as never));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", option]);
    assert(!error.message.includes("canary"));
  }
});

test("google: the metadata server is asked at its address, with its header, for the audience of the cloud", async () => {
  const scene = sourceScene(() => textAnswer(scene.token(3600), GOOGLE));
  assertEquals(await scene.get(google(scene)), scene.token(3600));
  const [request] = scene.http.requests;
  assertEquals(request?.url, `${IDENTITY}?audience=api%3A%2F%2FAzureADTokenExchange&format=full`);
  assertEquals([request?.method, request?.headers.get("metadata-flavor")], ["GET", "Google"]);
  await scene.get(googleCloudAssertion({ ...scene.options, audience: "api://own" }));
  assertEquals(new URL(scene.http.requests[1]!.url).searchParams.get("audience"), "api://own");
});

test("google: who does not answer with the header is no metadata server, whatever it sends", async () => {
  for (const headers of [{}, { "metadata-flavor": "google" }, { "metadata-flavor": "Amazon" }]) {
    const scene = sourceScene(() => textAnswer(scene.token(3600), headers as Record<string, string>));
    const error = await scene.refused(google(scene));
    assertEquals(error.code, "client_credential_failed");
    assertStringIncludes(error.message, "no metadata server of Google Cloud");
  }
});

test("google: no option changes where the request goes", async () => {
  const scene = sourceScene(() => textAnswer(scene.token(3600), GOOGLE));
  const attempt = {
    url: "http://evil.example",
    host: "evil.example",
    endpoint: "evil",
    metadataHost: "evil.example",
  };
  await scene.get(googleCloudAssertion({ ...scene.options, ...attempt }));
  assertEquals(new URL(scene.http.requests[0]!.url).host, "169.254.169.254");
});

test("the global fetch is looked up at the call, and called as a plain function", async () => {
  const scene = sourceScene(() => textAnswer(scene.token(3600), GOOGLE));
  const source = googleCloudAssertion({ clock: scene.clock });
  const before = globalThis.fetch;
  globalThis.fetch = function (this: unknown, ...args: unknown[]) {
    assertEquals(this, undefined);
    return scene.http.fetch(args[0] as string, args[1] as RequestInit);
  } as typeof fetch;
  try {
    assertEquals(await scene.get(source), scene.token(3600));
  } finally {
    globalThis.fetch = before;
  }
});
