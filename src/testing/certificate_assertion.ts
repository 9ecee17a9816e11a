/**
 * Client assertions that an app signed itself, with the key of a certificate.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/certificate-credentials | Certificate credentials}
 */
import { base64url } from "jose";
import { isOwnAudience } from "./assertion_audience.ts";
import { type Certificate, isValidAt, publicKeyOf, type Thumbprints, thumbprintsOf } from "./certificate.ts";
import type { App } from "./declared.ts";
import { hexOf } from "./der.ts";
import type { Exchange } from "./exchange.ts";
import {
  invalidClient,
  isSignedBy,
  type PresentedAssertion,
  requireAlgorithm,
  requireLive,
} from "./presented_assertion.ts";
import type { EntraError } from "./entra_error.ts";
import { trustedCertificate } from "./trusted_certificate.ts";

const ALGORITHMS: readonly string[] = ["RS256", "PS256"];

/** What a header says of its certificate: each thumbprint in hex, or a text that is none. */
interface NamedCertificate {
  readonly sha1: string | undefined;
  readonly sha256: string | undefined;
  readonly kid: string | undefined;
}

/** MSAL Python pads base64url, which no standard lets it do; Entra does not mind. */
function hexOfBase64(text: unknown): string | undefined {
  if (typeof text !== "string") return undefined;
  try {
    return hexOf(base64url.decode(text.replace(/=+$/, "")));
  } catch {
    return "";
  }
}

function namedIn({ header }: PresentedAssertion): NamedCertificate {
  const { kid } = header;
  const isHex = kid !== undefined && /^(?:[0-9a-f]{2})+$/i.test(kid);
  const named = {
    sha1: hexOfBase64(header.x5t),
    sha256: hexOfBase64(header["x5t#S256"]),
    kid: isHex ? kid.toLowerCase() : hexOfBase64(kid),
  };
  if (named.sha1 !== undefined || named.sha256 !== undefined || kid !== undefined) return named;
  const text =
    "Invalid JWT token. No certificate SHA-1 thumbprint, certificate SHA-256 thumbprint, nor keyId specified in " +
    "token header.";
  throw invalidClient(5002723, text);
}

/** Every thumbprint must be that of the certificate; a key id counts only where there is none. */
function isNamed({ sha1, sha256, kid }: NamedCertificate, thumbprints: Thumbprints): boolean {
  if (sha1 === undefined && sha256 === undefined) {
    return kid === thumbprints.sha1 || kid === thumbprints.sha256;
  }
  return (sha1 ?? thumbprints.sha1) === thumbprints.sha1 &&
    (sha256 ?? thumbprints.sha256) === thumbprints.sha256;
}

async function registeredCertificate(app: App, named: NamedCertificate): Promise<Certificate | undefined> {
  const thumbprints = await Promise.all(app.certificates.map(thumbprintsOf));
  return app.certificates.find((_, index) => {
    const own = thumbprints[index];
    return own !== undefined && isNamed(named, own);
  });
}

function thumbprintText({ sha1, sha256, kid }: NamedCertificate): string {
  return `Thumbprint of key used by client: '${(sha1 ?? sha256 ?? kid ?? "").slice(0, 128).toUpperCase()}'`;
}

function date(ms: number): string {
  const [year, month, day] = new Date(ms).toISOString().slice(0, 10).split("-");
  return `${month}/${day}/${year} ${new Date(ms).toISOString().slice(11, 19)}`;
}

/** `Reason` is what all clients and all logs look for in this text. */
function rejected(what: string, reason: string, named: NamedCertificate, found?: Certificate): EntraError {
  const key = found
    ? `, Found key 'Start=${date(found.notBeforeMs)}, End=${date(found.notAfterMs)}'`
    : ", Please visit the Azure Portal, Graph Explorer or directly use MS Graph to see configured keys";
  return invalidClient(700027, `${what} [Reason - ${reason}, ${thumbprintText(named)}${key}]`);
}

function notRegistered({ header }: PresentedAssertion, named: NamedCertificate): EntraError {
  const what =
    "The certificate with identifier used to sign the client assertion is not registered on application.";
  const refusal = rejected(what, "The key was not found.", named);
  if (header.x5c) return refusal;
  return invalidClient(
    700027,
    `${refusal.message}. Alternatively, SNI may be configured on the app. Please ensure that client assertion is ` +
      "being sent with the x5c claim in the JWT header.",
  );
}

/** The certificate that has to have signed. Throws AADSTS5002723, 700027 or 1000502. */
async function certificateOf(
  exchange: Exchange,
  app: App,
  presented: PresentedAssertion,
  named: NamedCertificate,
): Promise<Certificate> {
  const nowMs = exchange.services.clock.now();
  const registered = await registeredCertificate(app, named);
  if (registered) {
    if (isValidAt(registered, nowMs)) return registered;
    const what =
      "The certificate with identifier used to sign the client assertion is expired on application.";
    throw rejected(what, "The key used is expired.", named, registered);
  }
  const trusted = await trustedCertificate(app, presented.header.x5c, nowMs);
  if (!trusted || !isNamed(named, await thumbprintsOf(trusted))) throw notRegistered(presented, named);
  if (isValidAt(trusted, nowMs)) return trusted;
  throw invalidClient(1000502, "The provided certificate is not within its specified validity window.");
}

async function requireSignature(
  presented: PresentedAssertion,
  certificate: Certificate,
  named: NamedCertificate,
): Promise<void> {
  const key = await publicKeyOf(certificate, presented.header.alg ?? "").catch(() => undefined);
  if (key && await isSignedBy(presented, key)) return;
  const reason = "The provided signature value did not match the expected signature value.";
  throw rejected("Client assertion contains an invalid signature.", reason, named, certificate);
}

/** Throws AADSTS700021 or 50048. */
function requireOwnNames({ clientId }: App, { claims: { iss, sub } }: PresentedAssertion): void {
  if (String(iss).toLowerCase() !== clientId) {
    throw invalidClient(
      700021,
      "Client assertion application identifier doesn't match 'client_id' parameter.",
    );
  }
  if (sub === iss) return;
  throw invalidClient(50048, "Subject must match the issuer claim in the client assertion.");
}

/**
 * Checks an assertion that the app signed itself; its `jti` may come again, as at Entra ID.
 *
 * Throws AADSTS5002738, 5002723, 700021, 50048, 700027, 1000502, 700023 or 700024.
 */
export async function requireCertificateAssertion(
  exchange: Exchange,
  app: App,
  presented: PresentedAssertion,
): Promise<void> {
  const { dialect } = exchange.route.shape ?? {};
  requireAlgorithm(presented, dialect?.assertionAlgorithms ?? ALGORITHMS);
  const named = namedIn(presented);
  if (dialect?.needsX5t && named.sha1 === undefined) throw notRegistered(presented, named);
  requireOwnNames(app, presented);
  const certificate = await certificateOf(exchange, app, presented, named);
  await requireSignature(presented, certificate, named);
  if (!isOwnAudience(exchange, presented.claims.aud)) {
    const text = "Client assertion audience claim does not match Realm issuer. Review the documentation at " +
      "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .";
    throw invalidClient(700023, text);
  }
  requireLive(exchange, presented);
}
