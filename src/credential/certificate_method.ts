/**
 * Proves who a client is by an assertion that the library makes, RFC 7523.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import { isWorkers } from "../runtime/host.ts";
import { type AppliedCredential, assertionForm, type CredentialMethod } from "./applied_credential.ts";
import { AssertionMemo } from "./assertion_memo.ts";
import { type Thumbprints, thumbprintsOf } from "./certificate.ts";
import { type CertificateSettings, readSettings } from "./certificate_settings.ts";
import { chooseAlgorithm, unsignedAssertion } from "./signed_assertion.ts";
import { readClientClaims } from "./client_claims.ts";
import type { CertificateCredential, CredentialContext, SignerCredential } from "./client_credential.ts";
import { failCredential } from "./credential_fault.ts";
import type { AssertionKey } from "./private_key.ts";
import { signatureOf } from "./signer_key.ts";

/** How long the signing of another call is waited for. */
const PATIENCE_MS = 3_000;

/** What assertions need of an application. */
export interface AssertionOptions {
  /** Reads the time in milliseconds since the epoch. */
  readonly now: () => number;
  /** Claims of the application's own, added to each assertion. */
  readonly clientClaims?: Readonly<Record<string, unknown>> | undefined;
}

/** Signs assertions, and remembers them where the authority takes one more than once. */
class CertificateMethod implements CredentialMethod {
  readonly #settings: CertificateSettings;
  readonly #clientClaims: string;
  readonly #now: () => number;
  readonly #memo: AssertionMemo;
  #key: Promise<AssertionKey> | undefined;
  #thumbprints: Promise<Thumbprints> | undefined;

  constructor(credential: CertificateCredential | SignerCredential, { now, clientClaims }: AssertionOptions) {
    this.#settings = readSettings(credential);
    this.#clientClaims = readClientClaims(clientClaims);
    this.#now = now;
    // In workerd what the application's function waits for dies with its request.
    this.#memo = new AssertionMemo("sign" in credential && isWorkers() ? 0 : PATIENCE_MS);
  }

  async apply(context: CredentialContext): Promise<AppliedCredential> {
    const nowMs = this.#now();
    const key = `${context.clientId} ${context.tokenEndpoint}`;
    this.#requireValid(context, nowMs);
    const make = (): Promise<string> => this.#sign(context, nowMs);
    // Others than Microsoft refuse a `jti` that they have seen.
    if (context.authorityType === "oidc") return assertionForm(await make());
    const assertion = await this.#memo.get(key, nowMs, make);
    return { ...assertionForm(assertion), refused: () => this.#memo.forget(key, assertion) };
  }

  /** Refuses what the authority would, and says less of. */
  #requireValid({ authorityType }: CredentialContext, nowMs: number): void {
    const { certificate, named: { x5t, x5tS256 } } = this.#settings;
    if (authorityType === "oidc") return;
    if (certificate !== undefined) {
      const { endsAtMs } = certificate;
      if (nowMs > endsAtMs) {
        failCredential(`publicCertificate ended at ${new Date(endsAtMs).toJSON()}: give its successor`);
      }
    } else if (authorityType === "adfs" && x5t === undefined) {
      failCredential("AD FS goes by SHA-1: give thumbprint or publicCertificate");
    } else if (x5t === undefined && x5tS256 === undefined) {
      failCredential("Entra goes by the certificate: give publicCertificate or thumbprintSha256");
    }
  }

  async #sign(context: CredentialContext, nowMs: number): Promise<string> {
    const { algorithm: asked, certificate, named, keyId, sendX5c } = this.#settings;
    const key = await this.#openKey();
    const thumbprints = await (this.#thumbprints ??= this.#nameCertificate());
    const generic = context.authorityType === "oidc";
    const sha1 = named.x5t !== undefined && named.x5tS256 === undefined;
    const algorithm = chooseAlgorithm(key.algorithms, asked, sha1, context);
    const signed = unsignedAssertion({
      algorithm,
      // Entra would look for a certificate of that name.
      keyId: keyId ?? (generic ? key.keyId : undefined),
      thumbprints,
      chain: sendX5c ?? !generic ? certificate?.chain : undefined,
      clientClaims: this.#clientClaims,
      nowMs,
    }, context);
    const signature = await signatureOf(key, algorithm, signed, certificate, context.correlationId);
    return `${signed}.${encodeBase64Url(signature)}`;
  }

  /** Opened once; a failure is not remembered. */
  #openKey(): Promise<AssertionKey> {
    const { key } = this.#settings;
    if (typeof key !== "function") return Promise.resolve(key);
    if (this.#key === undefined) {
      this.#key = key();
      this.#key.catch(() => this.#key = undefined);
    }
    return this.#key;
  }

  async #nameCertificate(): Promise<Thumbprints> {
    const { certificate, named } = this.#settings;
    if (certificate === undefined) return named;
    const computed = await thumbprintsOf(certificate.der);
    const { x5t = computed.x5t, x5tS256 = computed.x5tS256 } = named;
    if (x5t === computed.x5t && x5tS256 === computed.x5tS256) return computed;
    failCredential("thumbprint or thumbprintSha256 is not that of publicCertificate: leave it out");
  }
}

/**
 * Checks a certificate or a signer; keys are imported at the first request.
 *
 * @param credential The credential.
 * @param options What assertions need of the application.
 * @returns The method. What only the first request shows, it refuses by a `ClientConfigurationError`, too.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function certificateMethod(
  credential: CertificateCredential | SignerCredential,
  options: AssertionOptions,
): CredentialMethod {
  return new CertificateMethod(credential, options);
}
