/**
 * Documents that an application brings along, so that nobody is asked for them.
 *
 * @module
 */

import type { Authority } from "../authority/authority.ts";
import { requireDocument } from "../authority/instances.ts";
import { readProvider } from "../authority/provider_document.ts";
import type { ProviderMetadata } from "../authority/provider_metadata.ts";
import { refuse } from "../errors/errors.ts";
import { type KeySet, readKeySet } from "../jwt/key_set.ts";
import type { DocumentReader } from "../net/document_source.ts";
import type { InjectedMetadata } from "./options.ts";

/** What injected documents come to. */
export interface KnownMetadata {
  /** What the discovery document of the authority's own tenant says. */
  readonly provider: ProviderMetadata | undefined;
  /** The signing keys. */
  readonly keys: KeySet | undefined;
}

/** Reads a document by the rules of a fetched one; what comes back holds nothing that the caller can change. */
function readAs<T>(name: keyof InjectedMetadata, value: unknown, read: DocumentReader<T>): T | undefined {
  const option = `metadata.${name}`;
  if (value === undefined) return undefined;
  return read(requireDocument(value, option), (why) => refuse("invalid_option", option, why));
}

/**
 * Reads the `metadata` option.
 *
 * @param metadata The option.
 * @param authority The authority, whose documents they must be.
 * @param insecureLoopback Whether `http:` on loopback is allowed.
 * @returns What is known.
 * @throws {ClientConfigurationError} `invalid_option` that names the document.
 */
export function readInjected(
  metadata: InjectedMetadata | undefined,
  authority: Authority,
  insecureLoopback: boolean,
): KnownMetadata {
  if (metadata !== undefined) requireDocument(metadata, "metadata");
  const { openidConfiguration, jwks } = metadata ?? {};
  const keys = readAs("jwks", jwks, readKeySet);
  const provider = readAs("openidConfiguration", openidConfiguration, (body, fail) => {
    const found = readProvider(authority, authority.tenant, body, insecureLoopback, fail);
    return found.issuer.jwksUri || keys ? found : fail("jwks_uri is missing");
  });
  return { provider, keys };
}
