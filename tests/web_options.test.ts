/** What a web application is told, checked before the first request. */
import { assert, assertEquals, assertRejects, assertThrows } from "@std/assert";
import {
  ClientConfigurationError,
  ConfidentialClientApplication,
  MemoryStore,
  PublicClientApplication,
} from "../mod.ts";
import { createWebAuth, type WebAuthOptions } from "../src/web/mod.ts";
import { test } from "./support/suite.ts";
import { COOKIE_SECRET, SITE, TENANT, WEB_APP } from "./support/web_scene.ts";

const BASE = { clientId: WEB_APP.clientId, clientCredential: "s3cret" };
const APP = new ConfidentialClientApplication({
  ...BASE,
  authority: `https://login.microsoftonline.com/${TENANT}`,
});
const GOOD: WebAuthOptions = { app: APP, baseUrl: SITE, cookieSecret: COOKIE_SECRET };

/** The option that is refused. */
function refused(changes: Record<string, unknown>): string {
  const error = assertThrows(
    () => createWebAuth({ ...GOOD, ...changes } as WebAuthOptions),
    ClientConfigurationError,
  );
  assert(!JSON.stringify(error).includes(COOKIE_SECRET));
  return error.option;
}

test("the address of the site is an https origin, or http on loopback (R-030)", () => {
  const values = [
    undefined,
    null,
    "",
    "app.example",
    "http://app.example",
    "https://app.example/base",
    "https://app.example?x",
    "https://app.example/#x",
    "https://user:pass@app.example",
    "https://app.example\\evil",
    "ftp://app.example",
    "javascript:alert(1)",
    "https://app.example https://evil.example",
    7,
    {},
  ];
  for (const baseUrl of values) assertEquals([baseUrl, refused({ baseUrl })], [baseUrl, "baseUrl"]);
  const fine = [
    SITE,
    `${SITE}/`,
    new URL(SITE),
    "https://app.example:8443",
    "http://localhost:8787",
    "http://127.0.0.1",
  ];
  for (const baseUrl of fine) createWebAuth({ ...GOOD, baseUrl });
});

test("a secret that is missing, short or an example is refused (R-175)", () => {
  for (
    const cookieSecret of [undefined, "", "short", "undefined", [], [COOKIE_SECRET, ""], "a".repeat(64), 7]
  ) {
    assertEquals(refused({ cookieSecret }), "cookieSecret");
  }
  createWebAuth({ ...GOOD, cookieSecret: [`new-${COOKIE_SECRET}`, COOKIE_SECRET] });
});

test("an authority of many tenants has to say which (R-079)", () => {
  const at = (tenant: string | undefined, allowedTenants?: readonly string[] | "any") =>
    new ConfidentialClientApplication({
      ...BASE,
      ...(tenant === undefined ? {} : { authority: `https://login.microsoftonline.com/${tenant}` }),
      allowedTenants,
    });
  for (const tenant of [undefined, "common", "organizations"]) {
    assertEquals(refused({ app: at(tenant) }), "app");
    createWebAuth({ ...GOOD, app: at(tenant, "any") });
    createWebAuth({ ...GOOD, app: at(tenant, [TENANT]) });
  }
  for (const tenant of ["consumers", TENANT, "contoso.onmicrosoft.com"]) {
    createWebAuth({ ...GOOD, app: at(tenant) });
  }
});

test("an application that is none, or has no credential, is refused", () => {
  const apps = [
    undefined,
    null,
    {},
    "app",
    new PublicClientApplication({ clientId: "x", authority: APP.authority }),
  ];
  for (const app of [...apps, Object.create(ConfidentialClientApplication.prototype)]) {
    assertEquals(refused({ app }), "app");
  }
});

test("paths are plain, absolute and different from each other (R-147)", () => {
  const bad = [
    "",
    "auth",
    "/",
    "/auth/",
    "//evil.example",
    "/a b",
    "/a?x",
    "/a#x",
    "/a/../b",
    "/./a",
    "/%2f",
    "/\\a",
    7,
    null,
  ];
  for (const signIn of bad.slice(0, -1)) {
    assertEquals([signIn, refused({ paths: { signIn } })], [signIn, "paths.signIn"]);
  }
  assertEquals(refused({ paths: { signOut: "/auth/sign-in" } }), "paths.signOut");
  assertEquals(refused({ paths: { signIn: "/X", callback: "/x" } }), "paths.callback");
  createWebAuth({ ...GOOD, paths: { signIn: "/login", callback: "/.auth/cb", signOut: undefined } });
});

test("the start page is a page of this site, and no handler", () => {
  for (
    const homePath of ["", "home", "//evil.example", "https://evil.example", "/auth/sign-in", "/\\x", 7, null]
  ) {
    assertEquals([homePath, refused({ homePath })], [homePath, "homePath"]);
  }
  createWebAuth({ ...GOOD, homePath: "/app?tab=1" });
});

