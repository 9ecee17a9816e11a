/**
 * What an answer needs that depends on a session: nobody but its user may get it again.
 *
 * @module
 */

import type { HeaderList } from "./sessions.ts";

/** What lets shared caches keep an answer, whatever `cache-control` says: RFC 9213, and what CDNs and proxies had before it. */
const SHARED_CACHES: readonly string[] = [
  "cdn-cache-control",
  "cloudflare-cdn-cache-control",
  "edge-control",
  "netlify-cdn-cache-control",
  "surrogate-control",
  "vercel-cdn-cache-control",
  "x-accel-expires",
  "x-litespeed-cache-control",
];

/** The application's own `cache-control`, where that keeps the answer to its user and no cookie comes along. */
function cacheControl(own: string | null, setsCookies: boolean): string {
  const directives = (own ?? "").toLowerCase().split(",").map((one) => one.trim());
  const isShared = directives.includes("public") || directives.some((one) => /^s-maxage\b/.test(one));
  const isPrivate = directives.includes("private") && !isShared;
  if (own !== null && isPrivate && (!setsCookies || directives.includes("no-store"))) return own;
  const kept = directives.filter((one) =>
    one !== "" && !/^(?:public|private|no-store|immutable|(?:s-)?max-?age\b|stale-)/.test(one)
  );
  return ["private", "no-store", ...kept].join(", ");
}

function adjust(headers: Headers, cookies: HeaderList): void {
  headers.set("cache-control", cacheControl(headers.get("cache-control"), cookies.length > 0));
  const vary = headers.get("vary");
  if (vary === null) headers.set("vary", "Cookie");
  else if (!/(?:^|,)\s*(?:\*|cookie)\s*(?:,|$)/i.test(vary)) headers.set("vary", `${vary}, Cookie`);
  for (const name of SHARED_CACHES) if (headers.has(name)) headers.delete(name);
  if (cookies.length === 0) return;
  // What the answer says of a cookie itself stays: a sign-out is not undone by a renewal.
  const own = new Set(headers.getSetCookie().map(nameOf));
  if (cookies.some(([, value]) => own.has(nameOf(value)))) return;
  for (const [name, value] of cookies) headers.append(name, value);
}

/** The name in a `set-cookie`. */
function nameOf(line: string): string {
  return line.slice(0, line.indexOf("="));
}

/**
 * Adds to an answer what its session needs.
 *
 * @param response The answer, which may be immutable.
 * @param cookies The session's own headers.
 * @returns The same answer, or another one with its body. A WebSocket's is left alone.
 */
export function forSession(response: Response, cookies: HeaderList): Response {
  const { status } = response;
  if (status === 101 || status === 0 || "webSocket" in response && response.webSocket) return response;
  if (cookies.length === 0) {
    try {
      adjust(response.headers, cookies);
      return response;
    } catch {
      // It is immutable, as those of `fetch` are.
    }
  }
  // With cookies always a copy: an application may send the same answer to others.
  const copy = new Response(response.body, response);
  adjust(copy.headers, cookies);
  return copy;
}
