/**
 * Asks for one token with each of many credentials; the same program on every runtime.
 *
 * @module
 */
import {
  type AssertionAlgorithm,
  type CertificateCredential,
  type ClientCredential,
  ConfidentialClientApplication,
  isAuthError,
} from "../../mod.ts";
import { pfxCredential } from "../../src/pfx/mod.ts";

/** A credential, and whom it is shown. */
export interface CertificateCase {
  readonly name: string;
  readonly authority?: string;
  readonly oidcAuthority?: string;
  /** As it is; as PKCS#8 in base64 that becomes a key that cannot be exported; or as the same behind a function that signs. */
  readonly as?: "CryptoKey" | "sign";
  readonly credential?: CertificateCredential & { readonly privateKey: string };
  readonly pfx?: { readonly pfx: string; readonly passphrase?: string; readonly sendX5c?: boolean };
}

/** What became of a case: the token, or an error. */
export interface CaseResult {
  readonly name: string;
  readonly token?: string;
  readonly error?: string;
}

export const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";

const PSS = { name: "RSA-PSS", hash: "SHA-256" };

async function credentialOf({ as, credential, pfx }: CertificateCase): Promise<ClientCredential> {
  if (pfx) return pfxCredential(pfx);
  if (!credential || !as) return credential!;
  const { privateKey: base64, ...rest } = credential;
  const pkcs8 = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  const privateKey = await crypto.subtle.importKey("pkcs8", pkcs8, PSS, false, ["sign"]);
  if (as === "CryptoKey") return { ...rest, privateKey };
  const sign = (data: Uint8Array<ArrayBuffer>, algorithm: AssertionAlgorithm) => {
    if (algorithm !== "PS256") throw new Error(`asked for ${algorithm}`);
    return crypto.subtle.sign({ ...PSS, saltLength: 32 }, privateKey, data);
  };
  return { ...rest, sign };
}

async function runCase(one: CertificateCase, origin: string): Promise<CaseResult> {
  const { name, authority, oidcAuthority } = one;
  try {
    const app = new ConfidentialClientApplication({
      clientId: CLIENT_ID,
      ...(oidcAuthority === undefined
        ? { authority, knownAuthorities: ["fs.contoso.com"] }
        : { oidcAuthority }),
      clientCredential: await credentialOf(one),
      fetch: (url, init) => {
        const query = new URLSearchParams({ url: String(url), case: name });
        return fetch(`${origin}/sent?${query}`, init);
      },
    });
    const { accessToken } = await app.acquireTokenForClient({ scopes: ["api://orders/.default"] });
    return { name, token: accessToken };
  } catch (error) {
    return { name, error: isAuthError(error) ? `${error.code}: ${error.message}` : String(error) };
  }
}

/** Gets the cases from a server, and shows it their credentials. */
export async function runCases(origin: string): Promise<CaseResult[]> {
  const cases: readonly CertificateCase[] = await (await fetch(`${origin}/cases`)).json();
  const results: CaseResult[] = [];
  for (const one of cases) results.push(await runCase(one, origin));
  return results;
}
