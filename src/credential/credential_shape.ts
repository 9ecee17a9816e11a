/**
 * Tells the shapes of a credential apart.
 *
 * @module
 */

import type { CredentialMethod } from "./applied_credential.ts";
import { assertionMethod } from "./assertion_method.ts";
import { type AssertionOptions, certificateMethod } from "./certificate_method.ts";
import type {
  CertificateCredential,
  ClientAssertionCredential,
  ClientSecretCredential,
  SignerCredential,
} from "./client_credential.ts";
import { secretMethod } from "./client_secret.ts";
import { failCredential, PFX } from "./credential_fault.ts";
import { tlsMethod } from "./tls_client_auth.ts";

const PROOFS = ["clientSecret", "clientAssertion", "privateKey", "sign", "pfx"] as const;
type Shape =
  & { readonly [Proof in typeof PROOFS[number]]: unknown }
  & ClientSecretCredential
  & ClientAssertionCredential
  & CertificateCredential
  & SignerCredential;

function failShape(given: Shape): never {
  const empty = PROOFS.find((name) => name in given);
  failCredential(
    empty === undefined
      ? "give a secret, { clientSecret }, { clientAssertion }, { privateKey }, { sign }, or a function"
      : `${empty} is empty: check where it comes from`,
  );
}

/**
 * Checks a credential of one shape. What was given is read here and not again.
 *
 * @param value What the application gave.
 * @param options What assertions need of the application.
 * @returns The method.
 * @throws {ClientConfigurationError} `invalid_client_credential`.
 */
export function methodOf(value: unknown, options: AssertionOptions): CredentialMethod {
  if (typeof value === "string") {
    // Apple's client secrets are JWTs, too, so { clientSecret } takes one.
    if (/^eyJ[\w-]*\.[\w-]+\.[\w-]*\s*$/.test(value)) {
      failCredential("it is a JWT: give { clientAssertion }");
    }
    return secretMethod({ clientSecret: value });
  }
  // Of a class, too, as what wraps a key vault may be.
  const given = Object(value) as Shape;
  // A variable of the environment that is not set is undefined, or empty.
  const members = [...PROOFS.map((name) => [name, given[name]] as const), ...Object.entries(given)]
    .filter(([, member]) => member !== undefined && member !== "");
  const shape = Object.fromEntries(members) as unknown as Shape;
  const [proof, other] = PROOFS.filter((name) => shape[name] !== undefined);
  if (other !== undefined) failCredential(`${proof} and ${other} are two proofs: give one`);
  switch (proof) {
    case "clientSecret":
      return secretMethod(shape);
    case "clientAssertion":
      return assertionMethod(shape, options);
    case "pfx":
      return failCredential(PFX);
    case undefined:
      return tlsMethod(given.method) ?? failShape(given);
    default:
      return certificateMethod(
        typeof shape.sign === "function" ? { ...shape, sign: shape.sign.bind(value) } : shape,
        options,
      );
  }
}
