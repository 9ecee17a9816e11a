/** Our own clients at the local authority, in every shape that it plays. */
import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { allowInsecureLoopback, type AuthorityType, type ConfidentialClientOptions } from "../mod.ts";
import { createWebAuth } from "../src/web/mod.ts";
import {
  ADA,
  ADFS,
  B2C,
  B2C_CUSTOM,
  BOB,
  CIAM,
  CIAM_CUSTOM,
  CLIENT_ID,
  clientCertificate,
  CONSUMER,
  EVE,
  EXTERNAL,
  FAY,
  privateKeyPem,
  REDIRECT_URI,
  ShapeScene,
  WORKFORCE,
} from "./support/local_shapes.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, SITE, Visitor } from "./support/web_scene.ts";

interface Case {
  readonly name: string;
  readonly type: AuthorityType;
  readonly options: Partial<ConfidentialClientOptions>;
  readonly username: string;
  readonly issuer: string;
  readonly logout: string;
  /** The scopes of an app's token. */
  readonly app?: readonly string[];
  /** The scopes of a user's token. */
  readonly user?: readonly string[];
}

const LOOP = "http://127.0.0.1:8123";
const READ = ["https://orders.contoso.com/Orders.Read"];
const CLOUD_HOSTS: readonly (readonly [string, string])[] = [
  ["login.microsoftonline.com", "login.microsoftonline.com"],
  ["login.windows.net", "login.microsoftonline.com"],
  ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn"],
  ["login.microsoftonline.us", "login.microsoftonline.us"],
  ["login.usgovcloudapi.net", "login.microsoftonline.us"],
  ["login.microsoftonline.de", "login.microsoftonline.de"],
  ["login-us.microsoftonline.com", "login-us.microsoftonline.com"],
  ["login.sovcloud-identity.fr", "login.sovcloud-identity.fr"],
  ["login.sovcloud-identity.de", "login.sovcloud-identity.de"],
  ["login.sovcloud-identity.sg", "login.sovcloud-identity.sg"],
];

function cloud([host, network]: readonly [string, string]): Case {
  return {
    name: `the cloud of ${host}`,
    type: "aad",
    options: { authority: `https://${host}/${WORKFORCE}` },
    username: ADA.username,
    issuer: `https://${network}/${WORKFORCE}/v2.0`,
    logout: `https://${network}/${WORKFORCE}/oauth2/v2.0/logout`,
  };
}

function external(name: string, options: Partial<ConfidentialClientOptions>, base: string): Case {
  return {
    name: `External ID ${name}`,
    type: "ciam",
    options,
    username: EVE.username,
    issuer: `https://${EXTERNAL}.ciamlogin.com/${EXTERNAL}/v2.0`,
    logout: `${base}/oauth2/v2.0/logout`,
  };
}

function b2c(
  name: string,
  base: string,
  issuer: string,
  rest: Partial<ConfidentialClientOptions> = {},
): Case {
  return {
    name: `Azure AD B2C ${name}`,
    type: "b2c",
    options: { authority: base, ...rest },
    username: BOB.username,
    issuer,
    logout: `${base.toLowerCase()}/oauth2/v2.0/logout`,
  };
}

