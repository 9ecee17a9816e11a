/**
 * PFX (PKCS#12) files as client credentials, on every runtime: what Windows, Azure Key Vault and OpenSSL export a certificate with its
 * private key as.
 *
 * {@linkcode pfxCredential} makes a `clientCredential` of one, and {@linkcode readPfx} takes it apart, for example for a `fetch` that
 * presents the certificate in TLS. Both take bytes: where they come from, a secret, a binding or a file, is up to the application.
 *
 * A file must be encrypted with AES, which is what `openssl pkcs12 -export` of OpenSSL 3 and Windows' choice "AES256-SHA256" do. One with
 * 3DES or RC2 is refused, as Web Crypto has neither, and OpenSSL converts it:
 *
 * ```sh
 * openssl pkcs12 -legacy -in old.pfx -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx && rm all.pem
 * ```
 *
 * This entry brings `pkijs` along, about 90 kB gzipped. On Workers an application is smaller, and starts faster, where the file
 * is converted to PEM beforehand and given as `{ privateKey, publicCertificate }`.
 *
 * @example A Worker with the file as a secret: `base64 -w0 app.pfx | wrangler secret put APP_PFX`
 * ```ts
 * import { ConfidentialClientApplication, perEnv } from "@msal-edge/msal";
 * import { pfxCredential } from "@msal-edge/msal/pfx";
 *
 * interface Env {
 *   readonly APP_PFX: string;
 *   readonly APP_PFX_PASSPHRASE: string;
 * }
 *
 * const appOf = perEnv((env: Env) =>
 *   new ConfidentialClientApplication({
 *     clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *     authority: "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
 *     clientCredential: pfxCredential({ pfx: env.APP_PFX, passphrase: env.APP_PFX_PASSPHRASE }),
 *   })
 * );
 *
 * export default {
 *   async fetch(_request: Request, env: Env): Promise<Response> {
 *     const scopes = ["https://graph.microsoft.com/.default"];
 *     const { accessToken } = await appOf(env).acquireTokenForClient({ scopes });
 *     const headers = { authorization: `Bearer ${accessToken}` };
 *     return await fetch("https://graph.microsoft.com/v1.0/organization", { headers });
 *   },
 * };
 * ```
 *
 * @module
 */

export { type PfxCredential, pfxCredential } from "./pfx_credential.ts";
export { type PfxContents, readPfx } from "./read_pfx.ts";
