/**
 * What a request's headers tell of who sent it, and how.
 *
 * @module
 */

import { returnPath, type ReturnRules } from "./return_path.ts";

/**
 * Whether a browser wants to show the answer as a page: then it can be sent elsewhere.
 *
 * @param request The request.
 */
export function isNavigation({ headers }: Request): boolean {
  const mode = headers.get("sec-fetch-mode");
  if (mode !== null) return mode === "navigate";
  // Of an old browser, or of a program: scripts seldom ask for pages.
  return !headers.has("x-requested-with") &&
    (headers.get("accept") ?? "").toLowerCase().includes("text/html");
}

/** Whether a request only reads. */
export function isReading({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

/**
 * Whether a page of this site sent a request: what other sites can make a browser send counts for nothing.
 *
 * @param request The request.
 * @param origin The site's origin.
 */
export function isFromSite({ headers }: Request, origin: string): boolean {
  const site = headers.get("sec-fetch-site");
  const from = headers.get("origin");
  if (site === null) return from === origin;
  // A page with the referrer policy `no-referrer` sends "null".
  return site === "same-origin" && (from === null || from === "null" || from === origin);
}

/**
 * The page that a request came from.
 *
 * @param request The request.
 * @param origin The site's origin.
 * @returns The path; `undefined` where it is of another site, or not told.
 */
export function pageBefore({ headers }: Request, origin: string): string | undefined {
  const referer = headers.get("referer") ?? "";
  return referer.startsWith(`${origin}/`) ? referer.slice(origin.length) : undefined;
}

/**
 * The page to come back to: that which was asked for, or that which sent a form or a script's request.
 *
 * @param request The request.
 * @param returns What counts as a page.
 * @param given The page that the application names.
 * @returns The path; the start page's where there is none.
 */
export function wayBack(request: Request, returns: ReturnRules, given?: string): string {
  if (given !== undefined) return returnPath(given, returns);
  if (!isReading(request) || !isNavigation(request)) {
    return returnPath(pageBefore(request, returns.origin), returns);
  }
  const { pathname, search } = new URL(request.url);
  return returnPath(pathname + search, returns);
}
