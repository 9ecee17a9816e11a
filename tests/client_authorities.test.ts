/** The clients at authorities of every shape: decision 2, sections 3.1 to 3.5, R-016, R-022, R-036, R-050, R-071..R-082. */
import { assert, assertEquals } from "@std/assert";
import type { AuthCodeFlow } from "../mod.ts";
import {
  callback,
  CLIENT_ID,
  clientInfo,
  nonceOf,
  OTHER_TENANT_ID,
  REDIRECT_URI,
  TENANT_ID,
  USER_ID,
} from "./support/entra_double.ts";
import { CLIENT_SHAPES, type ClientShape, shapeDouble, shapeOf } from "./support/client_shapes.ts";
import { adfsDocument } from "./support/microsoft_documents.ts";
import { jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const TELEMETRY = ["x-client-sku", "x-client-current-telemetry", "client-request-id"];

/** A client of a shape, and a sign-in there. */
async function signedIn(shape: ClientShape, scopes: readonly string[] = []) {
  const double = shapeDouble(shape);
  const app = double.confidential(shape.options);
  const result = await double.signIn(app, shape.claims, shape.members, scopes);
  return { double, app, result };
}

for (const shape of CLIENT_SHAPES) {
  const { name, options, at, documentUrl, isEntra } = shape;

  test(`decision 2: the first app token of ${name} costs ${shape.follows ? 1 : 2} request(s)`, async () => {
    const double = shapeDouble(shape);
    const app = double.confidential(options);
    double.next({ access_token: "AT", token_type: "Bearer", expires_in: 3600 });
    const request = { scopes: shape.appScopes };
    const result = await double.settle(app.acquireTokenForClient(request));
    assertEquals([result.accessToken, result.account], ["AT", null]);
    assertEquals(double.posts.map(({ url }) => url), [`${at}/token`]);
    assertEquals(double.gets.map(({ url }) => url), shape.follows ? [] : [documentUrl]);
    const [post] = double.posts;
    for (const header of TELEMETRY) assertEquals(post?.headers.has(header), isEntra, header);
    assertEquals(post?.form.get("client_info"), isEntra ? "1" : null);
    assertEquals((await double.settle(app.acquireTokenForClient(request))).tokenSource, "cache");
    await app.removeTokensForClient();
    double.next({ access_token: "AT 2", token_type: "Bearer", expires_in: 3600 });
    assertEquals((await double.settle(app.acquireTokenForClient(request))).accessToken, "AT 2");
  });

  test(`sign-in, cache, refresh and sign-out at ${name}`, async () => {
    const { double, app, result } = await signedIn(shape);
    assertEquals(result.account?.homeAccountId, shape.homeAccountId);
    assertEquals(result.account?.username, "alex@contoso.example");
    assertEquals(result.idTokenClaims?.iss, shape.claims["iss"]);
    assertEquals(double.posts.map(({ url }) => url), [`${at}/token`]);
    assertEquals(double.posts[0]?.form.get("client_info"), isEntra ? "1" : null);
    const silent = { scopes: [], account: shape.homeAccountId };
    assertEquals((await double.settle(app.acquireTokenSilent(silent))).tokenSource, "cache");
    double.next(await double.answer(shape.claims, shape.members));
    const renewed = await double.settle(app.acquireTokenSilent({ ...silent, forceRefresh: true }));
    assertEquals([renewed.accessToken, renewed.account?.homeAccountId], ["AT 2", shape.homeAccountId]);
    const [, refresh] = double.posts;
    // A domain is asked once; then the tenant is known.
    assertEquals(refresh?.url, `${at}/token`.replace("contoso.example", TENANT_ID));
    assertEquals(refresh?.form.get("refresh_token"), "RT 1");
    const anchored = shape.homeAccountId === `${USER_ID}.${TENANT_ID}`;
    assertEquals(
      refresh?.headers.get("x-anchormailbox") ?? "",
      anchored ? `Oid:${USER_ID}@${TENANT_ID}` : "",
    );
    const [account] = Object.values(JSON.parse(double.tokenCache.serialize()).Account) as Record<
      string,
      string
    >[];
    assertEquals(account?.["authority_type"], shape.type === "adfs" ? "ADFS" : "MSSTS");
    assertEquals(account?.["realm"], shape.realm);
    assertEquals(account?.["environment"], new URL(`${options.authority ?? options.oidcAuthority}`).host);
    const out = await double.settle(app.getSignOutUrl({ postLogoutRedirectUri: "https://app.example/" }));
    assert(out.startsWith(`${at}/logout?`), out);
    await app.removeAccount(shape.homeAccountId);
    assertEquals(await app.getAccount(shape.homeAccountId), null);
  });

  test(`the URL of a sign-in at ${name}: the endpoint, and client_info where it is understood`, async () => {
    const double = shapeDouble(shape);
    const app = double.confidential(options);
    const flow: AuthCodeFlow = await double.settle(
      app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI, loginHint: "alex@contoso.example" }),
    );
    const url = new URL(flow.authUri);
    assertEquals(url.origin + url.pathname, `${at}/authorize`);
    assertEquals(url.searchParams.get("client_info"), isEntra ? "1" : null);
    assertEquals(url.searchParams.has("X-AnchorMailbox"), isEntra);
    const expected = ["offline_access", "openid", "profile"];
    if (shape.type === "b2c") expected.unshift(CLIENT_ID);
    assertEquals(url.searchParams.get("scope"), expected.join(" "));
    assertEquals(double.gets.map((get) => get.url), shape.follows ? [] : [documentUrl]);
    assertEquals(flow.issuer, shape.follows ? undefined : shape.claims["iss"]);
  });

  test(`R-036 a flow of ${name} is of its authority alone`, async () => {
    for (const other of CLIENT_SHAPES) {
      const isSame = other.at === shape.at;
      if (isSame) continue;
      const double = shapeDouble(shape);
      const flow = await double.settle(
        double.confidential(options).initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI }),
      );
      // Entra ID has many tenants: the flow names its own.
      if (shape.type === "aad" && other.type === "aad" && new URL(other.at).host === new URL(at).host) {
        continue;
      }
      const elsewhere = shapeDouble(other).confidential({
        authority: undefined,
        knownAuthorities: [],
        ...other.options,
      });
      const error = await double.refused(elsewhere.acquireTokenByAuthCodeFlow(flow, callback(flow)));
      assertEquals(error.code, "auth_flow_mismatch", other.name);
      assertEquals(double.posts.length, 0);
    }
  });

  test(`device sign-in at ${name}: ${shape.hasDevice ? "works" : "there is none"}`, async () => {
    const double = shapeDouble(shape);
    const app = double.public(options);
    const begin = app.initiateDeviceFlow({ scopes: [] });
    if (!shape.hasDevice) {
      assertEquals((await double.refused(begin)).code, "endpoints_resolution_error");
      assertEquals([double.posts.length, double.gets.length], [0, 0]);
      return;
    }
    double.next({
      user_code: "A",
      device_code: "D",
      verification_uri: `${at}/deviceauth`,
      expires_in: 900,
      message: "m",
    });
    const flow = await double.settle(begin);
    assertEquals(double.posts[0]?.url, `${at}/devicecode`);
    double.next(await double.answer({ ...shape.claims, nonce: undefined }, shape.members));
    const result = await double.settle(app.acquireTokenByDeviceFlow(flow));
    assertEquals(result.account?.homeAccountId, shape.homeAccountId);
    assertEquals((await app.getAccounts()).length, 1);
  });

  test(`a token of a tenant that was not asked, or of another issuer, is refused at ${name}, and nothing is stored`, async () => {
    const bad = [
      { ...shape.claims, iss: "https://evil.example" },
      { ...shape.claims, iss: `${shape.claims["iss"]}`.replace(TENANT_ID, OTHER_TENANT_ID) + "x" },
      { ...shape.claims, iss: "http://adfs.contoso.com/adfs/services/trust" },
      { ...shape.claims, aud: OTHER_TENANT_ID },
      ...(shape.claims["tid"] === undefined && "tid" in shape.claims ? [] : [
        { ...shape.claims, tid: OTHER_TENANT_ID },
        { ...shape.claims, tid: undefined },
        { ...shape.claims, TID: TENANT_ID },
      ]),
      ...(shape.type === "b2c"
        ? [{ ...shape.claims, tfp: "B2C_1_reset" }, { ...shape.claims, tfp: undefined }]
        : []),
      ...(shape.type === "adfs" ? [{ ...shape.claims, appid: OTHER_TENANT_ID }] : []),
      ...(shape.isEntra ? [{ ...shape.claims, scp: "access_as_user" }] : []),
    ];
    for (const claims of bad) {
      const double = shapeDouble(shape);
      const app = double.confidential(options);
      const error = await double.refused(double.signIn(app, claims, shape.members, []));
      assert(/^id_token_/.test(error.code), `${error.code} for ${JSON.stringify(claims)}`);
      assertEquals(double.tokenCache.hasStateChanged, false);
    }
  });

  const many = shape.type === "aad";
  test(`tenantId at ${name} is ${many ? "asked" : "refused before any request"}`, async () => {
    const double = shapeDouble(shape);
    const app = double.confidential(options);
    if (many) {
      double.next({ access_token: "AT", token_type: "Bearer", expires_in: 3600 });
      await double.settle(app.acquireTokenForClient({ scopes: shape.appScopes, tenantId: OTHER_TENANT_ID }));
      assert(double.posts[0]?.url.includes(OTHER_TENANT_ID));
      assert(app.getAdminConsentUrl({ redirectUri: REDIRECT_URI, state: "s" }).startsWith("https://login."));
      return;
    }
    const tenantId = OTHER_TENANT_ID;
    const calls = [
      () => app.acquireTokenForClient({ scopes: shape.appScopes, tenantId }),
      () => app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI, tenantId }),
      () => app.acquireTokenSilent({ scopes: [], account: shape.homeAccountId, tenantId }),
      () => app.getSignOutUrl({ tenantId }),
    ];
    for (const call of calls) {
      const error = await double.refused(call());
      assertEquals([error.code, "option" in error && error.option], ["invalid_request", "tenantId"]);
    }
    let code = "";
    try {
      app.getAdminConsentUrl({ redirectUri: REDIRECT_URI, state: "s" });
    } catch (error) {
      code = (error as { code: string }).code;
    }
    assertEquals([code, double.posts.length, double.gets.length], ["invalid_request", 0, 0]);
  });

  test(`R-079 allowedTenants at ${name}`, async () => {
    const named = shape.type === "aad" || shape.type === "ciam";
    const double = shapeDouble(shape);
    const make = (allowedTenants: readonly string[]) => double.confidential({ ...options, allowedTenants });
    if (!named) {
      const error = await double.refused(Promise.resolve().then(() => make([TENANT_ID])));
      assertEquals("option" in error && error.option, "allowedTenants");
      return;
    }
    await double.signIn(make([TENANT_ID]), shape.claims, shape.members, []);
    const error = await double.refused(
      double.signIn(make([OTHER_TENANT_ID]), shape.claims, shape.members, []),
    );
    assertEquals(error.code, "tenant_not_allowed");
  });
}

