/**
 * Certificates that are not registered, but have a registered name and issuer (SNI).
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc5280#section-6 | RFC 5280 section 6}
 */
import { type Certificate, isIssuedBy, isValidAt, readCertificate } from "./certificate.ts";
import type { TrustedName } from "./app_keys.ts";
import type { App } from "./declared.ts";
import { hexOf } from "./der.ts";

const MAX_CHAIN = 5;

function chainOf(x5c: unknown): readonly Certificate[] {
  if (!Array.isArray(x5c) || x5c.length > MAX_CHAIN) return [];
  try {
    return x5c.map((text) => readCertificate(String(text)));
  } catch {
    return [];
  }
}

/** Whether the chain goes up, step by step, to the issuer that is trusted. The first one may have ended. */
async function leadsTo(
  { issuer }: TrustedName,
  [leaf, ...above]: readonly Certificate[],
  nowMs: number,
): Promise<boolean> {
  const isRoot = (certificate: Certificate): boolean => hexOf(certificate.der) === hexOf(issuer.der);
  let current = leaf;
  for (const next of [...above.filter((certificate) => !isRoot(certificate)), issuer]) {
    if (!current || !isValidAt(next, nowMs)) return false;
    if (await isIssuedBy(current, issuer)) return isValidAt(issuer, nowMs);
    if (!await isIssuedBy(current, next)) return false;
    current = next;
  }
  return false;
}

/** The first certificate of `x5c`, if its name is one that the app trusts and its chain ends in that name's issuer. */
export async function trustedCertificate(
  { trustedSubjects }: App,
  x5c: unknown,
  nowMs: number,
): Promise<Certificate | undefined> {
  const chain = chainOf(x5c);
  const [leaf] = chain;
  if (!leaf) return undefined;
  const names = trustedSubjects.filter(({ subjectName }) =>
    subjectName.replace(/^CN=/i, "").toLowerCase() === leaf.commonName?.toLowerCase()
  );
  const led = await Promise.all(names.map((name) => leadsTo(name, chain, nowMs)));
  return led.includes(true) ? leaf : undefined;
}
