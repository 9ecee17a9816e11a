/**
 * Which URLs a request may be sent to.
 *
 * @module
 */

/**
 * Allows `http:` authorities on loopback addresses: for tests and local development only.
 *
 * ```ts ignore
 * new PublicClientApplication({ clientId, authority: "http://127.0.0.1:8080/contoso", [allowInsecureLoopback]: true });
 * ```
 *
 * @deprecated Not deprecated, but struck through on purpose: it weakens an application. Never deploy it.
 */
export const allowInsecureLoopback: unique symbol = Symbol("allowInsecureLoopback");

/** Whether a URL's host is this machine. */
export function isLoopback({ hostname }: URL): boolean {
  return /^(?:localhost|127\.[\d.]+|\[::1\])$/.test(hostname);
}

/** Whether a URL's host is this machine or a literal address, which may be one of a private network. */
export function isAddress(url: URL): boolean {
  return isLoopback(url) || /^[\d.]+$|^\[|(?:^|\.)localhost\.?$/.test(url.hostname);
}

/**
 * Tells what is wrong with an endpoint, RFC 6749 section 3.2.
 *
 * @param url The endpoint.
 * @param insecureLoopback Whether `http:` is allowed on loopback.
 * @returns What is wrong, or `undefined`.
 */
export function endpointFault(url: URL, insecureLoopback: boolean): string | undefined {
  if (url.username !== "" || url.password !== "") return "it holds a user name or password";
  if (url.hash !== "") return "it has a fragment";
  if (url.protocol === "https:" || (url.protocol === "http:" && insecureLoopback && isLoopback(url))) {
    return undefined;
  }
  return "it is not https, nor http on loopback with [allowInsecureLoopback]";
}
