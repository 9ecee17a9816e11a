/** `metadata`: documents that an application brings along are checked as fetched ones are, and nobody is asked for them. */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type InjectedMetadata, PublicClientApplication } from "../mod.ts";
import {
  discovery,
  fixture,
  ISSUER,
  OIDC,
  type Overrides,
  thrown,
  tokenAnswer,
} from "./support/app_fixture.ts";
import {
  CLIENT_ID,
  entraDouble,
  HOST,
  nonceOf,
  OTHER_TENANT_ID,
  REDIRECT_URI,
  signingKey,
  TENANT_ID,
} from "./support/entra_double.ts";
import { entraDocument } from "./support/microsoft_documents.ts";
import { test } from "./support/suite.ts";

/** A document that a test may spoil. */
type Document = Record<string, unknown>;

const at = `${HOST}/${TENANT_ID}`;
const entra = (over: Document = {}): Document => ({
  ...entraDocument(at, `${at}/v2.0`, "microsoftonline.com", over),
});
const instances = {
  tenant_discovery_endpoint: `${HOST}/common/.well-known/openid-configuration`,
  metadata: [{
    preferred_network: "login.microsoftonline.com",
    preferred_cache: "login.windows.net",
    aliases: ["login.microsoftonline.com", "login.windows.net"],
  }],
};

async function keySet(): Promise<{ keys: Document[] }> {
  const { jwk } = await signingKey();
  return { keys: [{ ...jwk, issuer: `${HOST}/{tenantid}/v2.0` }] };
}

/** Freezes a document to its leaves. */
function frozen<T>(value: T): T {
  if (Object(value) === value) Object.values(Object.freeze(value) as object).forEach(frozen);
  return value;
}

/** Empties a document to its leaves. */
function emptied(value: unknown): void {
  if (Object(value) !== value) return;
  const object = value as Record<string, unknown>;
  for (const name of Object.keys(object)) {
    emptied(object[name]);
    object[name] = "https://evil.example/";
  }
  if (Array.isArray(value)) value.length = 0;
}

async function allThree(): Promise<Required<InjectedMetadata>> {
  const documents = { openidConfiguration: entra(), jwks: await keySet(), instanceDiscovery: instances };
  return structuredClone(documents) as Required<InjectedMetadata>;
}

for (const fate of ["frozen", "changed afterwards"] as const) {
  test(`a public client that brings all three, ${fate}, makes the token requests and no others`, async () => {
    const scene = entraDouble();
    const metadata = await allThree();
    if (fate === "frozen") frozen(metadata);
    const app = scene.public({ metadata });
    if (fate !== "frozen") emptied(metadata);
    const { account } = await scene.signIn(app);
    scene.next(await scene.answer());
    await scene.settle(app.acquireTokenSilent({ account: account!, scopes: ["Mail.Read"] }));
    assertEquals(scene.gets, []);
    assertEquals(scene.posts.map(({ url }) => url), [`${at}/oauth2/v2.0/token`, `${at}/oauth2/v2.0/token`]);
  });
}

test("an authority of many tenants with all three asks for no keys in the user's own tenant either", async () => {
  const scene = entraDouble();
  const common = `${HOST}/common`;
  const issuer = `${HOST}/{tenantid}/v2.0`;
  const openidConfiguration = { ...entraDocument(common, issuer, "microsoftonline.com") };
  const app = scene.public({ authority: common, metadata: { ...await allThree(), openidConfiguration } });
  const { account } = await scene.signIn(app);
  scene.next(await scene.answer());
  await scene.settle(app.acquireTokenSilent({ account: account!, scopes: ["Mail.Read"] }));
  assertEquals(scene.gets, []);
});

