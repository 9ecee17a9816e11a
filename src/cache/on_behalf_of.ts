/**
 * The names under which the tokens are kept that an API gets on behalf of its callers. They are no accounts: each assertion,
 * and each long-running process, has an owner of its own, and a mark that says whose tokens they are.
 *
 * @module
 */

/** How the names begin; no account's `homeAccountId` does. */
export const BEHALF = "obo#";

/** The length of a hash in base64url. */
const HASH_CHARS = 43;

/** The owner of what an assertion gave. */
export function assertionOwner(hash: string): string {
  return BEHALF + hash;
}

/** The owner of what a long-running process has. */
export function processOwner(hash: string): string {
  return `${BEHALF}#${hash}`;
}

/** Whether an owner is a long-running process: it may be given to another user. */
export function isProcess(homeAccountId: string): boolean {
  return homeAccountId.startsWith(`${BEHALF}#`);
}

/**
 * Says whose the tokens are, and by which assertion they came.
 *
 * @param hash The assertion's hash.
 * @param homeAccountId The user; empty where the authority does not say.
 */
export function markOf(hash: string, homeAccountId: string): string {
  return `${hash}#${homeAccountId}`;
}

/** The assertion's hash in a mark. */
export function hashIn(mark: string): string {
  return mark.slice(0, HASH_CHARS);
}

/** The user in a mark; empty where the authority did not say. */
export function userIn(mark: string): string {
  return mark.slice(HASH_CHARS + 1);
}

/** Whether two marks are of one user; of whom nothing is known, only one assertion's tokens are. */
export function isSameUser(mark: string | undefined, other: string | undefined): boolean {
  if (mark === undefined || other === undefined) return mark === other;
  const part = userIn(mark) && userIn(other) ? userIn : hashIn;
  return part(mark) === part(other);
}
