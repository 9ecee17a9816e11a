/** What the web application of the examples must never do, over TLS and in process. */
import { assert, assertEquals, assertMatch, assertNotEquals } from "@std/assert";
import { ConfidentialClientApplication, MemoryStore } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { type WebApp, webApp } from "../../examples/shared/web_app.ts";
import { test } from "../support/suite.ts";

const SITE = "https://app.example";
const SECRET = crypto.randomUUID() + crypto.randomUUID();

/** A browser's jar: the cookies of one site. */
class Visitor {
  readonly cookies = new Map<string, string>();
  readonly #site: WebApp;

  constructor(site: WebApp) {
    this.#site = site;
  }

  async visit(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    headers.set("cookie", [...this.cookies].map((pair) => pair.join("=")).join("; "));
    const response = await this.#site(new Request(new URL(path, SITE), { ...init, headers }));
    for (const line of response.headers.getSetCookie()) {
      const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (/max-age=0/i.test(line)) this.cookies.delete(name);
      else this.cookies.set(name, value);
    }
    return response;
  }

  names(): string[] {
    return [...this.cookies.keys()].map((name) => name.replace(/flow-.*/, "flow"));
  }
}

interface Scene {
  readonly authority: LocalAuthority;
  readonly visitor: Visitor;
  readonly site: WebApp;
  readonly sessions: MemoryStore;
  readonly app: ConfidentialClientApplication;
  /** Goes to the authority, as whoever is sent there would, and gives the address of the answer. */
  answer(response: Response): Promise<URL>;
}

async function atSite(body: (scene: Scene) => Promise<void>): Promise<void> {
  const authority = new LocalAuthority();
  const { tenantId, clientId, clientSecret } = authority.defaults;
  const app = new ConfidentialClientApplication({
    clientId,
    clientCredential: clientSecret,
    authority: `https://login.microsoftonline.com/${tenantId}`,
    clientCapabilities: ["cp1"],
  });
  const sessions = new MemoryStore();
  const site = webApp({ app, redirectUri: `${SITE}/callback`, cookieSecret: SECRET, sessions });
  const answer = async (response: Response) =>
    (await authority.signIn(response.headers.get("location")!)).url;
  const { fetch } = globalThis;
  const { error } = console;
  globalThis.fetch = authority.fetch;
  console.error = () => {};
  try {
    await body({ authority, app, site, sessions, visitor: new Visitor(site), answer });
  } finally {
    globalThis.fetch = fetch;
    console.error = error;
  }
}

async function signIn({ visitor, answer }: Pick<Scene, "visitor" | "answer">): Promise<URL> {
  const url = await answer(await visitor.visit("/sign-in"));
  assertEquals((await visitor.visit(url.href)).headers.get("location"), "/");
  return url;
}

async function titleOf(response: Response): Promise<string> {
  return /<h1>(.*)<\/h1>/.exec(await response.text())?.[1] ?? "";
}

test("the web example's cookies and pages are closed to scripts, frames, other sites and caches", () =>
  atSite(async (scene) => {
    const { visitor } = scene;
    const begun = await visitor.visit("/sign-in");
    for (const line of begun.headers.getSetCookie()) {
      assertMatch(
        line,
        /^__Host-flow-[\w-]+=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax; Max-Age=3600; Secure$/,
      );
    }
    await signIn(scene);
    const page = await visitor.visit("/");
    assertMatch(
      page.headers.get("content-security-policy")!,
      /^default-src 'none'; .*frame-ancestors 'none'$/,
    );
    assertEquals(page.headers.get("cache-control"), "no-store");
    assertEquals(await titleOf(page), "Hello Alex Doe");
    assertEquals(visitor.names().sort(), ["__Host-flow", "__Host-session"]);
  }));

test("the web example takes its redirect URI from its settings, whatever Host says", () =>
  atSite(async ({ site }) => {
    const response = await site(
      new Request("https://evil.example/sign-in?redirect_uri=https://evil.example/"),
    );
    const sent = new URL(response.headers.get("location")!).searchParams;
    assertEquals(sent.get("redirect_uri"), `${SITE}/callback`);
  }));

test("the web example leads nowhere else: not by the query, not by the answer", () =>
  atSite(async ({ visitor, answer }) => {
    const begun = await visitor.visit(
      "/sign-in?returnTo=https://evil.example&claims={}&appState=//evil.example",
    );
    assert(!begun.headers.get("location")!.includes("evil"));
    const url = await answer(begun);
    url.searchParams.set("returnTo", "https://evil.example");
    assertEquals((await visitor.visit(url.href)).headers.get("location"), "/");
  }));

test("the web example refuses an answer that comes twice, to another browser, or with a changed cookie", () =>
  atSite(async (scene) => {
    const { visitor, site, answer } = scene;
    const refused = async (who: Visitor, url: URL) => {
      const response = await who.visit(url.href);
      assertEquals([response.status, await titleOf(response)], [400, "This sign-in is over"]);
      assertEquals(who.names().filter((name) => name.includes("flow")), []);
    };
    await refused(visitor, await signIn(scene));
    const other = new Visitor(site);
    await refused(other, await answer(await new Visitor(site).visit("/sign-in")));
    const url = await answer(await other.visit("/sign-in"));
    const [name = "", sealed = ""] = [...other.cookies][0]!;
    other.cookies.set(name, sealed.replace(/.$/, (last) => last === "A" ? "B" : "A"));
    await refused(other, url);
    // Another sign-in's cookie under this one's name.
    const mine = await answer(await other.visit("/sign-in"));
    const thief = new Visitor(site);
    await answer(await thief.visit("/sign-in"));
    other.cookies.set([...other.cookies.keys()][0]!, [...thief.cookies.values()][0]!);
    await refused(other, mine);
  }));

