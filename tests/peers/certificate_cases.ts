/**
 * The credentials that are tried on every runtime, and what must become of each.
 *
 * @module
 */
import { base64, type MadeCertificate, type OpenSsl, PASSPHRASE } from "./certificate_files.ts";
import { type CertificateCase, CLIENT_ID } from "./certificate_program.ts";
import type { Expected } from "./certificate_verifier.ts";

/** A case, and what is verified of it; or the error that it must end in. */
export type Judged = CertificateCase & ({ readonly expected: Expected } | { readonly refused: string });

const ENTRA = "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
const ADFS = "https://fs.contoso.com/adfs";
const GENERIC = "https://idp.example/realms/main";

/** What an assertion for Entra must be. */
export function entra(certificate: MadeCertificate, chain: number = certificate.der.length): Expected {
  return { certificate, clientId: CLIENT_ID, algorithm: "PS256", names: ["x5t#S256"], chain, lifetime: 600 };
}

/** What one for AD FS must be. */
export function adfs(certificate: MadeCertificate, chain: number = certificate.der.length): Expected {
  return { ...entra(certificate, chain), algorithm: "RS256", names: ["x5t"] };
}

/** Keys and certificates of a run. */
export interface MadeFiles {
  /** An RSA key of 2048 bits, whose certificate another one issued. */
  readonly app: MadeCertificate;
  /** Keys of 3072 and 4096 bits, self-signed. */
  readonly larger: readonly MadeCertificate[];
  readonly ec: MadeCertificate;
  /** A key of 1024 bits, and one of P-384. */
  readonly weak: MadeCertificate;
  readonly p384: MadeCertificate;
}

/** Makes them. */
export async function makeFiles(openssl: OpenSsl): Promise<MadeFiles> {
  const make = async (kind: string, name: string, issuer?: MadeCertificate) =>
    await openssl.certificate(await openssl.key(kind), name, issuer);
  const root = await make("ec:P-256", "root");
  const middle = await make("rsa:2048", "middle", root);
  return {
    app: await make("rsa:2048", "app", middle),
    larger: [await make("rsa:3072", "3072"), await make("rsa:4096", "4096")],
    ec: await make("ec:P-256", "ec"),
    weak: await make("rsa:1024", "weak"),
    p384: await make("ec:P-384", "p384"),
  };
}

/** Every shape of PEM that a key comes in, with where its certificate is. */
async function pemShapes(openssl: OpenSsl, { key, chain }: MadeCertificate) {
  const certificates = chain.join("");
  const pkcs1 = await openssl.text(["pkey", "-traditional"], key);
  const encrypt = (...options: string[]) =>
    openssl.text(["pkcs8", "-topk8", "-passout", "env:PASSPHRASE", ...options], key);
  const described = await openssl.text(["x509", "-text"], chain[0]);
  const bare = (pem: string) => pem.replace(/-----[^-]+-----|\s/g, "");
  return {
    "PKCS#8": [key, certificates],
    "PKCS#1": [pkcs1, certificates],
    "CRLF": [key.replaceAll("\n", "\r\n"), certificates.replaceAll("\n", "\r\n")],
    "PKCS#1 with CRLF": [pkcs1.replaceAll("\n", "\r\n"), certificates],
    "one line with escaped newlines": [key.replaceAll("\n", "\\n"), certificates.replaceAll("\n", "\\n")],
    "one line with escaped CRLF": [key.replaceAll("\n", "\\r\\n"), certificates],
    "key and certificates in one text": [key + certificates],
    "certificates before the key in one text": [certificates + pkcs1],
    "key and certificates in one escaped line": [(key + certificates).replaceAll("\n", "\\n")],
    "base64 without armour": [bare(key), bare(chain[0]!)],
    "PKCS#1 in base64 without armour": [bare(pkcs1), certificates],
    "what openssl says before the certificate": [key, described],
    "white space around": [`\n  ${key}\n\n`, `\n${certificates}\n`],
    "encrypted PKCS#8": [await encrypt(), certificates],
    "encrypted PKCS#8, AES-128, SHA-1": [
      await encrypt("-v2", "aes-128-cbc", "-v2prf", "hmacWithSHA1"),
      certificates,
    ],
    "encrypted PKCS#8, SHA-512, 10000 iterations": [
      await encrypt("-v2", "aes-256-cbc", "-v2prf", "hmacWithSHA512", "-iter", "10000"),
      certificates,
    ],
  } as Readonly<Record<string, readonly [key: string, certificates?: string]>>;
}

async function pemCases(openssl: OpenSsl, { app }: MadeFiles): Promise<Judged[]> {
  const shapes = Object.entries(await pemShapes(openssl, app));
  return shapes.map(([name, [privateKey, publicCertificate]]) => ({
    name: `PEM: ${name}`,
    authority: ENTRA,
    credential: {
      privateKey,
      ...(publicCertificate !== undefined && { publicCertificate }),
      ...(name.startsWith("encrypted") && { passphrase: PASSPHRASE }),
      sendX5c: true,
    },
    expected: entra(app, /without armour|says before/.test(name) && !name.startsWith("PKCS#1") ? 1 : 3),
  }));
}

