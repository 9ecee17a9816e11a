/** What can be declared of users and their apps, what has a default, and what is refused. */
import { assertEquals, assertMatch, assertNotEquals, assertThrows } from "@std/assert";
import { decodeJwt } from "jose";
import { LocalAuthority, type LocalAuthorityOptions } from "../src/testing/mod.ts";
import { readLogoutRequest } from "../src/testing/logout.ts";
import { servicesOf } from "../src/testing/services.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, FABRIKAM, UserScene, WEB } from "./support/user_scene.ts";

const GUID = "00000000-1111-4222-8333-444444444444";

test("an authority without options has a user and a public client", () => {
  const { username, password, publicClientId, userScope, clientId } = new LocalAuthority().defaults;
  assertEquals([username, password], ["alex@contoso.onmicrosoft.com", "local-password"]);
  assertEquals(userScope, "https://graph.microsoft.com/User.Read");
  assertMatch(publicClientId, /^[0-9a-f-]{36}$/);
  assertNotEquals(publicClientId, clientId);
});

test("defaults are the first of what is declared, or empty", () => {
  const users = [{ username: "A@x.example", password: "p" }, { username: "b@x.example" }];
  const first = new UserScene({ users }).authority.defaults;
  assertEquals([first.username, first.password, first.userScope], [
    "a@x.example",
    "p",
    "api://orders/Orders.Read",
  ]);
  const none = new LocalAuthority({ tenants: [], users: [], apps: [] }).defaults;
  assertEquals([none.username, none.password, none.publicClientId, none.domain], ["", "", "", ""]);
});

test("a user's object id is the same in every authority, and another for every user and tenant", async () => {
  const guestOf = [{ tenant: FABRIKAM.id }];
  const users = [{ username: "a@x.example", guestOf }, { username: "b@x.example", guestOf }];
  const oid = async (username: string, tenant: string = CONTOSO.id) => {
    const token = await new UserScene({ users }).authority.issueIdToken({ username, tenant });
    return String(decodeJwt(token)["oid"]);
  };
  const ids = [
    await oid("a@x.example"),
    await oid("b@x.example"),
    await oid("a@x.example", FABRIKAM.id),
    await oid("b@x.example", FABRIKAM.id),
  ];
  assertEquals(new Set(ids).size, 4);
  for (const id of ids) assertMatch(id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  assertEquals(await oid("A@X.example"), ids[0]);
});

test("ids that are declared are used", async () => {
  const other = "00000000-1111-4222-8333-555555555555";
  const users = [{ username: "a@x.example", id: GUID, guestOf: [{ tenant: FABRIKAM.id, id: other }] }];
  const { authority } = new UserScene({ users });
  assertEquals(decodeJwt(await authority.issueIdToken())["oid"], GUID);
  assertEquals(decodeJwt(await authority.issueIdToken({ tenant: FABRIKAM.id }))["oid"], other);
});

test("declarations that make no sense are refused", () => {
  const cases: readonly (readonly [string, LocalAuthorityOptions])[] = [
    ["a user twice", { users: [{ username: "a@x" }, { username: "A@X" }] }],
    ["an id that is none", { users: [{ username: "a@x", id: "1" }] }],
    ["an unknown home", { users: [{ username: "a@x", tenant: "nowhere.example" }] }],
    ["a guest of nowhere", { users: [{ username: "a@x", guestOf: [{ tenant: "nowhere.example" }] }] }],
    ["a guest's id that is none", {
      users: [{ username: "a@x", guestOf: [{ tenant: FABRIKAM.id, id: "1" }] }],
    }],
    ["a user without a tenant", { tenants: [], apps: [], users: [{ username: "a@x" }] }],
    ["a relative redirect URI", { apps: [{ ...WEB, redirectUris: ["/callback"] }] }],
    ["a redirect URI with a fragment", { apps: [{ ...WEB, redirectUris: ["https://x.example/#"] }] }],
  ];
  for (const [name, options] of cases) {
    assertThrows(() => new UserScene(options), TypeError, "Cannot declare", name);
  }
});

test("the daemon app still gets its app token, and the public one gets none", async () => {
  const authority = new LocalAuthority();
  const { tenantId, clientId, clientSecret, publicClientId, scope } = authority.defaults;
  const url = `https://login.microsoftonline.com/${tenantId}/oauth2/v2.0/token`;
  const ask = async (client_id: string, secret: Record<string, string>) => {
    const body = new URLSearchParams({ grant_type: "client_credentials", client_id, scope, ...secret });
    const response = await authority.fetch(url, { method: "POST", body });
    return [response.status, (await response.json()).error_codes?.[0]];
  };
  assertEquals(await ask(clientId, { client_secret: clientSecret }), [200, undefined]);
  assertEquals(await ask(publicClientId, {}), [401, 7000216]);
  assertEquals(await ask(publicClientId, { client_secret: clientSecret }), [401, 700025]);
});

test("sign-out is read generously, and redirects nowhere that is not registered", async () => {
  const app = { ...WEB, logoutUris: ["https://web.example/signed-out"] };
  const services = servicesOf({ tenants: [CONTOSO], apps: [app] });
  // Only the services are looked at.
  const exchange = { services } as unknown as Parameters<typeof readLogoutRequest>[0];
  const read = (fields: Record<string, string>) => {
    const { redirectTo, logoutHint, app: asking } = readLogoutRequest(exchange, new URLSearchParams(fields));
    return [redirectTo, logoutHint, asking?.clientId];
  };
  const idToken = await new UserScene().authority.issueIdToken();
  const uri = "https://web.example/callback";
  assertEquals(read({}), [undefined, undefined, undefined]);
  assertEquals(read({ post_logout_redirect_uri: uri }), [uri, undefined, undefined]);
  assertEquals(read({ post_logout_redirect_uri: uri, state: "s" }), [`${uri}?state=s`, undefined, undefined]);
  assertEquals(read({ post_logout_redirect_uri: "https://evil.example/" }), [
    undefined,
    undefined,
    undefined,
  ]);
  assertEquals(read({ post_logout_redirect_uri: "javascript:alert(1)" }), [undefined, undefined, undefined]);
  assertEquals(read({ id_token_hint: "rubbish", client_id: "nobody" }), [undefined, undefined, undefined]);
  assertEquals(read({ id_token_hint: idToken }), [undefined, "ada@contoso.onmicrosoft.com", WEB.clientId]);
  assertEquals(read({ logout_hint: `O.${btoa("ada@x.example")}` }), [undefined, "ada@x.example", undefined]);
  assertEquals(read({ logout_hint: "O.%" }), [undefined, undefined, undefined]);
});
