/**
 * Instance discovery: asks Microsoft, or a private cloud, whether a host is one of its own.
 *
 * @module
 */

import type { DocumentCache } from "../net/document_cache.ts";
import { type DocumentOptions, type DocumentReader, DocumentSource } from "../net/document_source.ts";
import type { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import type { Authority } from "./authority.ts";

const DAY_MS = 86_400_000;

/** Finds out whether an authority's host may be asked; at once where that is known. */
export type Vouch = (
  correlationId: string,
  waitUntil: WaitUntil | "detached" | undefined,
) => true | Promise<true>;

/** Reads the answer: the host must be in it. */
function vouchFor(host: string): DocumentReader<true> {
  const isHost = (alias: unknown): boolean => typeof alias === "string" && alias.toLowerCase() === host;
  return ({ error, metadata }, fail) => {
    const isListed = Array.isArray(metadata) && metadata.some((entry) => {
      const { aliases } = Object(entry);
      return Array.isArray(aliases) && aliases.some(isHost);
    });
    if (isListed && error === undefined) return true;
    const why = error === "invalid_instance" ? `${error}: ` : "";
    return fail(
      `${why}it does not know ${host}: list it in knownAuthorities if you do`,
      "untrusted_authority",
    );
  };
}

/**
 * Makes the question about an authority's host; nothing is sent yet. A host that is known stays so for a day, and for
 * another one while nobody answers.
 *
 * @param endpoint Who is asked: checked by whoever made the URL.
 * @param authority The authority, whose host is not known.
 * @param http The client that sends.
 * @param cache Where answers are kept.
 * @param options What documents need of the application.
 * @returns Asks. It throws a `ClientAuthError` (`untrusted_authority`, or `endpoints_resolution_error` for an answer that is
 * none), and a `NetworkError` where nobody answers.
 */
export function instanceDiscovery(
  endpoint: string,
  { environment, tenant }: Authority,
  http: HttpClient,
  cache: DocumentCache,
  options: DocumentOptions,
): Vouch {
  const rules = { freshMs: DAY_MS, staleMs: 2 * DAY_MS, retry: true, isVerdict: true };
  const documents = new DocumentSource<true>(http, cache, options, rules);
  const query = new URLSearchParams({
    "api-version": "1.1",
    // With its port, which MSAL leaves out: another port is another server.
    authorization_endpoint: `https://${environment}/${tenant}/oauth2/v2.0/authorize`,
  });
  const read = vouchFor(environment);
  return (correlationId, waitUntil) => documents.get(`${endpoint}?${query}`, read, correlationId, waitUntil);
}
