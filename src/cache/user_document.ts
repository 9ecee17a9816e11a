/**
 * Users as a document holds them.
 *
 * @module
 */

import type { CachedAccount, CachedIdToken, CachedRefreshToken, UserKey } from "./cached_user.ts";
import type { MsalContent, MsalDocument } from "./msal_document.ts";
import { ownerKey, realmKey } from "./token_index.ts";
import { holderOf, NO_CLIENT, ownerOf, withClient } from "./user_entries.ts";
import type { UserIndex } from "./user_index.ts";

/** A user in a document. */
interface Group {
  readonly key: UserKey;
  readonly accounts: CachedAccount[];
  readonly idTokens: CachedIdToken[];
  readonly refreshTokens: CachedRefreshToken[];
}

/** The user whatever the client is. */
function personOf({ environment, homeAccountId }: Omit<UserKey, "clientId">): string {
  return ownerKey(environment, "", homeAccountId);
}

/**
 * Puts the users of a document into memory. An account belongs to every client that has tokens of its user there, and
 * otherwise to none.
 *
 * @param document The document.
 * @param held The memory.
 */
export function importUsers(document: MsalDocument, held: UserIndex): void {
  const groups = new Map<string, Group>();
  const people = new Map<string, Set<Group>>();
  const groupOf = (key: UserKey): Group => {
    const owner = ownerOf(key);
    const group = groups.get(owner) ?? { key, accounts: [], idTokens: [], refreshTokens: [] };
    groups.set(owner, group);
    const person = personOf(key);
    people.set(person, (people.get(person) ?? new Set()).add(group));
    return group;
  };
  for (const app of document.apps) held.putApp(app);
  for (const token of document.tokens) {
    if (token.homeAccountId !== "") groupOf(withClient(token, token.clientId));
  }
  for (const token of document.idTokens) groupOf(withClient(token, token.clientId)).idTokens.push(token);
  for (const token of document.refreshTokens) {
    groupOf(holderOf(token)).refreshTokens.push(token);
    const { environment, clientId, familyId } = token;
    if (familyId) held.putApp({ environment, clientId, familyId });
  }
  for (const account of document.accounts) {
    const known = people.get(personOf(account)) ?? [groupOf(withClient(account, NO_CLIENT))];
    for (const group of known) group.accounts.push(account);
  }
  // Of refresh tokens that say no time the last one is the newest.
  for (const { refreshTokens, ...group } of groups.values()) {
    held.put(group.key, { ...group, refreshTokens: refreshTokens.reverse() });
  }
}

/**
 * Writes down what memory knows of its users.
 *
 * @param held The memory.
 * @returns The entries; the access tokens are elsewhere.
 */
export function contentOf(held: UserIndex): Omit<MsalContent, "tokens"> {
  const users = [...held.all];
  // One entry for all clients: whoever changed last knows best.
  const accounts = new Map<string, CachedAccount>();
  for (const account of users.flatMap((user) => [...user.accounts.values()])) {
    const name = `${personOf(account)}\n${realmKey(account)}`;
    accounts.set(name, { ...account, origin: account.origin ?? accounts.get(name)?.origin });
  }
  return {
    accounts: [...accounts.values()],
    idTokens: users.flatMap((user) => [...user.idTokens.values()]),
    refreshTokens: users.flatMap((user) => [...user.refreshTokens].reverse()),
    apps: held.apps,
  };
}
