/** Assertions of AWS: the signature, the keys, and the call. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import {
  awsAssertion,
  type AwsAssertionOptions,
  type AwsCredentialsSource,
} from "../src/client_assertions/mod.ts";
import { type AwsCredentials, signAws } from "../src/client_assertions/sigv4.ts";
import { thrown } from "./support/app_fixture.ts";
import { type SourceScene, sourceScene, textAnswer } from "./support/assertion_scene.ts";
import type { Answer, RecordedRequest } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const KEYS = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
const SESSION =
  "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==";
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const UTF8 = { "content-type": "application/x-www-form-urlencoded; charset=utf8" };

/** Cases of AWS's own test suite for Signature Version 4 that have neither a path nor a query. */
const VECTORS: readonly [string, string, Record<string, string>, string, string, string][] = [
  [
    "get-vanilla",
    "GET",
    {},
    "",
    "host;x-amz-date",
    "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
  ],
  [
    "get-header-value-trim",
    "GET",
    { "my-header1": " value1", "my-header2": ' "a   b   c"' },
    "",
    "host;my-header1;my-header2;x-amz-date",
    "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736",
  ],
  [
    "post-vanilla",
    "POST",
    {},
    "",
    "host;x-amz-date",
    "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b",
  ],
  [
    "post-header-key-sort",
    "POST",
    { "my-header1": "value1" },
    "",
    "host;my-header1;x-amz-date",
    "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c",
  ],
  [
    "post-header-value-case",
    "POST",
    { "my-header1": "VALUE1" },
    "",
    "host;my-header1;x-amz-date",
    "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d",
  ],
  [
    "post-x-www-form-urlencoded",
    "POST",
    FORM,
    "Param1=value1",
    "content-type;host;x-amz-date",
    "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a",
  ],
  [
    "post-x-www-form-urlencoded-parameters",
    "POST",
    UTF8,
    "Param1=value1",
    "content-type;host;x-amz-date",
    "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe",
  ],
];
const SCOPE = { region: "us-east-1", service: "service" };
const SIGNED_AT_MS = Date.UTC(2015, 7, 30, 12, 36);

for (const [name, method, headers, body, signed, signature] of VECTORS) {
  test(`SigV4 ${name}`, async () => {
    const request = { method, host: "example.amazonaws.com", headers, body };
    const { authorization, "x-amz-date": date } = await signAws(request, SCOPE, KEYS, SIGNED_AT_MS);
    assertEquals(date, "20150830T123600Z");
    assertEquals(
      authorization,
      `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=${signed}, Signature=${signature}`,
    );
  });
}

test("SigV4 post-sts-header-before: the token of temporary keys is signed, too", async () => {
  const request = { method: "POST", host: "example.amazonaws.com", headers: {}, body: "" };
  const headers = await signAws(request, SCOPE, { ...KEYS, sessionToken: SESSION }, SIGNED_AT_MS);
  assertEquals(headers["x-amz-security-token"], SESSION);
  assertStringIncludes(
    headers.authorization!,
    "SignedHeaders=host;x-amz-date;x-amz-security-token, Signature=85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead",
  );
  assertEquals("host" in headers, false);
});

function xml(token: string): () => Response {
  return textAnswer(
    `<GetWebIdentityTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetWebIdentityTokenResult>\n` +
      `<WebIdentityToken>${token}</WebIdentityToken><Expiration>2026-01-01T00:05:00Z</Expiration>\n` +
      `</GetWebIdentityTokenResult></GetWebIdentityTokenResponse>`,
    { "content-type": "text/xml" },
  );
}

function refusal(code: string, status = 403): () => Response {
  return textAnswer(
    `<ErrorResponse><Error><Code>${code}</Code><Message>canary</Message></Error></ErrorResponse>`,
    {},
    status,
  );
}

const source = ({ options }: SourceScene, more: Partial<AwsAssertionOptions> = {}) =>
  awsAssertion({ ...options, region: "eu-central-1", credentials: () => KEYS, ...more });

