/**
 * Tokens that are bound to a key: where they are looked up, and which sign-ins they come of.
 *
 * @module
 */

import { bucketKey } from "../cache/token_index.ts";
import { refuse } from "../errors/errors.ts";
import type { AuthScheme } from "../request/auth_scheme.ts";

/**
 * The bucket of a request's tokens. On the hit path: it makes nothing for a plain token.
 *
 * @param realm The realm.
 * @param scheme The request's scheme, checked.
 * @param ext The extra components.
 * @returns The bucket in the index.
 */
export function bucketFor(realm: string, scheme: AuthScheme | undefined, ext: string): string {
  return scheme || ext ? bucketKey(realm, scheme?.tokenType ?? "bearer", scheme?.keyId ?? "", ext) : realm;
}

/**
 * Checks that a sign-in ends with the key that it began with, before its grant is spent.
 *
 * @param flow The flow.
 * @param scheme The scheme that came with its end, checked.
 * @throws {ClientConfigurationError} `invalid_request`, its `option` being `authScheme`.
 */
export function requireKeyOf(
  flow: { readonly keyId?: string | undefined },
  scheme: AuthScheme | undefined,
): void {
  if (flow.keyId === undefined || flow.keyId === scheme?.keyId) return;
  refuse("invalid_request", "authScheme", "it must be the one that the flow began with");
}
