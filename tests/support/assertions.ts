/**
 * Makes assertions as an application does, and reads them as an authority does.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { compactVerify, decodeProtectedHeader, importJWK } from "jose";
import type { CredentialMethod } from "../../src/credential/applied_credential.ts";
import { type AssertionOptions, certificateMethod } from "../../src/credential/certificate_method.ts";
import type {
  AssertionAlgorithm,
  CertificateCredential,
  CredentialContext,
  SignerCredential,
} from "../../src/credential/client_credential.ts";
import { type AuthError, isAuthError } from "../../mod.ts";
import type { AuthorityType } from "../../mod.ts";
import { printed } from "./printed.ts";

export const NOW_MS = 1_767_225_600_250;
export const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const TOKEN_ENDPOINT = "https://login.microsoftonline.com/contoso.onmicrosoft.com/oauth2/v2.0/token";

/** What a method is told of a request. */
export function contextOf(
  authorityType: AuthorityType = "aad",
  members: Partial<CredentialContext> = {},
): CredentialContext {
  return {
    clientId: CLIENT_ID,
    authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
    authorityType,
    tenantId: "contoso.onmicrosoft.com",
    tokenEndpoint: TOKEN_ENDPOINT,
    correlationId: "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c",
    ...members,
  };
}

/** Any credential, wrong ones included. */
export type AnyCredential = CertificateCredential | SignerCredential;

/** Makes a method. */
export function methodOf(
  credential: AnyCredential,
  options: Partial<AssertionOptions> = {},
): CredentialMethod {
  return certificateMethod(credential, { now: () => NOW_MS, ...options });
}

/** The assertion that a request would carry. */
export async function assertionOf(
  method: CredentialMethod,
  context: CredentialContext = contextOf(),
): Promise<string> {
  const { form, headers, secrets } = await method.apply(context);
  assertEquals(Object.keys(form).sort(), ["client_assertion", "client_assertion_type"]);
  assertEquals(form.client_assertion_type, "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
  assertEquals([headers, secrets], [{}, [form.client_assertion]]);
  return form.client_assertion!;
}

/** What a verified assertion says. */
export interface VerifiedAssertion {
  readonly header: Record<string, unknown>;
  readonly payload: Record<string, unknown>;
}

/** Verifies an assertion with `jose`. */
export async function verified(assertion: string, publicJwk: JsonWebKey): Promise<VerifiedAssertion> {
  const header = decodeProtectedHeader(assertion) as Record<string, unknown>;
  const algorithms: AssertionAlgorithm[] = ["PS256", "RS256", "ES256"];
  const key = await importJWK(publicJwk as { kty: string }, String(header.alg));
  const { payload } = await compactVerify(assertion, key, { algorithms });
  return { header, payload: JSON.parse(new TextDecoder().decode(payload)) };
}

/** Makes and verifies an assertion of a new method. */
export async function proofOf(
  credential: AnyCredential,
  publicJwk: JsonWebKey,
  context: CredentialContext = contextOf(),
  options: Partial<AssertionOptions> = {},
): Promise<VerifiedAssertion> {
  return await verified(await assertionOf(methodOf(credential, options), context), publicJwk);
}

/** The error of a credential that must be refused, either at once or by the first request. */
export async function refusal(
  credential: unknown,
  context: CredentialContext = contextOf(),
  options: Partial<AssertionOptions> = {},
): Promise<AuthError & { readonly when: "made" | "asked" }> {
  let when: "made" | "asked" = "made";
  try {
    const method = methodOf(credential as AnyCredential, options);
    when = "asked";
    await method.apply(context);
  } catch (error) {
    assert(isAuthError(error), `${error} is none of the library's errors`);
    return Object.assign(error, { when });
  }
  throw new Error("it was not refused");
}

/** Everything that shows of a value when it is printed or sent on. */
export function shown(value: unknown): string {
  return printed(value);
}
