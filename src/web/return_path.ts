/**
 * Where a browser may be sent after a sign-in: to pages of this site alone.
 *
 * @module
 */

/** What counts as a page of this site. */
export interface ReturnRules {
  /** The site's origin. */
  readonly origin: string;
  /** Paths that are no pages: they would begin another sign-in, or end one. */
  readonly ownPaths: readonly string[];
  /** Where to go instead. */
  readonly homePath: string;
}

const MAX_CHARS = 2_048;
/** One slash, then visible ASCII without a backslash: what a URL parser would repair never counts. */
const PLAIN_PATH = /^\/(?!\/)(?:(?!\\)[\x21-\x7e])*$/;
/** Whoever decodes this once more would see another host. */
const HIDDEN_SLASHES = /^\/+(?:%2f|%5c|%09|%0a|%0d)/i;

/** A path as a router may see it: decoded, in lower case, without slashes at its end. */
function folded(pathname: string): string {
  try {
    return decodeURIComponent(pathname).toLowerCase().replace(/\/+$/, "");
  } catch {
    return pathname;
  }
}

/**
 * Tells whether a text is a path of this site to come back to.
 *
 * @param value What was given, by whomever.
 * @param rules What counts.
 */
export function isReturnPath(value: unknown, { origin, ownPaths }: ReturnRules): value is string {
  if (typeof value !== "string" || value.length > MAX_CHARS) return false;
  if (!PLAIN_PATH.test(value) || HIDDEN_SLASHES.test(value) || !URL.canParse(value, origin)) return false;
  const { href, pathname } = new URL(value, origin);
  // What the parser changed, such as dot segments, is no path that anybody asked for.
  return href === origin + value && !ownPaths.some((own) => folded(own) === folded(pathname));
}

/**
 * Where to come back to.
 *
 * @param value What was given, by whomever.
 * @param rules What counts.
 * @returns The same path, or the start page's for anything else.
 */
export function returnPath(value: unknown, rules: ReturnRules): string {
  return isReturnPath(value, rules) ? value : rules.homePath;
}