test("every other option is held against what it may be", () => {
  const rows: [string, Record<string, unknown>][] = [
    ["scopes", { scopes: "User.Read" }],
    ["scopes", { scopes: ["openid"] }],
    ["scopes", { scopes: ["a b"] }],
    ["sessionClaims", { sessionClaims: "roles" }],
    ["sessionClaims", { sessionClaims: [""] }],
    ["sessionClaims", { sessionClaims: ["a\nb"] }],
    ["sessionClaims", { sessionClaims: [7] }],
    ["sessionStore", { sessionStore: {} }],
    ["sessionStore", { sessionStore: null }],
    ["session.idleSeconds", { session: { idleSeconds: 0 } }],
    ["session.absoluteSeconds", { session: { absoluteSeconds: "1" } }],
    ["cookies.prefix", { cookies: { prefix: "a;b" } }],
    ["cookies.prefix", { cookies: { prefix: "__Host-a" } }],
    ["cookies.sameSite", { cookies: { sameSite: "None" } }],
    ["cookies.domain", { cookies: { domain: "evil.example; Path=/x" } }],
    ["responseMode", { responseMode: "fragment" }],
    ["renderPage", { renderPage: "<html>" }],
  ];
  for (const [option, changes] of rows) assertEquals([changes, refused(changes)], [changes, option]);
  for (const options of [undefined, null, "x"]) {
    assertThrows(() => createWebAuth(options as unknown as WebAuthOptions), ClientConfigurationError);
  }
  createWebAuth({
    ...GOOD,
    sessionStore: new MemoryStore(),
    responseMode: "form_post",
    sessionClaims: ["roles"],
  });
});

test("what would guard something elsewhere is not passed over here (R-155)", () => {
  for (const name of ["roles", "userRoles", "allowedApps", "acrs", "allowedTenants"]) {
    assertEquals(refused({ [name]: ["x"] }), name);
    createWebAuth({ ...GOOD, [name]: undefined });
  }
});

test("a domain for the cookies has to be the site's own, or above it (R-131)", () => {
  const at = (baseUrl: string, domain: string) => ({ baseUrl, cookies: { domain } });
  const bad = [
    [SITE, "other.example"],
    [SITE, "www.app.example"],
    [SITE, "pp.example"],
    ["https://evil-app.example", "app.example"],
    ["https://127.0.0.1", "0.0.1"],
  ] as const;
  for (const [site, domain] of bad) {
    assertEquals([site, domain, refused(at(site, domain))], [site, domain, "cookies.domain"]);
  }
  const good = [[SITE, "app.example"], ["https://a.b.app.example", "App.example"], [
    "https://a.app.example:8443",
    "app.example",
  ]];
  for (const [site, domain] of good) createWebAuth({ ...GOOD, ...at(site!, domain!) });
});

test("options of bindings are made once for each, at the first request", async () => {
  let made = 0;
  const auth = createWebAuth((env: { readonly secret: string }) => {
    made++;
    return { ...GOOD, cookieSecret: env.secret };
  });
  assertEquals(made, 0);
  const [one, two] = [{ secret: COOKIE_SECRET }, { secret: `${COOKIE_SECRET}2` }];
  for (const env of [one, one, two, one]) {
    assertEquals((await auth.route(new Request(`${SITE}/auth/sign-in`), { env }))!.status, 303);
  }
  assertEquals(made, 2);
  for (const context of [undefined, {}, { env: undefined }, { env: "x" as never }]) {
    const error = await assertRejects(
      () => auth.route(new Request(`${SITE}/page`), context),
      ClientConfigurationError,
    );
    assertEquals(error.option, "context.env");
  }
});

test("paths that are not the handlers' are the application's", async () => {
  const auth = createWebAuth({ ...GOOD, paths: { signIn: "/login" } });
  for (
    const path of ["/", "/auth", "/auth/sign-in", "/auth/callback/", "/AUTH/callback", "/login/x", "//login"]
  ) {
    assertEquals(await auth.route(new Request(SITE + path)), undefined);
  }
  assertEquals((await auth.route(new Request(`${SITE}/login`)))!.status, 303);
});

test("on http on loopback cookies have no __Host- and are not Secure", async () => {
  const auth = createWebAuth({ ...GOOD, baseUrl: "http://localhost:8787" });
  const sent = await auth.signIn(new Request("http://localhost:8787/auth/sign-in"));
  const [cookie = ""] = sent.headers.getSetCookie();
  assert(cookie.startsWith("auth.flow.") && !cookie.includes("Secure"));
  assertEquals(
    new URL(sent.headers.get("location")!).searchParams.get("redirect_uri"),
    "http://localhost:8787/auth/callback",
  );
});
