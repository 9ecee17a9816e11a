/**
 * One verifier for everybody's client assertions, as strict as RFC 7523 and Entra's documentation of certificates.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { importSPKI, jwtVerify } from "jose";
import type { MadeCertificate } from "./certificate_files.ts";

/** What an assertion must say. */
export interface Expected {
  readonly certificate: MadeCertificate;
  readonly clientId: string;
  readonly algorithm: "PS256" | "RS256" | "ES256";
  /** How the certificate is named. */
  readonly names: readonly ("x5t" | "x5t#S256")[];
  /** How many certificates are sent. */
  readonly chain: number;
  /** For how long it holds, in seconds; 600 at most in any case. */
  readonly lifetime?: number;
  /** By how many seconds its times may be off. */
  readonly tolerance?: number;
}

/** What an assertion said. */
export interface Verified {
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** Every `jti` that was seen. */
const seen = new Set<string>();

/**
 * Verifies what was posted to a token endpoint.
 *
 * @param form The request's form.
 * @param endpoint Where it was posted to.
 * @param expected What it must be.
 */
export async function verifyClientAssertion(
  form: URLSearchParams,
  endpoint: string,
  expected: Expected,
): Promise<Verified> {
  const { certificate, clientId, algorithm, tolerance = 0 } = expected;
  assertEquals(
    form.get("client_assertion_type"),
    "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
  );
  assertEquals([form.get("client_id") ?? clientId, form.has("client_secret")], [clientId, false]);
  const key = await importSPKI(certificate.publicKey, algorithm);
  const { protectedHeader: header, payload } = await jwtVerify(form.get("client_assertion")!, key, {
    algorithms: [algorithm],
    audience: endpoint,
    issuer: clientId,
    subject: clientId,
    requiredClaims: ["exp", "iat", "jti"],
    clockTolerance: tolerance,
  });
  assertEquals([typeof payload.aud, header.typ, header.crit], ["string", "JWT", undefined]);
  checkNames(header, expected);
  checkTimes(payload, expected);
  const jti = String(payload.jti);
  assert(jti.length >= 16 && !seen.has(jti), `the jti ${jti} is short, or was used before`);
  seen.add(jti);
  return { header: { ...header }, payload: { ...payload } };
}

function checkNames(
  header: Readonly<Record<string, unknown>>,
  { certificate, names, chain }: Expected,
): void {
  const digests = { x5t: certificate.sha1, "x5t#S256": certificate.sha256 };
  for (const name of ["x5t", "x5t#S256"] as const) {
    const expected = names.includes(name) ? Uint8Array.fromHex(digests[name]) : undefined;
    const value = header[name] as string | undefined;
    // MSAL Python pads it.
    assertEquals(value && Uint8Array.fromBase64(value, { alphabet: "base64url" }), expected, name);
  }
  const sent = (header.x5c as string[] | undefined ?? []).map((one) => one.replaceAll("\n", ""));
  assertEquals(sent, certificate.der.slice(0, chain), "x5c");
}

function checkTimes(
  payload: Readonly<Record<string, unknown>>,
  { lifetime, tolerance = 0 }: Expected,
): void {
  const { exp, iat, nbf } = payload as Record<string, number>;
  const seconds = exp! - iat!;
  assert(seconds > 0 && seconds <= 600 + tolerance, `it holds for ${seconds} s`);
  if (lifetime !== undefined) assert(Math.abs(seconds - lifetime) <= tolerance, `it holds for ${seconds} s`);
  assert(nbf === undefined || nbf <= iat! + tolerance, `nbf ${nbf} is later than iat ${iat}`);
}
