/** The local authority's device code grant. */
import { assertEquals, assertFalse, assertMatch, assertThrows } from "@std/assert";
import { decodeJwt } from "jose";
import { EntraError, type LocalAuthorityOptions } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";
import {
  type Answer,
  type Changes,
  CLI,
  CONTOSO,
  FABRIKAM,
  type Json,
  USERS,
  UserScene,
  WEB,
} from "./support/user_scene.ts";

const GRANT = "urn:ietf:params:oauth:grant-type:device_code";
const SCOPE = "openid profile offline_access User.Read";

function outcome({ status, body }: Answer): unknown[] {
  return [status, body.error, body.error_codes?.[0]];
}

class DeviceScene extends UserScene {
  constructor(options: LocalAuthorityOptions = {}) {
    super(options);
  }

  start(changes: Changes = {}, tenant?: string): Promise<Answer> {
    return this.post({ client_id: CLI.clientId, scope: SCOPE, ...changes }, tenant, "devicecode");
  }

  async started(changes: Changes = {}, tenant?: string): Promise<Json> {
    return (await this.start(changes, tenant)).body;
  }

  poll(device_code: string, changes: Changes = {}, tenant?: string): Promise<Answer> {
    const fields = { grant_type: GRANT, client_id: CLI.clientId, client_info: "1", device_code };
    return this.post({ ...fields, ...changes }, tenant);
  }
}

test("a device is told a code, where to type it, and how often to ask", async () => {
  const scene = new DeviceScene();
  const { status, body } = await scene.start();
  const { user_code, device_code, message, ...rest } = body;
  const page = "https://login.microsoftonline.com/common/oauth2/deviceauth";
  assertEquals([status, rest], [200, { verification_uri: page, expires_in: 900, interval: 5 }]);
  assertMatch(user_code, /^[A-HJ-NP-Z2-9]{9}$/);
  assertMatch(device_code, /^1\.D[\w-]{64}$/);
  assertEquals([message.includes(page), message.includes(user_code)], [true, true]);
});

test("a device that waits gets its tokens once the user agrees", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  assertEquals(outcome(await scene.poll(device_code)), [400, "authorization_pending", 70016]);
  scene.authority.approveDevice(user_code, { username: "bob@contoso.onmicrosoft.com" });
  const { status, body } = await scene.poll(device_code);
  assertEquals([status, body.scope], [200, "openid profile User.Read"]);
  assertEquals(decodeJwt(body.id_token)["preferred_username"], "bob@contoso.onmicrosoft.com");
  assertEquals(JSON.parse(atob(body.client_info)).utid, CONTOSO.id);
  const refreshed = await scene.refresh(body.refresh_token, {
    client_id: CLI.clientId,
    client_secret: undefined,
  });
  assertEquals(refreshed.status, 200);
});

test("a device may send its code under the old name, as MSAL Python does under both", async () => {
  const scene = new DeviceScene();
  for (const old of [{ device_code: undefined }, {}]) {
    const { device_code, user_code } = await scene.started();
    scene.authority.approveDevice(user_code);
    assertEquals((await scene.poll(device_code, { ...old, code: device_code })).status, 200);
  }
});

test("a code is typed in any case, with blanks and hyphens", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  scene.authority.approveDevice(` ${user_code.slice(0, 3).toLowerCase()}-${user_code.slice(3)} `);
  assertEquals((await scene.poll(device_code)).status, 200);
});

test("RFC 8628 section 3.5: a device that hurries is told to slow down, for good", async () => {
  const scene = new DeviceScene();
  const { device_code } = await scene.started();
  const ask = async (afterMs: number) => {
    await scene.clock.advance(afterMs);
    return (await scene.poll(device_code)).body.error;
  };
  assertEquals(await ask(0), "authorization_pending");
  assertEquals(await ask(4_000), "authorization_pending");
  assertEquals(await ask(3_000), "slow_down");
  assertEquals(await ask(5_000), "slow_down");
  assertEquals(await ask(15_000), "authorization_pending");
  assertEquals(await ask(13_000), "slow_down");
});

test("a device is refused with the reason", async () => {
  const scene = new DeviceScene({
    apps: [WEB, CLI, { ...CLI, clientId: "11111111-0000-4000-8000-000000000001" }],
  });
  const { device_code } = await scene.started();
  const cases: readonly (readonly [string, Changes, readonly unknown[], string?])[] = [
    ["no code", { device_code: undefined }, [400, "invalid_request", 900144]],
    ["an unknown code", { device_code: "1.Dxxx" }, [400, "bad_verification_code", 70018]],
    ["another client", { client_id: "11111111-0000-4000-8000-000000000001" }, [400, "invalid_grant", 700007]],
    ["a confidential client", { client_id: WEB.clientId }, [401, "invalid_client", 7000218]],
    ["a secret", { client_secret: "x" }, [401, "invalid_client", 700025]],
    ["no client", { client_id: undefined }, [400, "invalid_request", 900144]],
    ["an unknown tenant", {}, [400, "invalid_request", 90002], "nowhere.example"],
  ];
  for (const [name, changes, expected, tenant] of cases) {
    assertEquals(outcome(await scene.poll(device_code, changes, tenant)), expected, name);
  }
});