test("the web example begins a new session at each sign-in, and the old one is worth nothing", () =>
  atSite(async (scene) => {
    const { visitor, site } = scene;
    // An id that somebody planted is not kept.
    visitor.cookies.set("__Host-session", "a".repeat(72));
    await signIn(scene);
    const first = visitor.cookies.get("__Host-session")!;
    assertNotEquals(first, "a".repeat(72));
    await signIn(scene);
    assertNotEquals(visitor.cookies.get("__Host-session"), first);
    const thief = new Visitor(site);
    thief.cookies.set("__Host-session", first);
    assertEquals(await titleOf(await thief.visit("/")), "Welcome");
  }));

test("the web example keeps no more than five sign-ins under way in a browser", () =>
  atSite(async ({ visitor, answer }) => {
    let last = await visitor.visit("/sign-in");
    for (let i = 0; i < 8; i++) last = await visitor.visit("/sign-in");
    assertEquals(visitor.names(), Array(5).fill("__Host-flow"));
    // The newest one works.
    const url = await answer(last);
    assertEquals((await visitor.visit(url.href)).status, 303);
  }));

test("the web example hands the API's claims to the next sign-in, and does not go round for ever", () =>
  atSite(async (scene) => {
    const { authority, visitor, answer } = scene;
    await signIn(scene);
    assertEquals(await titleOf(await visitor.visit("/me")), "My profile");
    authority.fault({
      on: "token",
      kind: "json",
      status: 400,
      body: {
        error: "interaction_required",
        claims: `{"access_token":{"acrs":{"essential":true,"value":"c1"}}}`,
      },
      times: Infinity,
    });
    const challenge = `{"access_token":{"nbf":{"essential":true,"value":"1"}}}`;
    const headers = {
      "www-authenticate": `Bearer error="insufficient_claims", claims="${btoa(challenge)}"`,
    };
    const { fetch } = globalThis;
    globalThis.fetch = (input, init) =>
      String(input).endsWith("/v1.0/me")
        ? Promise.resolve(Response.json({}, { status: 401, headers }))
        : fetch(input, init);
    const sent = await visitor.visit("/me");
    const location = new URL(sent.headers.get("location")!);
    assertEquals(JSON.parse(location.searchParams.get("claims")!).access_token.acrs.value, "c1");
    assertEquals(location.searchParams.get("login_hint"), "alex@contoso.onmicrosoft.com");
    authority.clearFaults();
    const back = await visitor.visit((await answer(sent)).href);
    assertEquals(back.headers.get("location"), "/me?again");
    authority.fault({
      on: "token",
      kind: "json",
      status: 400,
      body: { error: "interaction_required" },
      times: Infinity,
    });
    assertEquals((await visitor.visit("/me?again")).status, 400);
  }));

test("the web example signs out only who asks for it on its own pages", () =>
  atSite(async (scene) => {
    const { app, visitor, sessions } = scene;
    await signIn(scene);
    const key = `session:${visitor.cookies.get("__Host-session")}`;
    for (const origin of ["https://evil.example", "null", "https://app.example.evil.example", undefined]) {
      const headers = origin === undefined ? {} : { origin };
      assertEquals((await visitor.visit("/sign-out", { method: "POST", headers })).status, 403);
    }
    assertEquals((await visitor.visit("/sign-out")).status, 404);
    const { value: user = "" } = await sessions.get(key) ?? {};
    assert(await app.getAccount(user));
    const done = await visitor.visit("/sign-out", { method: "POST", headers: { origin: SITE } });
    const location = new URL(done.headers.get("location")!);
    assertEquals(location.hostname, "login.microsoftonline.com");
    assertEquals(location.searchParams.get("post_logout_redirect_uri"), `${SITE}/`);
    assertEquals([visitor.names(), await sessions.get(key), await app.getAccount(user)], [
      [],
      undefined,
      null,
    ]);
  }));

test("the web example shows what others call themselves as text, and tells no secret", () =>
  atSite(async ({ authority, visitor, answer }) => {
    const name = `<script>alert("1")</script>`;
    authority.fault({ on: "token", kind: "id_token", claims: { name } });
    const url = await answer(await visitor.visit("/sign-in"));
    await visitor.visit(url.href);
    assertEquals(
      await titleOf(await visitor.visit("/")),
      "Hello &lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;",
    );
    authority.fault({ on: "token", kind: "id_token", signature: "broken" });
    const forged = await answer(await visitor.visit("/sign-in"));
    const response = await visitor.visit(forged.href);
    const text = await response.text();
    assertMatch(text, /id_token_signature_invalid/);
    assert(!text.includes(forged.searchParams.get("code")!) && !text.includes("alex@"));
  }));

test("the web example asks its visitors to wait where the authority is down", () =>
  atSite(async ({ authority, visitor, answer }) => {
    const url = await answer(await visitor.visit("/sign-in"));
    authority.fault({ on: "any", kind: "server_error", status: 503, times: Infinity });
    const response = await visitor.visit(url.href);
    assertEquals([response.status, await titleOf(response)], [503, "Please wait"]);
  }));
