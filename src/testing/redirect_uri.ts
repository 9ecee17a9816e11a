/**
 * Which redirect URIs belong to an app.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/reply-url | Redirect URI restrictions}
 */

/** Hosts on which native apps listen, on whatever port is free. */
const PORTLESS_HOSTS: readonly string[] = ["localhost", "127.0.0.1", "[::1]"];
const ANY_PATH = "/*";

function isWebUrl(url: URL): boolean {
  return url.protocol === "https:" || url.protocol === "http:";
}

function isSameOrigin(registered: URL, sent: URL): boolean {
  if (registered.origin === sent.origin) return true;
  return registered.protocol === "http:" && sent.protocol === "http:" &&
    registered.hostname === sent.hostname && PORTLESS_HOSTS.includes(sent.hostname);
}

function matches(registered: string, sent: string, sentUrl: URL): boolean {
  if (registered === sent) return true;
  const anyPath = registered.endsWith(ANY_PATH);
  const url = new URL(anyPath ? registered.slice(0, -1) : registered);
  if (!isWebUrl(url) || !isWebUrl(sentUrl) || sentUrl.username || sentUrl.password) return false;
  if (!isSameOrigin(url, sentUrl)) return false;
  if (anyPath) return sentUrl.pathname.startsWith(url.pathname);
  // Only what names no path may come with or without a slash.
  return url.pathname === sentUrl.pathname && url.search === sentUrl.search;
}

/** Whether a redirect URI is one of those that an app registered. One with a fragment never is. */
export function isRegisteredRedirect(registered: readonly string[], sent: string): boolean {
  if (!URL.canParse(sent) || sent.includes("#")) return false;
  const sentUrl = new URL(sent);
  return registered.some((uri) => matches(uri, sent, sentUrl));
}
