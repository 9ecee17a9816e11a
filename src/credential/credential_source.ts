/**
 * A confidential client's credential, checked.
 *
 * @module
 */

import type { AuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import type { Emit } from "../runtime/events.ts";
import type { AppliedCredential, CredentialMethod } from "./applied_credential.ts";
import type { AssertionOptions } from "./certificate_method.ts";
import type { ClientCredential, CredentialContext } from "./client_credential.ts";
import { CredentialMember } from "./credential_member.ts";
import { methodOf } from "./credential_shape.ts";
import { failCredential } from "./credential_fault.ts";

/** One or more credentials, of which the last one that worked is used first. */
export class CredentialSource {
  readonly #members: readonly CredentialMember[];
  #preferred: CredentialMember | undefined;

  /**
   * Checks a credential; functions are not called yet.
   *
   * @param credential The option.
   * @param options What assertions need of the application.
   * @throws {ClientConfigurationError} `missing_client_credential` or `invalid_client_credential`.
   */
  constructor(credential: ClientCredential, options: AssertionOptions) {
    if ((credential ?? undefined) === undefined) {
      refuse(
        "missing_client_credential",
        "clientCredential",
        "it is missing: give a secret, a certificate or an assertion",
      );
    }
    const list: readonly unknown[] = Array.isArray(credential) ? credential : [credential];
    const check = (value: unknown): CredentialMethod => methodOf(value, options);
    this.#members = list.map((one) => new CredentialMember(one, check));
    if (list.length === 0) failCredential("the list is empty");
  }

  /**
   * The first secret that never changes; it then keys this client's entries in the HTTP cache, whichever credential is used: all
   * of the application's isolates know it, and nobody else.
   */
  get staticSecret(): string | undefined {
    return this.#members.find(({ method }) => method?.staticSecret)?.method?.staticSecret;
  }

  /** How often a request may be sent, each time with another credential. */
  get attempts(): number {
    return this.#turns().length;
  }

  /** Whether the client proves who it is by its TLS certificate, so that the endpoints for that are asked. */
  get usesTls(): boolean {
    return this.#members.some(({ method }) => method?.usesTls);
  }

  /**
   * Gets the credential for one request.
   *
   * @param context The request.
   * @param emit Told of what was passed over.
   * @returns What to add to it, and what to try next.
   * @throws {ClientAuthError} `client_credential_failed` where the application's function throws.
   * @throws {ClientConfigurationError} `invalid_client_credential` where it returns no credential.
   */
  async apply(context: CredentialContext, emit?: Emit): Promise<AppliedCredential> {
    const [first, ...others] = this.#turns();
    return await this.#try(first!, others, context, emit);
  }

  /** Each of a list once; a function that stands alone once more. */
  #turns(): readonly CredentialMember[] {
    const preferred = this.#preferred ?? this.#members[0]!;
    const others = this.#members.filter((member) => member !== preferred);
    return others.length === 0 && preferred.renews ? [preferred, preferred] : [preferred, ...others];
  }

  async #try(
    member: CredentialMember,
    [next, ...rest]: readonly CredentialMember[],
    context: CredentialContext,
    emit: Emit | undefined,
  ): Promise<AppliedCredential> {
    try {
      const applied = await member.apply(context);
      // Others than Microsoft refuse a `jti` that they have seen.
      const isOneTime = context.authorityType === "oidc" && "client_assertion" in applied.form;
      return {
        ...applied,
        again: isOneTime ? () => member.apply(context) : undefined,
        next: next && ((rejectedBy) => this.#try(next, rest, { ...context, rejectedBy }, emit)),
        refused: (codes) => {
          applied.refused?.(codes);
          member.rejectedBy = codes;
        },
        accepted: () => {
          member.rejectedBy = undefined;
          this.#preferred = member;
        },
      };
    } catch (error) {
      // A function that stands alone would only do again what it did.
      if (next === undefined || next === member) throw error;
      emit?.({ type: "credential_failed", error: error as AuthError });
      return await this.#try(next, rest, context, emit);
    }
  }
}
