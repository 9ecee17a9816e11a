/** The local authority in every cloud of Microsoft's, its aliases and its regions (R-016, section 3.8). */
import { assertEquals, assertRejects } from "@std/assert";
import { decodeJwt } from "jose";
import { CLIENT_ID, clientCertificate, ShapeScene, WORKFORCE } from "./support/local_shapes.ts";
import { signedByHand } from "./support/local_assertions.ts";
import { test } from "./support/suite.ts";

/** Each cloud's hosts, the one that issuers name first; the host of its old issuer, and its Graph. */
const CLOUDS: readonly (readonly [string, string, string])[] = [
  [
    "login.microsoftonline.com login.windows.net login.microsoft.com sts.windows.net",
    "sts.windows.net",
    "graph.microsoft.com",
  ],
  [
    "login.partner.microsoftonline.cn login.chinacloudapi.cn",
    "sts.chinacloudapi.cn",
    "microsoftgraph.chinacloudapi.cn",
  ],
  ["login.microsoftonline.de", "sts.microsoftonline.de", "graph.microsoft.de"],
  ["login.microsoftonline.us login.usgovcloudapi.net", "sts.windows.net", "graph.microsoft.us"],
  ["login.sovcloud-identity.fr", "sts.windows.net", "graph.svc.sovcloud.fr"],
  ["login.sovcloud-identity.de", "sts.windows.net", "graph.svc.sovcloud.de"],
  ["login.sovcloud-identity.sg", "sts.windows.net", "graph.svc.sovcloud.sg"],
];

test("hosts that only look like a region's, or like a tenant's own, are foreign", async () => {
  const { authority } = new ShapeScene();
  const strangers = [
    "login.microsoftonline.com.evil.example",
    "a.b.login.microsoft.com",
    "-.login.microsoft.com",
    "-a.login.microsoftonline.us",
    "1west.login.microsoftonline.us",
    "evil-login.microsoftonline.us",
    "westus2.microsoftonline.com",
    "other.ciamlogin.com",
    "woodgrove.ciamlogin.com.evil.example",
    "woodgrove.ciamlogin.com:8443",
    "evil.woodgrove.ciamlogin.com",
    "other.b2clogin.com",
    "evil.adfs.contoso.com",
    "contoso.com",
  ];
  for (const host of strangers) {
    const url = `https://${host}/${WORKFORCE}/v2.0/.well-known/openid-configuration`;
    await assertRejects(() => authority.fetch(url), TypeError, "does not answer", host);
  }
  await assertRejects(() => authority.fetch("http://adfs.contoso.com/adfs/discovery/keys"), TypeError);
  assertEquals(authority.countRequests({ kind: "foreign" }), strangers.length + 1);
});

for (const [names, sts, graph] of CLOUDS) {
  const hosts = names.split(" ");
  const [central = ""] = hosts;

  test(`documents, keys and tokens on each host of ${central}`, async () => {
    const scene = new ShapeScene();
    for (const host of [...hosts, ...hosts.map((one) => `eastus.${one}`)]) {
      const at = `https://${host}/${WORKFORCE}`;
      const { body } = await scene.get(`${at}/v2.0/.well-known/openid-configuration`);
      assertEquals([body["issuer"], body["token_endpoint"], body["msgraph_host"]], [
        `https://${central}/${WORKFORCE}/v2.0`,
        `${at}/oauth2/v2.0/token`,
        graph,
      ]);
      const keys = await scene.get(body["jwks_uri"]);
      assertEquals(keys.body["keys"][0].issuer, body["issuer"]);
      const instance = new URLSearchParams({
        "api-version": "1.1",
        authorization_endpoint: `${at}/oauth2/v2.0/authorize`,
      });
      const found = await scene.get(`https://${host}/common/discovery/instance?${instance}`);
      assertEquals(found.body["tenant_discovery_endpoint"], `${at}/v2.0/.well-known/openid-configuration`);
      const app = await scene.post(`${at}/oauth2/v2.0/token`);
      assertEquals(decodeJwt(app.body["access_token"]).iss, `https://${central}/${WORKFORCE}/v2.0`);
      const old = await scene.post(`${at}/oauth2/v2.0/token`, { scope: `https://${graph}/.default` });
      assertEquals(decodeJwt(old.body["access_token"]).iss, `https://${sts}/${WORKFORCE}/`);
      const user = await scene.tokens(`${at}/oauth2/v2.0`, { scope: `openid https://${graph}/User.Read` });
      assertEquals(decodeJwt(user["id_token"]).iss, `https://${central}/${WORKFORCE}/v2.0`);
      const headers = { authorization: `Bearer ${user["access_token"]}` };
      const me = await scene.authority.fetch(`https://${graph}/v1.0/me`, { headers });
      assertEquals((await me.json()).displayName, "Ada");
    }
  });
}

test("a region takes an assertion for the central endpoint, and none for another cloud's", async () => {
  const certificate = await clientCertificate();
  const scene = new ShapeScene({}, [certificate.pem]);
  const seconds = scene.clock.now() / 1000;
  const ask = async (aud: string, host: string) => {
    const claims = { aud, iss: CLIENT_ID, sub: CLIENT_ID, jti: "1", nbf: seconds, exp: seconds + 600 };
    const header = { alg: "RS256", "x5t#S256": certificate.x5tS256 };
    const { status, body } = await scene.post(`https://${host}/${WORKFORCE}/oauth2/v2.0/token`, {
      client_secret: undefined,
      client_assertion_type: "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
      client_assertion: await signedByHand(header, claims, certificate.keys.privateKey),
    });
    return [status, body["error_codes"]?.[0]];
  };
  const endpoint = (host: string): string => `https://${host}/${WORKFORCE}/oauth2/v2.0/token`;
  const [us, pub] = ["login.microsoftonline.us", "login.microsoftonline.com"];
  assertEquals(await ask(endpoint(us), `usgovtexas.${us}`), [200, undefined]);
  assertEquals(await ask(endpoint(pub), "westus2.login.microsoft.com"), [200, undefined]);
  assertEquals(await ask(endpoint(pub), `usgovtexas.${us}`), [401, 700023]);
  assertEquals(await ask(endpoint(us), "westus2.login.microsoft.com"), [401, 700023]);
});