const CASES: readonly Case[] = [
  ...CLOUD_HOSTS.map(cloud),
  external("by its host", { authority: CIAM }, `${CIAM}/woodgrove.onmicrosoft.com`),
  external(
    "by domain",
    { authority: `${CIAM}/woodgrove.onmicrosoft.com` },
    `${CIAM}/woodgrove.onmicrosoft.com`,
  ),
  external("by GUID", { authority: `${CIAM}/${EXTERNAL}` }, `${CIAM}/${EXTERNAL}`),
  external(
    "by the host of its issuer",
    { authority: `https://${EXTERNAL}.ciamlogin.com` },
    `https://${EXTERNAL}.ciamlogin.com/${EXTERNAL}`,
  ),
  external(
    "on a domain of its own",
    { authority: `${CIAM_CUSTOM}/${EXTERNAL}`, knownAuthorities: ["login.woodgrove.com"] },
    `${CIAM_CUSTOM}/${EXTERNAL}`,
  ),
  {
    ...external("on loopback", { authority: `${LOOP}/${EXTERNAL}` }, `${LOOP}/${EXTERNAL}`),
    type: "aad",
    issuer: `${LOOP}/${EXTERNAL}/v2.0`,
  },
  b2c("by domain", `${B2C}/B2C_1_signin`, `https://fabrikam.b2clogin.com/${CONSUMER}/v2.0/`),
  b2c(
    "by tfp",
    "https://fabrikam.b2clogin.com/tfp/fabrikam.onmicrosoft.com/B2C_1A_tfp",
    `https://fabrikam.b2clogin.com/tfp/${CONSUMER}/b2c_1a_tfp/v2.0/`,
  ),
  b2c("with acr", `${B2C}/B2C_1_old`, `https://fabrikam.b2clogin.com/${CONSUMER}/v2.0/`),
  b2c(
    "on a domain of its own",
    `${B2C_CUSTOM}/${CONSUMER}/B2C_1_signin`,
    `${B2C_CUSTOM}/${CONSUMER}/v2.0/`,
    { knownAuthorities: ["login.fabrikam.com"] },
  ),
  b2c("on loopback", `${LOOP}/fabrikam.onmicrosoft.com/B2C_1_signin`, `${LOOP}/${CONSUMER}/v2.0/`),
  ...[ADFS, `${LOOP}/adfs`].map((base): Case => ({
    name: `AD FS at ${base}`,
    type: "adfs",
    options: { authority: base, knownAuthorities: ["adfs.contoso.com"] },
    username: FAY.username,
    issuer: base,
    logout: `${base}/oauth2/logout`,
    app: ["https://orders.contoso.com/openid"],
    user: ["https://orders.contoso.com/allatclaims"],
  })),
];

/** A client of a case: in process, or through the handler of the loopback face. */
async function sceneOf({ options }: Case) {
  const { pem } = await clientCertificate();
  const scene = new ShapeScene({}, [pem]);
  const isLoopback = `${options.authority}`.startsWith(LOOP);
  const handled = {
    fetch: (input: string, init: RequestInit) => scene.authority.handler(new Request(input, init)),
  };
  const face = isLoopback ? { ...handled, [allowInsecureLoopback]: true } : {};
  const make = (more: Partial<ConfidentialClientOptions> = {}) =>
    scene.client({ ...options, ...face, ...more } as Partial<ConfidentialClientOptions>);
  return { scene, make };
}

for (const one of CASES) {
  const { name } = one;

  test(`an app token by secret and by certificate: ${name}`, async () => {
    const { pem } = await clientCertificate();
    const certificate = { privateKey: await privateKeyPem(), publicCertificate: pem };
    const { scene, make } = await sceneOf(one);
    for (const clientCredential of ["s3cret", certificate]) {
      scene.authority.clearRequests();
      const app = make({ clientCredential });
      const request = { scopes: one.app ?? ["https://orders.contoso.com/.default"] };
      const { accessToken, tokenSource } = await app.acquireTokenForClient(request);
      const { azp, appid } = decodeJwt(accessToken) as Record<string, unknown>;
      assertEquals([azp ?? appid, tokenSource], [CLIENT_ID, "identity_provider"]);
      assertEquals((await app.acquireTokenForClient(request)).tokenSource, "cache");
      assertEquals(scene.authority.countRequests({ kind: "token", status: 200 }), 1);
      assertEquals(scene.authority.countRequests({ kind: "foreign" }), 0);
    }
  });

  test(`a user's sign-in, silent refresh and sign-out: ${name}`, async () => {
    const { scene, make } = await sceneOf(one);
    const app = make();
    const scopes = one.user ?? READ;
    const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri: REDIRECT_URI });
    const { parameters } = await scene.authority.signIn(flow.authUri);
    const first = await app.acquireTokenByAuthCodeFlow(flow, parameters);
    assertEquals(first.idTokenClaims?.iss, one.issuer);
    assertEquals(first.account?.username, one.username);
    const { homeAccountId = "" } = first.account ?? {};
    const account = homeAccountId;
    assertEquals((await app.acquireTokenSilent({ scopes, account })).tokenSource, "cache");
    await scene.clock.advance(2 * 3600_000);
    const renewed = await app.acquireTokenSilent({ scopes, account });
    assertEquals(renewed.tokenSource, "identity_provider");
    assertNotEquals(renewed.accessToken, first.accessToken);
    assertEquals(renewed.account?.homeAccountId, homeAccountId);
    const out = await app.getSignOutUrl({ postLogoutRedirectUri: "https://app.example/" });
    assert(out.startsWith(`${one.logout}?`), out);
    const { url } = await scene.authority.signOut(out);
    assertEquals(url?.href, "https://app.example/");
    const bare = await make().initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI });
    const answer = (await scene.authority.signIn(bare.authUri)).parameters;
    const { accessToken } = await app.acquireTokenByAuthCodeFlow(bare, answer);
    assert(accessToken !== "", "no scope of an API is asked for");
    assertEquals(scene.authority.countRequests({ kind: "foreign" }), 0);
  });
}