test("STS is asked in the region, for RS256 and the audience of the cloud, with what was signed", async () => {
  const scene = sourceScene(() => xml(scene.token(300)));
  assertEquals(
    await scene.get(source(scene, { credentials: () => ({ ...KEYS, sessionToken: "session" }) })),
    scene.token(300),
  );
  const [request] = scene.http.requests as [RecordedRequest];
  assertEquals([request.url, request.method, request.redirect], [
    "https://sts.eu-central-1.amazonaws.com/",
    "POST",
    "manual",
  ]);
  assertEquals(Object.fromEntries(request.form), {
    Action: "GetWebIdentityToken",
    Version: "2011-06-15",
    "Audience.member.1": "api://AzureADTokenExchange",
    SigningAlgorithm: "RS256",
  });
  const { authorization, ...expected } = await signAws(
    {
      method: "POST",
      host: "sts.eu-central-1.amazonaws.com",
      headers: { "content-type": request.headers.get("content-type")! },
      body: request.body,
    },
    { region: "eu-central-1", service: "sts" },
    { ...KEYS, sessionToken: "session" },
    scene.clock.now(),
  );
  assertEquals(request.headers.get("authorization"), authorization);
  for (const [name, value] of Object.entries(expected)) assertEquals(request.headers.get(name), value);
});

test("each partition has hosts of its own, and an audience may be one's own", async () => {
  const HOSTS = [["us-gov-west-1", "amazonaws.com"], ["cn-north-1", "amazonaws.com.cn"], [
    "eusc-de-east-1",
    "amazonaws.eu",
  ]];
  for (const [region, end] of HOSTS) {
    const scene = sourceScene(() => xml(scene.token(300)));
    await scene.get(source(scene, { region: region!, audience: "api://own" }));
    assertEquals(scene.http.requests[0]?.url, `https://sts.${region}.${end}/`);
    assertEquals(scene.http.requests[0]?.form.get("Audience.member.1"), "api://own");
  }
});

test("an answer that is no token is refused, by AWS's code and nothing else of it", async () => {
  const ANSWERS: readonly [Answer, string][] = [
    [refusal("AccessDenied"), "sts.eu-central-1.amazonaws.com answered AccessDenied with status 403"],
    [refusal("OutboundWebIdentityFederationDisabled"), "answered OutboundWebIdentityFederationDisabled"],
    [refusal("canary secret"), "answered with status 403"],
    [textAnswer("canary", {}, 500), "answered with status 500"],
    [textAnswer("<WebIdentityToken></WebIdentityToken>"), "sent no token"],
    [textAnswer("{}"), "sent no token"],
  ];
  for (const [answer, message] of ANSWERS) {
    const scene = sourceScene([answer]);
    const error = await scene.refused(source(scene));
    assertEquals(error.code, "client_credential_failed");
    assertStringIncludes(error.message, message);
    assert(!/canary|AKID|wJal/.test(`${error.message}${JSON.stringify(error)}`));
  }
  const scene = sourceScene([xml("<b>no</b>")]);
  assertEquals((await scene.refused(source(scene))).code, "client_credential_failed");
  const other = sourceScene([xml("no token")]);
  assertEquals((await other.refused(source(other))).code, "invalid_client_credential");
});

test("no key is in an error of a connection that failed", async () => {
  const scene = sourceScene([new TypeError(`bad header ${KEYS.secretAccessKey} ${KEYS.accessKeyId}`)]);
  const error = await scene.refused(source(scene));
  assertEquals(error.code, "network_error");
  assert(!/AKID|wJal/.test(`${error.message}${error.stack}${JSON.stringify(error)}`));
});

const ROLE_KEYS = {
  Code: "Success",
  AccessKeyId: "ASIAROLE",
  SecretAccessKey: "role-secret",
  Token: "role-token",
  Expiration: "2026-01-01T06:00:00Z",
};
const METADATA = "http://169.254.169.254/latest/";

/** Answers of IMDSv2 and of STS; some in place of what would be right. */
function instance(scene: () => SourceScene, wrong: Record<string, Answer> = {}) {
  return ({ url }: RecordedRequest): Answer => {
    const path = url.replace(METADATA, "");
    if (wrong[path]) return wrong[path];
    if (path === "api/token") return textAnswer("imds-session==");
    if (path === "meta-data/iam/security-credentials/") return textAnswer("my-role\n");
    if (path === "meta-data/iam/security-credentials/my-role") return textAnswer(JSON.stringify(ROLE_KEYS));
    return xml(scene().token(300));
  };
}

