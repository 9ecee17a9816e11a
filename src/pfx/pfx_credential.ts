/**
 * A PFX file as an application's credential.
 *
 * @module
 */

import type {
  AssertionSigning,
  CertificateCredential,
  ClientCredentialProvider,
} from "../credential/client_credential.ts";
import { refuse } from "../errors/errors.ts";
import { pfxBytes } from "./pfx_bytes.ts";
import { checkPassphrase, readBytes } from "./read_pfx.ts";

/** A PFX file, and how assertions are signed with its key. */
export interface PfxCredential extends Pick<AssertionSigning, "algorithm" | "keyId"> {
  /** The file's bytes, or base64 text of them, as a secret or an environment variable has it. */
  readonly pfx: Uint8Array | ArrayBuffer | string;
  /** What the file is encrypted with; none, or an empty one, for a file without. */
  readonly passphrase?: string | undefined;
  /**
   * Whether the assertion carries the certificates of the file as `x5c`, for trust by subject name and issuer.
   *
   * @default {false}
   */
  readonly sendX5c?: boolean | undefined;
}

/**
 * Makes a credential of a PFX file. It is opened when a token is first asked for, and once only; a hit in the cache never needs it.
 *
 * @param credential The file, its passphrase, and how assertions are signed.
 * @returns What the `clientCredential` option takes.
 * @throws {ClientConfigurationError} `invalid_client_credential` for what is no PFX file at first sight. What is found when it is
 * opened, such as a wrong passphrase, comes from the call that needed the token.
 */
export function pfxCredential(credential: PfxCredential): ClientCredentialProvider {
  if (Object(credential) !== credential) {
    refuse("invalid_client_credential", "pfxCredential", "it must be given { pfx, passphrase? }");
  }
  const { pfx, passphrase, algorithm, keyId, sendX5c = false } = credential;
  const bytes = pfxBytes(pfx);
  checkPassphrase(passphrase);
  const open = async (): Promise<CertificateCredential> =>
    Object.freeze({ ...await readBytes(bytes, passphrase), algorithm, keyId, sendX5c });
  // The value and not its promise is kept, so that no request of a Worker waits for another one's.
  let opened: CertificateCredential | undefined;
  let opening: Promise<CertificateCredential> | undefined;
  return () =>
    opened ?? (opening ??= open().then((result) => opened = result).finally(() => opening = undefined));
}
