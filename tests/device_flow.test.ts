/**
 * Sign-in on another device, RFC 8628.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { DeviceFlow, DeviceFlowProgress } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { CLIENT_ID, entraDouble, HOME_ACCOUNT_ID, HOST, TENANT_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";
import { eachRow, isPending, refusal, within } from "./support/token_server.ts";

const CODES = {
  user_code: "ABCD-EFGH",
  device_code: "the device code",
  verification_uri: "https://microsoft.com/devicelogin",
  expires_in: "900",
  interval: "1",
  message: "Open the page and enter the code ABCD-EFGH.",
};
const pending = refusal(400, { error: "authorization_pending" });
const slower = refusal(400, { error: "slow_down" });

async function begun(members: object = {}) {
  const entra = entraDouble();
  const app = entra.public();
  entra.next({ ...CODES, ...members });
  const flow = await entra.settle(app.initiateDeviceFlow({ scopes: ["User.Read"] }));
  return { entra, app, flow };
}

test("Z10 the sign-in begins with client and scopes, and numbers may be texts", async () => {
  const { entra, flow } = await begun();
  const [post] = entra.posts;
  assertEquals(post?.url, `${HOST}/${TENANT_ID}/oauth2/v2.0/devicecode`);
  assertEquals(Object.fromEntries(post?.form ?? []), {
    client_id: CLIENT_ID,
    scope: "User.Read offline_access openid profile",
  });
  assertEquals(post?.headers.get("client-request-id"), flow.correlationId);
  const { correlationId: _, ...rest } = flow;
  assertEquals(rest, {
    version: 1,
    userCode: "ABCD-EFGH",
    deviceCode: "the device code",
    verificationUri: "https://microsoft.com/devicelogin",
    message: CODES.message,
    clientId: CLIENT_ID,
    authority: `${HOST}/${TENANT_ID}`,
    scopes: ["User.Read"],
    expiresAt: entra.clock.now() / 1000 + 900,
    intervalSeconds: 1,
  });
  assertEquals(JSON.parse(JSON.stringify(flow)), flow);
});

test("what is missing has the values of the RFC and of MSAL; verification_url and the complete URI are read", async () => {
  const { entra, flow } = await begun({
    interval: undefined,
    expires_in: undefined,
    message: undefined,
    verification_uri: undefined,
    verification_url: "https://microsoft.com/devicelogin",
    verification_uri_complete: "https://microsoft.com/devicelogin?otc=ABCD-EFGH",
  });
  assertEquals([flow.intervalSeconds, flow.expiresAt - entra.clock.now() / 1000], [5, 1800]);
  assertEquals(flow.verificationUriComplete, "https://microsoft.com/devicelogin?otc=ABCD-EFGH");
  assert(flow.message.includes("ABCD-EFGH") && flow.message.includes("https://microsoft.com/devicelogin"));
});

test("R-166 an answer that cannot be shown or polled with is refused", async () => {
  await eachRow({
    "no user code": { user_code: undefined },
    "no device code": { device_code: "" },
    "no URI": { verification_uri: undefined },
    "a URI that runs": { verification_uri: "javascript:alert(1)" },
    "a complete URI that runs": { verification_uri_complete: "file:///etc/passwd" },
    "a number as code": { user_code: 5 },
    "a code of a megabyte": { user_code: "x".repeat(1e6) },
  }, async (members) => {
    const entra = entraDouble();
    entra.next({ ...CODES, ...members });
    const error = await entra.refused(entra.public().initiateDeviceFlow({ scopes: ["User.Read"] }));
    assertEquals(error.code, "invalid_response");
  });
});

test("A34 Z11 the user is waited for: pending polls, then tokens; the device code is sent once per poll (flaw 21)", async () => {
  const { entra, app, flow } = await begun();
  const progress: DeviceFlowProgress[] = [];
  entra.next(pending, pending, await entra.answer());
  const call = app.acquireTokenByDeviceFlow(flow, { onProgress: (step) => void progress.push(step) });
  const result = await entra.settle(call);
  assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(entra.posts.length, 4);
  assertEquals(Object.fromEntries(entra.posts[1]?.form ?? []), {
    client_id: CLIENT_ID,
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    device_code: "the device code",
    client_info: "1",
  });
  assertEquals(entra.posts[1]?.headers.get("x-client-current-telemetry"), "4|622,0|");
  assertEquals(new Set(entra.posts.map(({ headers }) => headers.get("client-request-id"))).size, 1);
  assertEquals(progress.map(({ polls, nextPollInSeconds }) => [polls, nextPollInSeconds]), [[1, 1], [2, 1]]);
  const found = await app.acquireTokenSilent({ account: result.account!, scopes: ["User.Read"] });
  assertEquals(found.tokenSource, "cache");
});

test("R-166 the interval is kept, slow_down lengthens it for good, failures of the network double the pause", async () => {
  const { entra, app, flow } = await begun({ interval: 5 });
  const outage = new TypeError("reset");
  entra.next(pending, slower, pending, outage, outage, refusal(503), pending, await entra.answer());
  const waits: number[] = [];
  const call = app.acquireTokenByDeviceFlow(flow, {
    onProgress: ({ nextPollInSeconds }) => void waits.push(nextPollInSeconds),
  });
  await entra.settle(call);
  assertEquals(waits, [5, 10, 10, 20, 40, 60, 10]);
});

test("R-166 no poll comes before its time", async () => {
  const { entra, app, flow } = await begun({ interval: 5 });
  entra.next(pending, await entra.answer());
  const call = app.acquireTokenByDeviceFlow(flow);
  await entra.clock.advance(4_900);
  assertEquals(entra.posts.length, 2);
  await entra.clock.advance(200);
  assertEquals(entra.posts.length, 3);
  await call;
});

test("R-166 the sign-in ends when it is declined, expires, or is refused in any other way", async () => {
  await eachRow({
    access_denied: "authorization_declined",
    authorization_declined: "authorization_declined",
    expired_token: "device_code_expired",
    bad_verification_code: "server_error",
    invalid_client: "server_error",
    anything: "server_error",
  }, async (code, error) => {
    const { entra, app, flow } = await begun();
    entra.next(pending, refusal(400, { error }));
    assertEquals((await entra.refused(app.acquireTokenByDeviceFlow(flow))).code, code);
    assertEquals(entra.posts.length, 3);
  });
});

test("R-166 the local deadline ends the wait, without a request after it", async () => {
  const { entra, app, flow } = await begun({ expires_in: 12, interval: 5 });
  entra.next(pending, pending, pending, pending);
  assertEquals((await entra.refused(app.acquireTokenByDeviceFlow(flow))).code, "device_code_expired");
  assertEquals(entra.posts.length, 4);
  assertEquals((await failure(app.acquireTokenByDeviceFlow(flow))).code, "device_code_expired");
  assertEquals(entra.posts.length, 4);
});

test("R-166 abort ends the wait at once and leaves no timer", async () => {
  const { entra, app, flow } = await begun({ interval: 5 });
  entra.next(pending);
  const controller = new AbortController();
  const call = app.acquireTokenByDeviceFlow(flow, { signal: controller.signal });
  await isPending(entra.clock, call);
  controller.abort();
  assertEquals((await failure(call)).code, "request_aborted");
  assertEquals(entra.clock.pending, 0);
  assertEquals(
    (await failure(app.acquireTokenByDeviceFlow(flow, { signal: controller.signal }))).code,
    "request_aborted",
  );
  assertEquals(entra.posts.length, 2);
});

test("one poll for servers that keep nothing: pending gives the flow to go on with", async () => {
  const { entra, app, flow } = await begun();
  entra.next(pending, slower, await entra.answer());
  const first = await entra.settle(app.acquireTokenByDeviceFlow(flow, { poll: "once" }));
  assert(first.status === "pending");
  const stored = JSON.parse(JSON.stringify(first.flow)) as DeviceFlow;
  const second = await entra.settle(app.acquireTokenByDeviceFlow(stored, { poll: "once" }));
  assert(second.status === "pending");
  assertEquals([flow.intervalSeconds, second.flow.intervalSeconds], [1, 6]);
  const third = await entra.settle(app.acquireTokenByDeviceFlow(second.flow, { poll: "once" }));
  assert("accessToken" in third);
});

test("one poll tells of an outage instead of calling it pending", async () => {
  const { entra, app, flow } = await begun();
  entra.next(new TypeError("reset"));
  assertEquals(
    (await entra.refused(app.acquireTokenByDeviceFlow(flow, { poll: "once" }))).name,
    "NetworkError",
  );
  assertEquals(entra.posts.length, 2, "a poll is not repeated by itself");
});

test("a flow of somebody else, or none, is refused before anything is sent", async () => {
  const { entra, app, flow } = await begun();
  await eachRow({
    "another client": ["auth_flow_mismatch", { ...flow, clientId: "x" }],
    "another authority": ["auth_flow_mismatch", { ...flow, authority: "https://evil.example/x" }],
    "no code": ["invalid_request", { ...flow, deviceCode: undefined }],
    "no interval": ["invalid_request", { ...flow, intervalSeconds: NaN }],
    "an interval of nothing": ["invalid_request", { ...flow, intervalSeconds: 0 }],
    "no scopes": ["invalid_request", { ...flow, scopes: "User.Read" }],
    nothing: ["invalid_request", undefined],
  } as unknown as Record<string, [string, DeviceFlow]>, async ([code, given]) => {
    assertEquals((await entra.refused(app.acquireTokenByDeviceFlow(given))).code, code);
  });
  assertEquals(
    (await entra.refused(app.acquireTokenByDeviceFlow(flow, { poll: "twice" as never }))).code,
    "invalid_request",
  );
  assertEquals(entra.posts.length, 1);
});

test("no error of a device sign-in holds its codes", async () => {
  const { entra, app, flow } = await begun();
  entra.next(refusal(400, { error: "odd", error_description: "the device code ABCD-EFGH is odd" }));
  const error = await entra.refused(app.acquireTokenByDeviceFlow(flow));
  assert(!`${error.message}${JSON.stringify(error)}${error.stack}`.includes(flow.deviceCode));
});

test("A29 A30 A31 the telemetry of failed polls comes with the next requests, and a success clears it", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const last: (string | null | undefined)[] = [];
  for (
    const [name, reply] of [
      ["1", refusal(400, { error: "error_1" })],
      ["2", refusal(400, { error: "error_2" })],
      ["3", undefined],
      ["4", undefined],
    ] as const
  ) {
    const flow: DeviceFlow = {
      version: 1,
      userCode: "u",
      deviceCode: name,
      verificationUri: "https://x.example",
      message: "m",
      clientId: CLIENT_ID,
      authority: `${HOST}/${TENANT_ID}`,
      scopes: ["User.Read"],
      correlationId: `id_${name}`,
      expiresAt: entra.clock.now() / 1000 + 900,
      intervalSeconds: 1,
    };
    entra.next(reply ?? await entra.answer());
    await entra.settle(app.acquireTokenByDeviceFlow(flow)).catch(() => {});
    last.push(entra.posts.at(-1)?.headers.get("x-client-last-telemetry"));
  }
  // MSAL names the server's error; ours is the code of the error that was thrown.
  assertEquals(last, [
    "4|0|||",
    "4|0|622,id_1|server_error|",
    "4|0|622,id_1,622,id_2|server_error,server_error|",
    "4|0|||",
  ]);
});

test("R-029 extra parameters that the library sets are refused before anything is sent", async () => {
  const entra = entraDouble();
  const app = entra.public();
  for (const name of ["extraQueryParameters", "extraBodyParameters"]) {
    const request = { scopes: ["User.Read"], [name]: { client_id: "x" } };
    assertEquals((await entra.refused(app.initiateDeviceFlow(request))).code, "reserved_parameter");
  }
  assertEquals(entra.posts.length, 0);
});

test("R-166 R-179 an interval or a Retry-After of more than a minute is kept", async () => {
  const { entra, app, flow } = await begun({ interval: 90 });
  entra.next(pending, refusal(503, { error: "busy" }, { "retry-after": "200" }), await entra.answer());
  const waits: number[] = [];
  const call = app.acquireTokenByDeviceFlow(flow, {
    onProgress: ({ nextPollInSeconds }) => void waits.push(nextPollInSeconds),
  });
  await within(entra.clock, 300_000, call);
  assertEquals(waits, [90, 200]);
});
