/**
 * The certificates and federated credentials of an app, checked.
 *
 * @module
 */
import { type Certificate, readCertificate } from "./certificate.ts";
import type { AppKeys, FederatedCredentialDeclaration } from "./key_options.ts";

/** A name that is trusted, with the issuer's certificate read. */
export interface TrustedName {
  readonly subjectName: string;
  readonly issuer: Certificate;
}

/** What an app may prove itself with besides secrets. */
export interface DeclaredKeys {
  readonly certificates: readonly Certificate[];
  readonly trustedSubjects: readonly TrustedName[];
  readonly federatedCredentials: readonly FederatedCredentialDeclaration[];
}

/** Reads what an app declares. Throws a `TypeError` when a certificate cannot be read. */
export function keysOf(declared: AppKeys): DeclaredKeys {
  return {
    certificates: (declared.certificates ?? []).map(readCertificate),
    trustedSubjects: (declared.trustedSubjects ?? []).map(({ subjectName, issuer }) => ({
      subjectName,
      issuer: readCertificate(issuer),
    })),
    federatedCredentials: declared.federatedCredentials ?? [],
  };
}