const B2C = shapeOf("B2C");
/** The issuer that names the policy, R-080. */
const B2C_NAME = `https://contoso.b2clogin.com/tfp/${TENANT_ID}/b2c_1_susi/v2.0/`;
/** What B2C may answer: claims laid over, `client_info`, and the account or the refusal. */
const USERS: [string, object, string | undefined, string][] = [
  ["the user and the policy", {}, clientInfo(`${USER_ID}-b2c_1_susi`), `${USER_ID}-b2c_1_susi.${TENANT_ID}`],
  ["capitals", {}, clientInfo(`${USER_ID}-B2C_1_SUSI`), `${USER_ID}-B2C_1_SUSI.${TENANT_ID}`],
  ["the user alone", {}, clientInfo(), `${USER_ID}-b2c_1_susi.${TENANT_ID}`],
  [
    "sub alone",
    { oid: undefined },
    clientInfo(`${USER_ID}-b2c_1_susi`),
    `${USER_ID}-b2c_1_susi.${TENANT_ID}`,
  ],
  [
    "oid alone",
    { sub: "Not supported currently. Use oid claim." },
    clientInfo(`${USER_ID}-b2c_1_susi`),
    `${USER_ID}-b2c_1_susi.${TENANT_ID}`,
  ],
  ["no client_info", {}, undefined, `${B2C_NAME}#${USER_ID}`],
  [
    "the policy alone, as custom policies do",
    {},
    clientInfo("-b2c_1a_signin"),
    `${B2C_NAME}#${USER_ID}`,
  ],
  [
    "a subject of its own kind",
    { sub: "partner|7", oid: undefined },
    clientInfo("-b2c_1a_signin"),
    `${B2C_NAME}#partner|7`,
  ],
  [
    "a name that is no identity, and oid",
    { sub: "Not supported currently. Use oid claim." },
    undefined,
    `${B2C_NAME}#${USER_ID}`,
  ],
  [
    "a name that is everybody's",
    { sub: "Not supported currently. Use oid claim.", oid: undefined },
    clientInfo("-b2c_1_susi"),
    "id_token_subject_invalid",
  ],
  ["another user", {}, clientInfo(`${OTHER_TENANT_ID}-b2c_1_susi`), "client_info_mismatch"],
  ["another tenant", {}, clientInfo(`${USER_ID}-b2c_1_susi`, OTHER_TENANT_ID), "client_info_mismatch"],
];
for (const [what, claims, client_info, expected] of USERS) {
  test(`R-050 the account at B2C, by ${what}: ${expected}`, async () => {
    const double = shapeDouble(B2C);
    const app = double.confidential(B2C.options);
    const call = double.signIn(app, { ...B2C.claims, ...claims }, { ...B2C.members, client_info }, []);
    const found = await call.then(({ account }) => account?.homeAccountId, ({ code }) => code);
    assertEquals(found, expected);
    if (!/[#.]/.test(expected)) return;
    const silent = { scopes: [], account: `${found}`, forceRefresh: true };
    double.next(await double.answer({ ...B2C.claims, ...claims }, { ...B2C.members, client_info }));
    assertEquals((await double.settle(app.acquireTokenSilent(silent))).account?.homeAccountId, expected);
    // a refresh never changes the account.
    double.next(
      await double.answer({ ...B2C.claims, oid: OTHER_TENANT_ID, sub: OTHER_TENANT_ID }, {
        ...B2C.members,
        client_info: clientInfo(`${OTHER_TENANT_ID}-b2c_1_susi`),
      }),
    );
    assert(/mismatch/.test((await double.refused(app.acquireTokenSilent(silent))).code));
  });
}

test("B2C: a sign-in without scopes asks for the client itself, and the token is found again", async () => {
  const { double, app, result } = await signedIn(B2C);
  assertEquals(double.posts[0]?.form.get("scope"), `${CLIENT_ID} offline_access openid profile`);
  assertEquals(result.scopes, [CLIENT_ID]);
  for (const scopes of [[], [CLIENT_ID]]) {
    const silent = await double.settle(app.acquireTokenSilent({ scopes, account: B2C.homeAccountId }));
    assertEquals([silent.tokenSource, silent.scopes], ["cache", [CLIENT_ID]]);
  }
  const scopes = ["https://contoso.onmicrosoft.com/api/read", "https://contoso.onmicrosoft.com/other/read"];
  const refused = await double.refused(app.acquireTokenSilent({ scopes, account: B2C.homeAccountId }));
  assertEquals(refused.code, "invalid_scopes");
});

test("R-080 two policies of one tenant: neither takes the other's flow, token or account", async () => {
  const { double, app, result } = await signedIn(B2C);
  const reset = double.confidential({
    authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_reset",
  });
  const flow = await app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI });
  assertEquals(
    (await double.refused(reset.acquireTokenByAuthCodeFlow(flow, callback(flow)))).code,
    "auth_flow_mismatch",
  );
  const own = await reset.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI });
  double.next(await double.answer({ ...B2C.claims, nonce: nonceOf(own) }, B2C.members));
  const error = await double.refused(reset.acquireTokenByAuthCodeFlow(own, callback(own)));
  assertEquals(error.code, "id_token_issuer_mismatch");
  assertEquals(result.account?.homeAccountId.includes("b2c_1_susi"), true);
});

