/**
 * Keeps authorization requests that were pushed.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9126#section-2.2 | RFC 9126 section 2.2}
 */
import type { Clock } from "../runtime/clock.ts";
import { ExpiringMap } from "./expiring_map.ts";
import type { BindingOptions } from "./key_options.ts";
import { opaque } from "./token_parts.ts";

const PREFIX = "urn:ietf:params:oauth:request_uri:";
const MAX_REQUESTS = 1_000;
const SECRET_BYTES = 32;

/** How long a pushed request waits for its user, in seconds. */
export const PUSHED_LIFETIME_SECONDS = 60;

/** The requests that were pushed and not used yet. */
export class PushedRequests {
  /** Whether all authorization requests must be pushed. */
  readonly required: boolean;
  readonly #requests: ExpiringMap<URLSearchParams>;

  constructor(clock: Clock, required: boolean) {
    this.required = required;
    this.#requests = new ExpiringMap(clock, MAX_REQUESTS);
  }

  /** Keeps a request. */
  add(parameters: URLSearchParams): string {
    const uri = PREFIX + opaque(SECRET_BYTES);
    this.#requests.set(uri, parameters, PUSHED_LIFETIME_SECONDS);
    return uri;
  }

  /** The request of a client; it can be had once. */
  take(uri: string, clientId: string): URLSearchParams | undefined {
    const found = this.#requests.get(uri);
    if (found?.get("client_id")?.toLowerCase() !== clientId.toLowerCase()) return undefined;
    this.#requests.delete(uri);
    return found;
  }
}

/** What the options say of pushed requests; absent if they are off. */
export function pushedRequestsOf(clock: Clock, options: BindingOptions): PushedRequests | undefined {
  const { pushedAuthorizationRequests = false, requirePushedAuthorizationRequests: required = false } =
    options;
  return pushedAuthorizationRequests || required ? new PushedRequests(clock, required) : undefined;
}