const WEB = CASES.filter(({ name }) =>
  [
    "External ID by its host",
    "Azure AD B2C by tfp",
    `AD FS at ${ADFS}`,
    "the cloud of login.microsoftonline.us",
  ]
    .includes(name)
);
for (const one of WEB) {
  test(`createWebAuth signs a visitor in: ${one.name}`, async () => {
    const { scene, make } = await sceneOf(one);
    const auth = createWebAuth(
      {
        app: make(),
        baseUrl: SITE,
        cookieSecret: COOKIE_SECRET,
        clock: scene.clock,
        sessionClaims: ["iss"],
      } as Parameters<typeof createWebAuth>[0],
    );
    const page = auth.requireUser((_, { user }) => Response.json(user));
    const visitor = new Visitor(async (request) => await auth.route(request) ?? await page(request));
    const sent = await visitor.visit("/page");
    assertEquals(sent.status, 303);
    const { url, mode } = await scene.authority.signIn(sent.location);
    assertEquals(mode, "query");
    const back = await visitor.visit(url, { crossSite: true });
    assertEquals([back.status, back.location], [303, "/page"], back.text);
    assertEquals(JSON.parse((await visitor.visit("/page")).text).claims.iss, one.issuer);
    const out = await visitor.post("/auth/sign-out", { headers: { origin: SITE } });
    assert(out.location.startsWith(`${one.logout}?`), out.location);
  });
}

test("an app token comes from the region, in every cloud, and is of the central issuer", async () => {
  for (
    const [host, asked] of [
      ["login.microsoftonline.com", "westus2.login.microsoft.com"],
      ["login.windows.net", "westus2.login.microsoft.com"],
      ["login.microsoftonline.us", "westus2.login.microsoftonline.us"],
      ["login.partner.microsoftonline.cn", "westus2.login.partner.microsoftonline.cn"],
    ]
  ) {
    const { pem } = await clientCertificate();
    const scene = new ShapeScene({}, [pem]);
    for (
      const clientCredential of ["s3cret", {
        privateKey: await privateKeyPem(),
        publicCertificate: pem,
      }]
    ) {
      scene.authority.clearRequests();
      const app = scene.client({
        authority: `https://${host}/${WORKFORCE}`,
        azureRegion: "westus2",
        clientCredential,
      });
      const { accessToken } = await app.acquireTokenForClient({
        scopes: ["https://orders.contoso.com/.default"],
      });
      const central = host === "login.windows.net" ? "login.microsoftonline.com" : host;
      assertEquals(decodeJwt(accessToken).iss, `https://${central}/${WORKFORCE}/v2.0`);
      assertEquals(scene.authority.requests.map((one) => one.host), [asked]);
    }
  }
});
