/** The page of the local authority where a device's code is typed. */
import { assert, assertEquals, assertMatch } from "@std/assert";
import type { LocalAuthority } from "../src/testing/mod.ts";
import { FakeClock } from "./support/fake_clock.ts";
import { ADA, DEVICE_APP, MFA_CLAIMS, ORIGIN, signInScene } from "./support/sign_in_scene.ts";
import { test } from "./support/suite.ts";

interface DeviceCode {
  readonly device_code: string;
  readonly user_code: string;
  readonly verification_uri: string;
}

const TENANT = "contoso.onmicrosoft.com";
const credentials = { username: ADA.username, password: ADA.password };

async function post(
  authority: LocalAuthority,
  path: string,
  form: Record<string, string>,
): Promise<Record<string, unknown>> {
  const init = { method: "POST", body: new URLSearchParams(form) };
  return await (await authority.handler(new Request(`${ORIGIN}/${TENANT}/oauth2/v2.0/${path}`, init))).json();
}

async function begin(authority: LocalAuthority, app = DEVICE_APP): Promise<DeviceCode> {
  const answer = await post(authority, "devicecode", { client_id: app.clientId, scope: "openid User.Read" });
  return answer as unknown as DeviceCode;
}

/** What the device is told. */
async function polled(authority: LocalAuthority, { device_code }: DeviceCode): Promise<unknown> {
  const answer = await post(authority, "token", {
    grant_type: "urn:ietf:params:oauth:grant-type:device_code",
    client_id: DEVICE_APP.clientId,
    device_code,
  });
  return answer["error"] ?? (answer["access_token"] ? "a token" : answer);
}

/** An authority whose devices may ask at once. */
const scene = () => {
  const clock = new FakeClock();
  return { ...signInScene({ clock, deviceCode: { intervalSeconds: 0 } }), clock };
};

test("a person types the code, signs in, confirms, and the device has its token", async () => {
  const { authority, browser } = scene();
  const device = await begin(authority);
  const page = await browser.open(device.verification_uri);
  assertEquals([page.status, page.heading, page.form!.fields["otc"]], [200, "Enter the code", ""]);
  // Case, blanks and hyphens do not matter.
  const typed = ` ${device.user_code.slice(0, 4).toLowerCase()}-${device.user_code.slice(4)} `;
  assertEquals((await browser.submit({ otc: typed })).heading, "Sign in");
  const confirm = await browser.submit(credentials);
  assertEquals(confirm.heading, `Are you trying to sign in to ${DEVICE_APP.name}?`);
  assertMatch(confirm.text, new RegExp(`<b>${device.user_code}</b>`));
  assertEquals(await polled(authority, device), "authorization_pending");
  assertEquals((await browser.submit()).heading, "You are signed in");
  assertEquals(await polled(authority, device), "a token");
});

test("a code in the address is filled in, but still shown and confirmed", async () => {
  const { authority, browser } = scene();
  for (const name of ["otc", "user_code"]) {
    const device = await begin(authority);
    const url = new URL(device.verification_uri);
    url.searchParams.set(name, device.user_code.toLowerCase());
    const page = await browser.open(url);
    assertEquals([page.heading, page.form!.fields["otc"]], ["Enter the code", device.user_code]);
    await browser.submit();
    if (browser.page.heading === "Sign in") await browser.submit(credentials);
    assertMatch(browser.page.heading, /^Are you trying/);
    assertEquals(await polled(authority, device), "authorization_pending");
  }
});

test("whoever declines, at the question or before, refuses the device", async () => {
  const { authority, browser } = scene();
  for (const steps of [0, 1]) {
    const device = await begin(authority);
    await browser.open(device.verification_uri);
    await browser.submit({ otc: device.user_code });
    if (steps > 0) await browser.submit(credentials);
    assertEquals((await browser.submit({ decision: "cancel" })).heading, "The device was not signed in");
    assertEquals(await polled(authority, device), "authorization_declined");
  }
});

test("a code that is wrong, has expired or was used is asked for again", async () => {
  const { authority, browser, clock } = scene();
  const device = await begin(authority);
  await browser.open(device.verification_uri);
  for (const otc of ["", "WRONG123", "<script>alert(1)</script>", "x".repeat(9000)]) {
    const page = await browser.submit({ otc });
    assertEquals([page.status, page.heading], [200, "Enter the code"]);
    assertMatch(page.text, /<p class="error" id="error" role="alert">This code is wrong/);
    assert(!page.text.includes("<script>"));
    assertEquals(page.form!.fields["otc"], otc.slice(0, 64).toUpperCase());
  }
  await browser.submit({ otc: device.user_code });
  await clock.advance(901_000);
  assertEquals((await browser.submit(credentials)).heading, "Enter the code");
  const used = await begin(authority);
  await browser.submit({ otc: used.user_code });
  await browser.submit(credentials);
  await browser.submit();
  await browser.open(device.verification_uri);
  assertEquals((await browser.submit({ otc: used.user_code })).heading, "Enter the code");
});

test("the confirmation cannot be skipped by posting another step", async () => {
  const { authority, browser } = scene();
  for (const step of ["consent", "mfa", "approve", ""]) {
    const device = await begin(authority);
    await browser.open(device.verification_uri);
    await browser.submit({ otc: device.user_code });
    if (browser.page.heading === "Sign in") await browser.submit(credentials);
    assertMatch((await browser.submit({ step })).heading, /^Are you trying/);
    const forged = await browser.submit({ step: "consent", done: "signedIn picked consented confirmed" });
    assertEquals(forged.status, 400);
    assertEquals(await polled(authority, device), "authorization_pending");
  }
});

test("what is confirmed before the second factor is not confirmed", async () => {
  const { authority, browser } = scene();
  const form = { client_id: DEVICE_APP.clientId, scope: "openid", claims: MFA_CLAIMS };
  const device = await post(authority, "devicecode", form) as unknown as DeviceCode;
  await browser.open(device.verification_uri);
  await browser.submit({ otc: device.user_code });
  assertEquals((await browser.submit(credentials)).heading, "Enter the code");
  assertEquals((await browser.submit({ step: "confirm" })).heading, "Enter the code");
  assertMatch((await browser.submit({ code: "000000" })).heading, /^Are you trying/);
  assertEquals(await polled(authority, device), "authorization_pending");
});

test("a form for one device does not confirm another, and one without a token confirms none", async () => {
  const { authority, browser } = scene();
  const [mine, theirs] = [await begin(authority), await begin(authority)];
  await browser.open(mine.verification_uri);
  await browser.submit({ otc: mine.user_code });
  await browser.submit(credentials);
  const { fields, action } = browser.page.form!;
  for (const changes of [{ request: theirs.user_code }, { form_token: "" }]) {
    const body = new URLSearchParams({ ...fields, ...changes });
    assertEquals((await browser.post(new URL(action, ORIGIN), body)).status, 400);
  }
  assertEquals([await polled(authority, mine), await polled(authority, theirs)], [
    "authorization_pending",
    "authorization_pending",
  ]);
});