test("an instance's role comes from IMDSv2: a PUT for a session, then the role, then its keys, then STS", async () => {
  const scene: SourceScene = sourceScene(instance(() => scene));
  await scene.get(awsAssertion({ ...scene.options, region: "us-east-1" }));
  const role = `${METADATA}meta-data/iam/security-credentials/`;
  assertEquals(scene.http.requests.map(({ method, url }) => `${method} ${url}`), [
    `PUT ${METADATA}api/token`,
    `GET ${role}`,
    `GET ${role}my-role`,
    "POST https://sts.us-east-1.amazonaws.com/",
  ]);
  const [put, list, keys, sts] = scene.http.requests as RecordedRequest[];
  assertEquals(put?.headers.get("x-aws-ec2-metadata-token-ttl-seconds"), "60");
  assertEquals(put?.headers.has("x-aws-ec2-metadata-token"), false);
  for (const get of [list, keys]) {
    assertEquals(get?.headers.get("x-aws-ec2-metadata-token"), "imds-session==");
  }
  assertStringIncludes(sts?.headers.get("authorization") ?? "", "Credential=ASIAROLE/");
  assertEquals(sts?.headers.get("x-amz-security-token"), "role-token");
  assertEquals(sts?.headers.has("x-aws-ec2-metadata-token"), false);
  assert(!scene.http.requests.some(({ body, url }) => `${body}${url}`.includes("role-secret")));
});

const LIST = "meta-data/iam/security-credentials/";
const BROKEN: readonly [string, Record<string, Answer>, string, number][] = [
  [
    "no IMDSv2: version 1 is not tried",
    { "api/token": textAnswer("", {}, 403) },
    "client_credential_failed",
    1,
  ],
  ["an empty session", { "api/token": textAnswer("") }, "client_credential_failed", 1],
  ["a session that is a page", { "api/token": textAnswer("<html> </html>") }, "client_credential_failed", 1],
  [
    "a session that would split a header",
    { "api/token": textAnswer("a\r\nb: c") },
    "client_credential_failed",
    1,
  ],
  [
    "a redirect",
    { "api/token": () => new Response(null, { status: 307, headers: { location: "https://evil.example" } }) },
    "redirect_refused",
    1,
  ],
  ["no role", { [LIST]: textAnswer("") }, "client_credential_failed", 2],
  ["a role that is a path", { [LIST]: textAnswer("../../api") }, "client_credential_failed", 2],
  ["two roles", { [LIST]: textAnswer("one\ntwo") }, "client_credential_failed", 2],
  ["a role that is a query", { [LIST]: textAnswer("role?x") }, "client_credential_failed", 2],
  ["keys that are no JSON", { [`${LIST}my-role`]: textAnswer("canary") }, "client_credential_failed", 3],
  [
    "a failure in JSON",
    { [`${LIST}my-role`]: textAnswer('{"Code":"AssumeRoleUnauthorizedAccess"}') },
    "client_credential_failed",
    3,
  ],
  [
    "an empty secret",
    { [`${LIST}my-role`]: textAnswer(JSON.stringify({ ...ROLE_KEYS, SecretAccessKey: "" })) },
    "client_credential_failed",
    3,
  ],
  [
    "a token that is null",
    { [`${LIST}my-role`]: textAnswer(JSON.stringify({ ...ROLE_KEYS, Token: null })) },
    "client_credential_failed",
    3,
  ],
  [
    "a key that would split a header",
    { [`${LIST}my-role`]: textAnswer(JSON.stringify({ ...ROLE_KEYS, AccessKeyId: "A\nB" })) },
    "client_credential_failed",
    3,
  ],
];
for (const [what, wrong, code, requests] of BROKEN) {
  test(`IMDSv2 with ${what}: a typed error, and STS is not asked`, async () => {
    const scene: SourceScene = sourceScene(instance(() => scene, wrong));
    const error = await scene.refused(
      awsAssertion({ ...scene.options, region: "us-east-1", credentials: "instance" }),
    );
    assertEquals([error.code, scene.http.requests.length], [code, requests]);
    assert(!/canary|imds-session|role-secret/.test(`${error.message}${JSON.stringify(error)}`));
  });
}

