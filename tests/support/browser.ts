/**
 * A real browser for peer tests: headless Chromium, and a small app on loopback that it is sent back to.
 *
 * @module
 */
import { type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { assertEquals } from "@std/assert";

const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-dev-shm-usage",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--disable-quic",
  "--no-first-run",
  // It reaches nothing but this machine.
  "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1 , EXCLUDE localhost",
];

/** A screen of the size of a phone's. */
export const PHONE: BrowserContextOptions = {
  viewport: { width: 390, height: 844 },
  isMobile: true,
  hasTouch: true,
};

/** No step of a page on this machine takes longer, in milliseconds. */
const STEP_MS = 10_000;

/**
 * Opens a browser with one page, and closes it whatever happens.
 *
 * @param judge Is given what the page complained of; by default that must be nothing
 */
export async function withPage(
  options: BrowserContextOptions,
  body: (page: Page) => Promise<void>,
  judge: (complaints: readonly string[]) => void = (complaints) => assertEquals(complaints, []),
): Promise<void> {
  const browser = await chromium.launch({ executablePath: "/usr/bin/chromium", headless: true, args: ARGS });
  try {
    const context = await browser.newContext(options);
    context.setDefaultTimeout(STEP_MS);
    const complaints: string[] = [];
    context.on("weberror", (error) => complaints.push(String(error.error())));
    context.on("console", (message) => {
      if (message.type() === "error" || message.type() === "warning") complaints.push(message.text());
    });
    await body(await context.newPage());
    judge(complaints);
    await context.close();
  } finally {
    await browser.close();
  }
}

/** Whom a local authority knows without being told. */
export const ALEX = { username: "alex@contoso.onmicrosoft.com", password: "local-password" } as const;

/** Signs in on the page that asks for a user name and a password. */
export async function typeIn(
  page: Page,
  { username, password }: { readonly username: string; readonly password: string } = ALEX,
): Promise<void> {
  await page.getByLabel("User name").fill(username);
  await page.getByLabel("Password").fill(password);
  await page.getByRole("button", { name: "Sign in" }).click();
}

/** A request that arrived at the app. */
export interface Arrival {
  readonly method: string;
  readonly path: string;
  /** The query of a `GET`, the form of a `POST`. */
  readonly parameters: URLSearchParams;
}

/** An app on loopback. */
export interface LoopbackApp {
  readonly origin: string;
  readonly redirectUri: string;
  /** What arrived at the redirect URI. */
  readonly arrivals: readonly Arrival[];
  close(): Promise<void>;
}

/** Starts an app that says "Welcome" to whoever arrives. */
export function startApp(): LoopbackApp {
  const arrivals: Arrival[] = [];
  const answer = async (request: Request): Promise<Response> => {
    const { pathname: path, searchParams } = new URL(request.url);
    if (path === "/favicon.ico") return new Response(null, { status: 204 });
    const { method } = request;
    const parameters = method === "POST" ? new URLSearchParams(await request.text()) : searchParams;
    arrivals.push({ method, path, parameters });
    return new Response("<!DOCTYPE html><title>App</title><h1>Welcome</h1>", {
      headers: { "content-type": "text/html" },
    });
  };
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, answer);
  const origin = `http://127.0.0.1:${server.addr.port}`;
  return { origin, redirectUri: `${origin}/callback`, arrivals, close: () => server.shutdown() };
}
