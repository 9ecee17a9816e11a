/**
 * What happens around sign-ins and tokens: many requests at once, an outage, cookies.
 *
 * @module
 */
import { base64url } from "jose";
import { call, type Guard, userToken } from "./compare_bearer.ts";
import { begin, isIn, signIn, type Site } from "./compare_sites.ts";
import { Browser, SITE, TENANT_ID, type World } from "./compare_world.ts";

async function signedIn(world: World, site: Site): Promise<Browser> {
  const browser = new Browser(site(world, TENANT_ID));
  await signIn(world, browser);
  world.reset();
  return browser;
}

/** Whether a text is in a cookie for everybody who has the cookie. */
function isReadable(cookie: string, text: string): boolean {
  const parts = [cookie, ...cookie.split(/[.~]/)];
  return parts.some((part) => {
    try {
      return new TextDecoder().decode(base64url.decode(part)).includes(text);
    } catch {
      return false;
    }
  });
}

/** What is found out of each web application. */
export const SITE_STATES: Readonly<Record<string, (world: World, site: Site) => Promise<string>>> = {
  "10 requests at once when the tokens are over": async (world, site) => {
    const browser = await signedIn(world, site);
    const letIn = await Promise.all(Array.from({ length: 10 }, () => isIn(browser)));
    const { token, discovery } = world.counts;
    return `renewals: ${token}, discovery: ${discovery}, let in: ${letIn.filter(Boolean).length}`;
  },
  "the authority cannot be reached when the tokens are over": async (world, site) => {
    const browser = await signedIn(world, site);
    world.isDown = true;
    const { status } = await browser.get("/page");
    world.isDown = false;
    return `${status}, then ${await isIn(browser) ? "signed in" : "**signed out**"}`;
  },
  "a cookie that says to continue at another site": async (world, site) => {
    const browser = new Browser(site(world, TENANT_ID));
    const { url } = await begin(browser);
    for (const name of ["continue", "__Host-continue", "return_to"]) {
      browser.cookies.set(name, "https://evil.example/");
    }
    const back = await browser.get((await world.authority.signIn(url!)).url);
    const { origin } = new URL(back.headers.get("location") ?? "/", SITE);
    return origin === SITE ? "stays on the site" : `**redirects to ${origin}**`;
  },
  "two tabs begin, the first one ends": async (world, site) => {
    const browser = new Browser(site(world, TENANT_ID));
    const { url } = await begin(browser);
    await begin(browser);
    const back = await browser.get((await world.authority.signIn(url!)).url);
    return await isIn(browser) ? "signed in" : `**refused (${back.status})**`;
  },
  "`SameSite` of the cookies of a sign-in": async (world, site) => {
    const browser = new Browser(site(world, TENANT_ID));
    await begin(browser);
    const said = new Set(browser.lines.map((line) => /; *SameSite=(\w+)/i.exec(line)?.[1] ?? "**none**"));
    return [...said].join(", ");
  },
  "the refresh token can be read in a cookie": async (world, site) => {
    const browser = await signedIn(world, site);
    const cookies = [...browser.cookies.values()].map(decodeURIComponent);
    const found = world.refreshTokens.some((token) => cookies.some((cookie) => isReadable(cookie, token)));
    return found ? "**yes**" : "no";
  },
  "an authority of many tenants: `organizations`": async (world, site) => {
    const { status, url } = await begin(new Browser(site(world, "organizations")));
    return url === null ? `**does not begin (${status})**` : "begins";
  },
};

/** What is found out of each guard. */
export const GUARD_STATES: Readonly<Record<string, (world: World, guard: Guard) => Promise<string>>> = {
  "20 good tokens: downloads of the keys": async (world, guard) => {
    const app = guard(world);
    const tokens = await Promise.all(Array.from({ length: 20 }, () => userToken(world)));
    world.reset();
    for (const token of tokens) await call(app, token);
    return `${world.counts.keys}`;
  },
  "50 tokens with unknown `kid`: downloads of the keys": async (world, guard) => {
    const app = guard(world);
    const options = (i: number) => ({ header: { kid: `unknown-${i}` } });
    const tokens = await Promise.all(Array.from({ length: 50 }, (_, i) => userToken(world, options(i))));
    world.reset();
    for (const token of tokens) await call(app, token);
    return `${world.counts.keys}`;
  },
  "the keys cannot be reached after a first good token": async (world, guard) => {
    const app = guard(world);
    await call(app, await userToken(world));
    const token = await userToken(world, { claims: { jti: "another" } });
    world.isDown = true;
    const { status } = await call(app, token);
    world.isDown = false;
    return status === 200 ? "let in" : `**refused (${status})**`;
  },
};
