/**
 * Microsoft's clouds and the hosts that answer for each.
 *
 * @module
 */

/** Each cloud's hosts: they share their tokens. Requests go to the first one. */
const CLOUDS: readonly (readonly string[])[] = [
  "login.microsoftonline.com login.windows.net login.microsoft.com sts.windows.net",
  "login.partner.microsoftonline.cn login.chinacloudapi.cn",
  "login.microsoftonline.us login.usgovcloudapi.net",
  "login.microsoftonline.de",
  "login-us.microsoftonline.com",
  "login.sovcloud-identity.fr",
  "login.sovcloud-identity.de",
  "login.sovcloud-identity.sg",
].map((hosts) => hosts.split(" "));

/**
 * The hosts of the same cloud as a host.
 *
 * @param host A host name in lower case.
 * @returns The cloud's hosts, the one for requests first; `undefined` for a host that is not Microsoft's.
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud | National clouds}
 */
export function cloudOf(host: string): readonly string[] | undefined {
  return CLOUDS.find((hosts) => hosts.includes(host));
}

/**
 * Tells whether a host is one of a cloud's, or of its regions'.
 *
 * @param host A host name in lower case.
 * @param cloud What {@linkcode cloudOf} gave. The public cloud where absent.
 * @returns `true` for `login.windows.net` and `westus2.login.microsoft.com` in the public cloud, for example.
 */
export function isOfCloud(host: string, cloud: readonly string[] = CLOUDS[0]!): boolean {
  const [, global = host] = /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.(.+)$/.exec(host) ?? [];
  return cloud.includes(host) || cloud.includes(global);
}

/**
 * Folds the aliases of a cloud into one name, for cache identities.
 *
 * @param environment A host, as a cache entry or an authority spells it.
 * @returns The first host of its cloud, or the host itself in lower case.
 */
export function foldEnvironment(environment: string): string {
  const host = environment.toLowerCase();
  return cloudOf(host)?.[0] ?? host;
}

/**
 * The host under which MSAL Node, MSAL.NET and MSAL Java keep a cloud's tokens.
 *
 * @param environment A host, as an authority spells it.
 * @returns The first host of its cloud, but in the public one; or the host itself.
 */
export function cacheHostOf(environment: string): string {
  const folded = foldEnvironment(environment);
  if (folded === CLOUDS[0]?.[0]) return "login.windows.net";
  return cloudOf(folded) ? folded : environment;
}

/**
 * The host of a cloud's issuers of version 1.
 *
 * @param cloud What {@linkcode cloudOf} gave.
 * @returns The host name.
 */
export function stsHostOf([host = ""]: readonly string[]): string {
  if (host.endsWith(".cn")) return "sts.chinacloudapi.cn";
  return host === "login.microsoftonline.de" ? "sts.microsoftonline.de" : "sts.windows.net";
}