test("a task on ECS and a pod on EKS get their keys from their own addresses", async () => {
  const answers = (scene: () => SourceScene) => ({ url }: RecordedRequest): Answer =>
    url.startsWith("https://sts.") ? xml(scene().token(300)) : textAnswer(JSON.stringify(ROLE_KEYS));
  const SOURCES: readonly [AwsCredentialsSource, string, string | null][] = [
    [{ containerPath: "/v2/credentials/0a-b?x=1" }, "http://169.254.170.2/v2/credentials/0a-b?x=1", null],
    [{ readPodToken: () => "pod-token\n" }, "http://169.254.170.23/v1/credentials", "pod-token"],
    [
      { readPodToken: async () => await Promise.resolve("pod-token") },
      "http://169.254.170.23/v1/credentials",
      "pod-token",
    ],
  ];
  for (const [credentials, url, authorization] of SOURCES) {
    const scene: SourceScene = sourceScene(answers(() => scene));
    await scene.get(source(scene, { credentials }));
    const [keys, sts] = scene.http.requests as RecordedRequest[];
    assertEquals([keys?.url, keys?.headers.get("authorization")], [url, authorization]);
    assertStringIncludes(sts?.headers.get("authorization") ?? "", "Credential=ASIAROLE/");
  }
});

test("keys of a function that are none, and a pod's token that is none, are errors that hold nothing of them", async () => {
  const WRONG: readonly [AwsCredentialsSource, string][] = [
    [() => undefined as unknown as AwsCredentials, "invalid_option"],
    [() => ({ accessKeyId: "A" }) as AwsCredentials, "invalid_option"],
    [() => ({ accessKeyId: "", secretAccessKey: "canary" }), "invalid_option"],
    [() => ({ accessKeyId: "A B", secretAccessKey: "canary" }), "invalid_option"],
    [() => ({ ...KEYS, sessionToken: "canary\nx" }), "invalid_option"],
    [() => Promise.reject(new Error("canary")), "client_credential_failed"],
    [{ readPodToken: () => "" }, "client_credential_failed"],
    [{ readPodToken: () => "canary canary" }, "client_credential_failed"],
    [{ readPodToken: () => Promise.reject(new Error("canary")) }, "client_credential_failed"],
  ];
  for (const [credentials, code] of WRONG) {
    const scene = sourceScene([]);
    const error = await scene.refused(source(scene, { credentials }));
    assertEquals([error.code, scene.http.requests.length], [code, 0]);
    assert(!error.message.includes("canary"));
  }
});

test("options that are none are refused when the source is made: no host is made of them", () => {
  const good = { region: "eu-central-1" };
  const WRONG: readonly [unknown, string][] = [
    [undefined, "region"],
    [{}, "region"],
    ...[
      "",
      "eu",
      "eu-central",
      "EU-CENTRAL-1",
      "evil.example/",
      "eu-central-1.evil.example",
      "eu-central-1@evil",
      "eu-central-1\n",
      "-eu-central-1",
    ]
      .map((region) => [{ region }, "region"] as [unknown, string]),
    [{ ...good, audience: "" }, "audience"],
    [{ ...good, audience: "x".repeat(1001) }, "audience"],
    [{ ...good, credentials: "environment" }, "credentials"],
    [{ ...good, credentials: {} }, "credentials"],
    [{ ...good, credentials: KEYS }, "credentials"],
    [{ ...good, credentials: null }, "credentials"],
    ...["", "/", "v2/x", "//evil.example/", "@evil.example/", "/x#y", "/x y", "http://evil.example/"]
      .map((containerPath) =>
        [{ ...good, credentials: { containerPath } }, "credentials.containerPath"] as [unknown, string]
      ),
  ];
  for (const [options, option] of WRONG) {
    const error = thrown(() => awsAssertion(options as AwsAssertionOptions));
    assertEquals(
      [error.code, "option" in error && error.option],
      ["invalid_option", option],
      JSON.stringify(options),
    );
  }
});
