/**
 * `client_info`: who the user is at home, for the keys of MSAL's caches.
 *
 * @module
 */
import { base64url } from "jose";
import type { User } from "./declared.ts";

/** The value for a user, base64url JSON. */
export function clientInfoOf(user: User): string {
  return base64url.encode(JSON.stringify({ uid: user.id, utid: user.tenant.id }));
}