test("the endpoints are those of the document", async () => {
  const { app, http } = fixture([], {
    ...OIDC,
    metadata: {
      openidConfiguration: discovery({
        authorization_endpoint: `${ISSUER}/authorize-here`,
        end_session_endpoint: `${ISSUER}/bye`,
        jwks_uri: `${ISSUER}/keys`,
      }),
    },
  });
  const flow = await app.initiateAuthCodeFlow({ scopes: ["a"], redirectUri: REDIRECT_URI });
  assert(flow.authUri.startsWith(`${ISSUER}/authorize-here?`));
  assert((await app.getSignOutUrl({})).startsWith(`${ISSUER}/bye?`));
  assertEquals(http.requests.length, 0);
});

test("R-021 an app token of an injected document takes one request, and another tenant's is asked for as ever", async () => {
  const one = fixture(() => tokenAnswer(), {
    ...OIDC,
    metadata: { openidConfiguration: discovery({ jwks_uri: `${ISSUER}/keys` }) },
  });
  await one.acquire();
  assertEquals(one.http.requests.map(({ url }) => url), [`${ISSUER}/token`]);
  const many = fixture(() => tokenAnswer(), {
    authority: at,
    metadata: {
      openidConfiguration: entra({ token_endpoint: `https://login.windows.net/${TENANT_ID}/special` }),
    },
  });
  await many.acquire();
  await many.acquire({ tenantId: OTHER_TENANT_ID });
  assertEquals(many.http.requests.map(({ url }) => url), [
    `https://login.windows.net/${TENANT_ID}/special`,
    `${HOST}/${OTHER_TENANT_ID}/oauth2/v2.0/token`,
  ]);
});

test("R-021 the document of another tenant is fetched, by the rules of fetched ones", async () => {
  const scene = entraDouble();
  const at = "https://login.private.example";
  const document = (tenant: string): Document => ({
    ...entraDocument(`${at}/${tenant}`, `${at}/${tenant}/v2.0`, "private.example"),
  });
  scene.documents = ({ url }) =>
    url.includes("openid-configuration") ? Response.json(document(OTHER_TENANT_ID)) : undefined;
  const app = scene.public({
    authority: `${at}/${TENANT_ID}`,
    validateAuthority: false,
    metadata: { openidConfiguration: document(TENANT_ID), jwks: { ...await keySet() } },
  });
  const begin = (tenantId?: string) =>
    scene.settle(app.initiateAuthCodeFlow({ scopes: ["a"], redirectUri: REDIRECT_URI, tenantId }));
  await begin();
  assertEquals(scene.gets.length, 0);
  const other = await begin(OTHER_TENANT_ID);
  assert(other.authUri.startsWith(`${at}/${OTHER_TENANT_ID}/`));
});

test("R-103 a token of a key that was not injected is refused, without a request, and nothing is kept", async () => {
  const scene = entraDouble();
  const { keys: [key] } = await keySet();
  const app = scene.public({ metadata: { jwks: { keys: [{ ...key, kid: "another-key" }] } } });
  const error = await scene.refused(scene.signIn(app));
  assertEquals(error.name, "ClientAuthError");
  assertStringIncludes(error.code, "id_token_");
  assertEquals([scene.gets.length, (await app.getAccounts()).length], [0, 0]);
});

test("injected keys count for the derived jwks_uri, too", async () => {
  const scene = entraDouble();
  const { account } = await scene.signIn(scene.public({ metadata: { jwks: { ...await keySet() } } }));
  assert(account !== null);
  assertEquals(scene.gets, []);
});

test("keys that are not injected are fetched from the document's jwks_uri", async () => {
  const scene = entraDouble();
  const jwks_uri = `https://login.microsoft.com/${TENANT_ID}/discovery/v2.0/keys`;
  scene.documents = () => undefined;
  const app = scene.public({ metadata: { openidConfiguration: entra({ jwks_uri }) } });
  const flow = await app.initiateAuthCodeFlow({ scopes: ["a"], redirectUri: REDIRECT_URI });
  assert(nonceOf(flow) !== "");
  await scene.signIn(app);
  assertEquals(scene.gets.map(({ url }) => url), [jwks_uri]);
});

