/** External ID at the local authority, and what cannot be declared of any shape. */
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { decodeJwt } from "jose";
import { EntraError, LocalAuthority, type TenantDeclaration } from "../src/testing/mod.ts";
import { ADA, CIAM, CIAM_CUSTOM, EVE, EXTERNAL, ShapeScene, WORKFORCE } from "./support/local_shapes.ts";
import { test } from "./support/suite.ts";

const ISSUER = `https://${EXTERNAL}.ciamlogin.com/${EXTERNAL}/v2.0`;
const DISCOVERY = "/v2.0/.well-known/openid-configuration";
const OTHER = "00000000-1111-4222-8333-444444444444";

test("what makes no sense of a tenant is refused when it is declared", () => {
  const policies = [{ name: "B2C_1_a" }];
  const hosts = ["adfs.example"];
  const cases: [string, Partial<TenantDeclaration>[]][] = [
    ["a workforce with a host", [{ hosts: ["login.example"] }]],
    ["a workforce with policies", [{ policies }]],
    ["B2C without policies", [{ kind: "b2c" }]],
    ["a policy of another name", [{ kind: "b2c", policies: [{ name: "signin" }] }]],
    ["a policy with a path", [{ kind: "b2c", policies: [{ name: "B2C_1_a/b" }] }]],
    ["AD FS without a host", [{ kind: "adfs" }]],
    ["AD FS with policies", [{ kind: "adfs", hosts, policies }]],
    ["a URL for a host", [{ kind: "adfs", hosts: ["https://adfs.example"] }]],
    ["a host of Microsoft's", [{ kind: "external", hosts: ["login.microsoftonline.com"] }]],
    ["a region of Microsoft's", [{ kind: "external", hosts: ["a.login.microsoftonline.us"] }]],
    ["a host twice", [{ kind: "adfs", hosts }, { id: OTHER, kind: "external", hosts }]],
  ];
  for (const [what, declared] of cases) {
    const tenants = declared.map((one) => ({ id: EXTERNAL, ...one }));
    assertThrows(() => new LocalAuthority({ tenants }), TypeError, "Cannot declare", what);
  }
});

test("a host of an external tenant answers for no alias and no other tenant", async () => {
  const scene = new ShapeScene();
  const users = { scope: "openid" };
  for (const host of [CIAM, CIAM_CUSTOM, `https://${EXTERNAL}.ciamlogin.com`]) {
    for (
      const name of ["common", "organizations", "consumers", WORKFORCE, "contoso.onmicrosoft.com", "nobody"]
    ) {
      const document = await scene.get(`${host}/${name}${DISCOVERY}`);
      assertEquals([document.status, document.body["error"]], [400, "invalid_tenant"], `${host}/${name}`);
      const { status } = await scene.post(`${host}/${name}/oauth2/v2.0/token`);
      assertEquals(status, 400, `${host}/${name}`);
      const url = scene.authorizeUrl(`${host}/${name}/oauth2/v2.0`, users);
      await assertRejects(() => scene.authority.signIn(url), EntraError);
    }
    assertEquals((await scene.get(`${host}/adfs/discovery/keys`)).status, 400);
    assertEquals((await scene.get(`${host}/${EXTERNAL}/B2C_1_signin${DISCOVERY}`)).status, 404);
  }
});

test("users of a workforce cannot sign in there, nor external ones through common", async () => {
  const scene = new ShapeScene();
  const there = scene.authorizeUrl(`${CIAM}/oauth2/v2.0`);
  const stranger = await assertRejects(
    () => scene.authority.signIn(there, { username: ADA.username }),
    EntraError,
  );
  assertEquals(stranger.code, 50020);
  const common = scene.authorizeUrl("https://login.microsoftonline.com/common/oauth2/v2.0");
  for (const { username } of [EVE, { username: "fay@corp.contoso.com" }, { username: "bob@mail.example" }]) {
    const error = await assertRejects(() => scene.authority.signIn(common, { username }), EntraError);
    assertEquals(error.code, 50034);
  }
});

