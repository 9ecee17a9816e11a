/**
 * Checks a user name and a password without telling which of the two is wrong.
 *
 * @module
 */
import { type AuthorizationRequest, findUser } from "../authorization.ts";
import type { User } from "../declared.ts";
import { EntraError } from "../entra_error.ts";
import type { Exchange } from "../exchange.ts";

/**
 * The user whose name and password these are. Throws AADSTS50126 whichever is wrong; only who knows the password
 * learns that the user may not sign in there.
 */
export function authenticate(
  exchange: Exchange,
  request: AuthorizationRequest,
  username: string,
  password: string,
): User {
  const { directory } = exchange.services;
  const known = directory.user(username);
  // Where nobody has the name, somebody else's password is compared, so that it takes as long.
  const compared = known ?? directory.users[0];
  const fits = compared?.password === password;
  if (known && fits) return findUser(exchange, request, username);
  throw new EntraError(400, "invalid_grant", 50126, "The user name or the password is wrong.");
}