/** Documents that a fetch would not be believed. */
const BAD: readonly [string, keyof InjectedMetadata, unknown, Overrides?][] = [
  ["another issuer", "openidConfiguration", entra({ issuer: `${HOST}/${OTHER_TENANT_ID}/v2.0` })],
  [
    "another cloud's issuer",
    "openidConfiguration",
    entra({ issuer: `https://login.microsoftonline.us/${TENANT_ID}/v2.0` }),
  ],
  ["no issuer", "openidConfiguration", entra({ issuer: undefined })],
  ["an issuer list", "openidConfiguration", entra({ issuer: [`${at}/v2.0`] })],
  ["the template as issuer", "openidConfiguration", entra({ issuer: `${HOST}/{tenantid}/v2.0` })],
  ["no token endpoint", "openidConfiguration", entra({ token_endpoint: undefined })],
  ["no keys", "openidConfiguration", entra({ jwks_uri: undefined })],
  ["a generic issuer's other issuer", "openidConfiguration", discovery({ issuer: `${ISSUER}x` }), OIDC],
  ...[
    "token_endpoint",
    "authorization_endpoint",
    "jwks_uri",
    "end_session_endpoint",
    "device_authorization_endpoint",
  ]
    .flatMap((name) =>
      [
        "https://evil.example/x",
        `http://login.microsoftonline.com/${TENANT_ID}/x`,
        "https://login.microsoftonline.us/x",
        "https://169.254.169.254/x",
        "https://u:p@login.microsoftonline.com/x",
        `${at}/x#y`,
        "/x",
        5,
      ].map((value): [string, keyof InjectedMetadata, unknown] => [
        `${name} ${JSON.stringify(value)}`,
        "openidConfiguration",
        entra({ [name]: value }),
      ])
    ),
  ...[null, 5, true, [], [entra()], () => entra(), ""].flatMap((value) =>
    (["openidConfiguration", "jwks"] as const).map((
      name,
    ): [string, keyof InjectedMetadata, unknown] => [`${JSON.stringify(value)}`, name, value])
  ),
  ["no keys", "jwks", {}],
  ["an empty list", "jwks", { keys: [] }],
  ["keys that are no list", "jwks", { keys: {} }],
  ["a symmetric key", "jwks", { keys: [{ kty: "oct", kid: "a", k: "c2VjcmV0" }] }],
  ["a hundred and one keys", "jwks", { keys: Array.from({ length: 101 }, () => ({})) }],
];
for (const [what, name, value, over = { authority: at }] of BAD) {
  test(`R-015 R-019 metadata.${name} with ${what} is refused at construction`, () => {
    const metadata = { [name]: value } as InjectedMetadata;
    const error = thrown(() => fixture([], { ...over, metadata }));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", `metadata.${name}`]);
    const { clientId, ...rest } = { clientId: CLIENT_ID, ...over, metadata };
    assertEquals(thrown(() => new PublicClientApplication({ clientId, ...rest })).code, "invalid_option");
  });
}

test("R-094 a private key in the injected set is no key, and in no error", async () => {
  const { keys: [key] } = await keySet();
  const metadata = { jwks: { keys: [{ ...key, d: "the-private-part" }] } };
  const error = thrown(() => fixture([], { metadata }));
  assertEquals(error.code, "invalid_option");
  assert(!`${error.message}${JSON.stringify(error)}`.includes("the-private-part"));
});

test("documents as text, as msal-node takes them, get an error that says what to do", () => {
  for (const name of ["openidConfiguration", "jwks", "instanceDiscovery"]) {
    const error = thrown(() => fixture([], { metadata: { [name]: "{}" } as InjectedMetadata }));
    assertEquals("option" in error && error.option, `metadata.${name}`);
    assertStringIncludes(error.message, "JSON.parse");
  }
});

test("metadata that is no object is refused by its own name", () => {
  for (const metadata of [null, 5, "x", [], true]) {
    const error = thrown(() => fixture([], { metadata: metadata as InjectedMetadata }));
    assertEquals(["option" in error && error.option, error.code], ["metadata", "invalid_option"]);
  }
});