test("R-082 ADFS: the issuer of its access tokens is not that of a user, even where they agree in all else", async () => {
  const adfs = shapeOf("ADFS");
  const trust = "http://adfs.contoso.com/adfs/services/trust";
  for (const document of [adfsDocument(), adfsDocument(undefined, { access_token_issuer: undefined })]) {
    const double = shapeDouble({ ...adfs, document });
    const app = double.confidential(adfs.options);
    const error = await double.refused(double.signIn(app, { ...adfs.claims, iss: trust }, adfs.members, []));
    assertEquals(error.code, "id_token_issuer_mismatch");
    await double.signIn(app, adfs.claims, adfs.members, []);
  }
});

test("R-081 External ID: keys come from its own host, and a document of another tenant is refused before the code is spent", async () => {
  const shape = shapeOf("External ID by its host");
  const { double } = await signedIn(shape);
  const asked = double.gets.map(({ url }) => new URL(url).host);
  assertEquals([...new Set(asked)], ["contoso.ciamlogin.com"]);
  const bad = {
    ...shape.document,
    jwks_uri: `https://login.microsoftonline.com/${TENANT_ID}/discovery/v2.0/keys`,
  };
  for (
    const document of [bad, {
      ...shape.document,
      issuer: `https://${TENANT_ID}.ciamlogin.com/${OTHER_TENANT_ID}/v2.0`,
    }]
  ) {
    const other = shapeDouble(shape);
    other.documents = () => jsonResponse(document);
    const app = other.confidential(shape.options);
    const error = await other.refused(other.signIn(app, shape.claims, shape.members, []));
    assert(["endpoints_resolution_error", "issuer_mismatch"].includes(error.code), error.code);
    assertEquals(other.posts.length, 0);
  }
});
