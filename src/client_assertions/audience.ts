/**
 * For whom an assertion is that Entra exchanges for a token.
 *
 * @module
 */

/** What follows the name of the public cloud's audience, by host; MSAL.NET 4.84 has the same. */
const CLOUDS: Readonly<Record<string, string>> = {
  "login.microsoftonline.us": "USGov",
  "login.usgovcloudapi.net": "USGov",
  "login.partner.microsoftonline.cn": "China",
  "login.chinacloudapi.cn": "China",
  "login.sovcloud-identity.fr": "France",
  "login.sovcloud-identity.de": "Germany",
  // It is registered under its code name.
  "login.sovcloud-identity.sg": "GovSG",
};

/**
 * The audience that Entra recommends for federated credentials in a cloud: what `aud` of an assertion is, and the resource that a
 * managed identity asks for.
 *
 * ```ts
 * import { tokenExchangeAudienceOf } from "@msal-edge/msal/client-assertions";
 *
 * tokenExchangeAudienceOf("https://login.microsoftonline.us/contoso"); // "api://AzureADTokenExchangeUSGov"
 * ```
 *
 * @param authority The authority: `authority` of the context that an assertion's function gets.
 * @returns `api://AzureADTokenExchange`, or that of a national cloud.
 */
export function tokenExchangeAudienceOf(authority: string | URL): string {
  const { host = "" } = URL.canParse(authority) ? new URL(authority) : {};
  return `api://AzureADTokenExchange${Object.hasOwn(CLOUDS, host) ? CLOUDS[host] : ""}`;
}