test("a farm of AD FS is not one of Entra ID's tenants", async () => {
  const scene = new ShapeScene();
  const { status } = await scene.get(
    `https://login.microsoftonline.com/c4a1d5f7-3b2e-4f60-8d9c-1e2f3a4b5c6d${DISCOVERY}`,
  );
  assertEquals(status, 400);
});

const NAMES = ["", "/woodgrove.onmicrosoft.com", `/${EXTERNAL}`, `/${EXTERNAL.toUpperCase()}`];
for (const host of [CIAM, CIAM_CUSTOM, `https://${EXTERNAL}.ciamlogin.com`]) {
  test(`one issuer, and endpoints on the asked host: ${host}`, async () => {
    const scene = new ShapeScene();
    for (const segment of NAMES) {
      scene.authority.clearRequests();
      const { body } = await scene.get(`${host}${segment}${DISCOVERY}`);
      assertEquals(body["issuer"], ISSUER);
      const at = `${host}/${EXTERNAL}`;
      assertEquals(body["token_endpoint"], `${at}/oauth2/v2.0/token`);
      assertEquals(body["jwks_uri"], `${at}/discovery/v2.0/keys`);
      assertEquals(body["end_session_endpoint"], `${at}/oauth2/v2.0/logout`);
      assertEquals(body["userinfo_endpoint"], "https://graph.microsoft.com/oidc/userinfo");
      const { keys } = (await scene.get(`${host}${segment}/discovery/v2.0/keys`)).body;
      assertEquals(keys[0].issuer, ISSUER);
      const asked = `${host}${segment}/oauth2/v2.0`;
      const answer = await scene.tokens(asked, { scope: "openid profile" }, { client_info: "1" });
      const { iss, tid, preferred_username, nonce } = decodeJwt(answer["id_token"]);
      assertEquals([iss, tid, preferred_username, nonce], [ISSUER, EXTERNAL, EVE.username, "the-nonce"]);
      assertEquals(JSON.parse(atob(answer["client_info"])).utid, EXTERNAL);
      const graph = decodeJwt(answer["access_token"]);
      assertEquals(graph.iss, `https://sts.windows.net/${EXTERNAL}/`);
      const app = await scene.post(`${asked}/token`);
      assertEquals(decodeJwt(app.body["access_token"]).iss, ISSUER);
      const [first] = scene.authority.requests;
      assertEquals([first?.kind, first?.tenant], [
        "discovery",
        segment.slice(1).toLowerCase() || "woodgrove.onmicrosoft.com",
      ]);
    }
  });
}

test("on loopback the tenant segment tells, and the issuer is of the origin", async () => {
  const { authority } = new ShapeScene();
  const get = async (url: string) => await (await authority.handler(new Request(url))).json();
  const { issuer, jwks_uri } = await get(`http://127.0.0.1:1/woodgrove.onmicrosoft.com${DISCOVERY}`);
  assertEquals(issuer, `http://127.0.0.1:1/${EXTERNAL}/v2.0`);
  assertEquals((await get(jwks_uri)).keys[0].issuer, issuer);
  const byHost = new Request(`http://woodgrove.ciamlogin.com${DISCOVERY}`);
  assertEquals((await (await authority.handler(byHost)).json()).issuer, ISSUER);
});

test("a token that is issued without a request is of the tenant's own issuer", async () => {
  const { authority } = new ShapeScene();
  assertEquals(decodeJwt(await authority.issueIdToken({ username: EVE.username })).iss, ISSUER);
  const over = await authority.issueIdToken({ username: EVE.username, issuerOrigin: "http://127.0.0.1:1" });
  assertEquals(decodeJwt(over).iss, `http://127.0.0.1:1/${EXTERNAL}/v2.0`);
});

test("faults happen there as well", async () => {
  const scene = new ShapeScene();
  scene.authority.fault({ on: "token", kind: "entra_error", code: 7000222 });
  const { status, body } = await scene.post(`${CIAM}/oauth2/v2.0/token`);
  assertEquals([status, body["error_codes"]], [401, [7000222]]);
});
