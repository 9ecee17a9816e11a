/**
 * What a credential comes to in a request.
 *
 * @module
 */

import type { CredentialContext } from "./client_credential.ts";

/** What a credential adds to a token request. */
export interface AppliedCredential {
  /** Members of the form. */
  readonly form: Readonly<Record<string, string>>;
  /** Headers. */
  readonly headers: Readonly<Record<string, string>>;
  /** Texts that must never show up in an error. */
  readonly secrets: readonly string[];
  /**
   * Gets what to send once more where the authority refuses this for what a renewed credential mends; absent where nothing is
   * left to try.
   *
   * @param rejectedBy The AADSTS codes of the refusal.
   * @returns Another one.
   */
  readonly next?: ((rejectedBy: readonly number[]) => Promise<AppliedCredential>) | undefined;
  /** Gets the same with an assertion that was not sent yet; absent where one may be sent twice. */
  readonly again?: (() => Promise<AppliedCredential>) | undefined;
  /** Told with which codes the authority refused this for what a renewed credential mends. */
  readonly refused?: ((codes: readonly number[]) => void) | undefined;
  /** Told that the authority took this. */
  readonly accepted?: (() => void) | undefined;
}

/** A checked credential of one shape. */
export interface CredentialMethod {
  /** The secret where it never changes. */
  readonly staticSecret?: string | undefined;
  /** Whether the client proves who it is by its TLS certificate, RFC 8705: other endpoints may be meant for that. */
  readonly usesTls?: boolean | undefined;
  /** Whether another call may give something newer, as a function of the application's does. */
  readonly renews?: boolean | undefined;
  /**
   * Gets the credential for one request.
   *
   * @param context The request.
   * @returns What to add to it.
   */
  apply(context: CredentialContext): Promise<AppliedCredential>;
}

/** The form of an assertion, RFC 7523 section 2.2. */
export function assertionForm(assertion: string): AppliedCredential {
  const type = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
  return {
    form: { client_assertion_type: type, client_assertion: assertion },
    headers: {},
    secrets: [assertion],
  };
}
