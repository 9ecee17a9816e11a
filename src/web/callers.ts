/**
 * What a request's headers tell of who sent it, and how.
 *
 * @module
 */

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
 * The path of a request, to come back to.
 *
 * @param request The request.
 */
export function pathOf({ url }: Request): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}