test("a device whose user declines is told so, again and again", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  scene.authority.approveDevice(user_code, { decline: true });
  for (let round = 0; round < 2; round++) {
    assertEquals(outcome(await scene.poll(device_code)), [400, "authorization_declined", 70017]);
  }
});

test("a device code is redeemed once", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  scene.authority.approveDevice(user_code);
  const answers = await Promise.all([scene.poll(device_code), scene.poll(device_code)]);
  assertEquals(answers.map(({ status }) => status).sort(), [200, 400]);
  assertEquals(outcome(await scene.poll(device_code)), [400, "invalid_grant", 54005]);
});

test("a code that has expired, was used or never was cannot be typed, and the device hears of it", async () => {
  const scene = new DeviceScene({ deviceCode: { lifetimeSeconds: 60, intervalSeconds: 1 } });
  const late = await scene.started();
  assertEquals([late.expires_in, late.interval], [60, 1]);
  const used = await scene.started();
  scene.authority.approveDevice(used.user_code);
  await scene.clock.advance(60_000);
  assertEquals(outcome(await scene.poll(late.device_code)), [400, "expired_token", 70020]);
  for (const code of [late.user_code, used.user_code, "WRONGCODE", ""]) {
    for (const decline of [false, true]) {
      const error = assertThrows(() => scene.authority.approveDevice(code, { decline }), EntraError);
      assertEquals(error.code, 70018);
    }
  }
});

test("a user who does not belong there cannot approve a device, which keeps waiting", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  for (const { username } of [USERS[2], USERS[3], { username: "nobody@contoso.onmicrosoft.com" }]) {
    assertThrows(() => scene.authority.approveDevice(user_code, { username }), EntraError);
  }
  assertEquals((await scene.poll(device_code)).body.error, "authorization_pending");
});

test("the device endpoint refuses what it cannot start", async () => {
  const single = { ...CLI, clientId: "11111111-0000-4000-8000-000000000001", audience: "single" as const };
  const scene = new DeviceScene({ apps: [WEB, CLI, single] });
  const cases: readonly (readonly [string, Changes, readonly unknown[], string?])[] = [
    ["no client", { client_id: undefined }, [400, "invalid_request", 900144]],
    ["an unknown client", { client_id: "nobody" }, [400, "unauthorized_client", 700016]],
    ["no scope", { scope: undefined }, [400, "invalid_request", 900144]],
    ["an unknown permission", { scope: "Nothing.Read" }, [400, "invalid_client", 650053]],
    ["an unknown resource", { scope: "api://nothing/x" }, [400, "invalid_resource", 500011]],
    ["broken claims", { claims: "{" }, [400, "invalid_request", 9002313]],
    ["an unknown tenant", {}, [400, "invalid_request", 90002], "nowhere.example"],
    [
      "an app of one tenant on common",
      { client_id: single.clientId },
      [400, "invalid_request", 50194],
      "common",
    ],
  ];
  for (const [name, changes, expected, tenant] of cases) {
    assertEquals(outcome(await scene.start(changes, tenant)), expected, name);
  }
  const url = `https://login.microsoftonline.com/common/oauth2/v2.0/devicecode`;
  assertEquals((await scene.authority.fetch(url)).status, 405);
});

test("a device that asks for an authentication context gets it from a user who can", async () => {
  const scene = new DeviceScene();
  const claims = JSON.stringify({ access_token: { acrs: { essential: true, value: "c1" } } });
  const { device_code, user_code } = await scene.started({ claims });
  const bob = { username: "bob@contoso.onmicrosoft.com" };
  assertEquals(assertThrows(() => scene.authority.approveDevice(user_code, bob), EntraError).code, 50079);
  scene.authority.approveDevice(user_code);
  const { body } = await scene.poll(device_code, { claims });
  assertEquals(decodeJwt(body.access_token)["acrs"], ["c1"]);
});

test("a guest signs in on a device where they are one", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started({}, FABRIKAM.id);
  scene.authority.approveDevice(user_code);
  const { body } = await scene.poll(device_code, {}, FABRIKAM.id);
  assertEquals(decodeJwt(body.id_token)["tid"], FABRIKAM.id);
});

test("neither code is in the log", async () => {
  const scene = new DeviceScene();
  const { device_code, user_code } = await scene.started();
  await scene.poll(device_code);
  const log = JSON.stringify(scene.authority.requests);
  assertFalse(log.includes(device_code));
  assertFalse(log.includes(user_code));
  assertEquals(scene.authority.countRequests({ kind: "devicecode", clientId: CLI.clientId }), 1);
});