async function keyCases(openssl: OpenSsl, { app, larger, ec, weak, p384 }: MadeFiles): Promise<Judged[]> {
  const pem = (made: MadeCertificate) => ({ privateKey: made.key, publicCertificate: made.chain.join("") });
  const raw = {
    ...pem(app),
    privateKey: base64(await openssl.run(["pkcs8", "-topk8", "-nocrypt", "-outform", "DER"], app.key)),
  };
  const { sha1: thumbprint, sha256: thumbprintSha256 } = app;
  const generic = { oidcAuthority: GENERIC, credential: { ...pem(ec), sendX5c: true } };
  const forEc = { ...entra(ec), algorithm: "ES256", lifetime: 60 } as const;
  const sec1 = await openssl.text(["pkey", "-traditional"], ec.key);
  return [
    ...larger.map((made, at) => ({
      name: `RSA of ${[3072, 4096][at]} bits`,
      authority: ENTRA,
      credential: { ...pem(made), sendX5c: true },
      expected: entra(made),
    })),
    { name: "a CryptoKey", as: "CryptoKey", authority: ENTRA, credential: raw, expected: entra(app) },
    { name: "a signer", as: "sign", authority: ENTRA, credential: raw, expected: entra(app) },
    {
      name: "both thumbprints and no certificate",
      authority: ENTRA,
      credential: { privateKey: app.key, thumbprint, thumbprintSha256 },
      expected: entra(app, 0),
    },
    { name: "AD FS", authority: ADFS, credential: { ...pem(app), sendX5c: true }, expected: adfs(app) },
    { name: "a P-256 key for any issuer", ...generic, expected: forEc },
    {
      name: "a P-256 key as openssl wrote it before",
      ...generic,
      credential: { ...generic.credential, privateKey: sec1 },
      expected: forEc,
    },
    {
      name: "a certificate of another key",
      authority: ENTRA,
      credential: { ...pem(app), publicCertificate: larger[0]!.chain[0]! },
      refused: "invalid_client_credential",
    },
    {
      name: "RSA of 1024 bits",
      authority: ENTRA,
      credential: pem(weak),
      refused: "invalid_client_credential",
    },
    {
      name: "a P-384 key",
      oidcAuthority: GENERIC,
      credential: pem(p384),
      refused: "invalid_client_credential",
    },
  ];
}

const CONVERT =
  "openssl pkcs12 -legacy -in old.pfx -nodes -out all.pem && openssl pkcs12 -export -in all.pem -out new.pfx && rm all.pem";

async function pfxCases(openssl: OpenSsl, { app, ec, weak, p384 }: MadeFiles): Promise<Judged[]> {
  const files = await openssl.pfxFiles(app);
  const entraCase = (name: string, pfx: string) => ({
    name: `PFX: ${name}`,
    authority: ENTRA,
    pfx: { pfx, passphrase: PASSPHRASE },
  });
  const converted = await convert(openssl, files.legacy!);
  const noPassphrase = base64(await openssl.pfx(app, ["-passout", "pass:"]));
  const ecPfx = { pfx: base64(await openssl.pfx(ec)), passphrase: PASSPHRASE };
  const ecExpected: Expected = { ...entra(ec, 0), algorithm: "ES256", lifetime: 60 };
  const isLegacy = (name: string): boolean => /legacy|tripleDes/.test(name);
  return [
    ...Object.entries(files).map(([name, pfx]): Judged => ({
      ...entraCase(name, pfx),
      ...(isLegacy(name) ? { refused: CONVERT } : { expected: entra(app, 0) }),
    })),
    { ...entraCase("converted", converted), expected: entra(app, 0) },
    {
      ...entraCase("Z13, with its chain", files.modern!),
      pfx: withChain(files.modern!),
      expected: entra(app),
    },
    { ...entraCase("Z14, for AD FS", files.modern!), authority: ADFS, expected: adfs(app, 0) },
    {
      name: "PFX: without a passphrase",
      authority: ENTRA,
      pfx: { pfx: noPassphrase },
      expected: entra(app, 0),
    },
    { name: "PFX: a P-256 key", oidcAuthority: GENERIC, pfx: ecPfx, expected: ecExpected },
    {
      name: "PFX: a wrong passphrase",
      authority: ENTRA,
      pfx: { pfx: files.modern!, passphrase: "wrong" },
      refused: "does not open the PFX file",
    },
    {
      name: "PFX: a missing passphrase",
      authority: ENTRA,
      pfx: { pfx: files.modern! },
      refused: "has one: give it",
    },
    {
      ...entraCase("RSA of 1024 bits", base64(await openssl.pfx(weak))),
      refused: "invalid_client_credential",
    },
    { ...entraCase("a P-384 key", base64(await openssl.pfx(p384))), refused: "client_credential" },
  ];
}

function withChain(pfx: string): { pfx: string; passphrase: string; sendX5c: boolean } {
  return { pfx, passphrase: PASSPHRASE, sendX5c: true };
}

/** Runs the command that the error names, with the passphrases that it would ask for. */
async function convert(openssl: OpenSsl, legacy: string): Promise<string> {
  const old = await openssl.file(Uint8Array.fromBase64(legacy));
  const command = CONVERT.replace("old.pfx", `${old} -passin env:PASSPHRASE`)
    .replace("new.pfx", "new.pfx -passout env:PASSPHRASE");
  return base64(await openssl.run(`${command} && cat new.pfx`));
}

/** Makes every case. */
export async function makeCases(openssl: OpenSsl, files: MadeFiles): Promise<Judged[]> {
  return [
    ...await pemCases(openssl, files),
    ...await keyCases(openssl, files),
    ...await pfxCases(openssl, files),
  ];
}
