/**
 * Accounts in MSAL Node's dialect: one for each user, in the home tenant, with a profile of every tenant in it.
 *
 * @module
 */

import { cacheHostOf, cloudOf } from "../authority/known_clouds.ts";
import type { CachedAccount } from "./cached_user.ts";
import { type KeyedEntry, textOf } from "./msal_entry.ts";
import { writeAccount } from "./msal_user_entry.ts";
import { ownerKey, realmKey } from "./token_index.ts";

/** The home tenant of Microsoft's users; elsewhere a user has one realm. */
function homeRealmOf(account: CachedAccount): string {
  const [, tenant = ""] = account.homeAccountId.split(".");
  return cloudOf(account.environment.toLowerCase()) && tenant || account.realm;
}

function isHome(account: CachedAccount): boolean {
  return homeRealmOf(account).toLowerCase() === account.realm.toLowerCase();
}

/** The profiles that an entry has, by tenant. */
function profilesIn(listed: unknown): Map<string, object> {
  const profiles = new Map<string, object>();
  for (const text of Array.isArray(listed) ? listed : []) {
    try {
      const profile = JSON.parse(text);
      profiles.set(textOf(profile.tenantId), profile);
    } catch {
      // Nobody could read it.
    }
  }
  return profiles;
}

/** Writes the accounts of one user. */
function writePerson(accounts: readonly CachedAccount[]): KeyedEntry[] {
  const base = accounts.find(isHome) ?? accounts.find(({ origin }) => origin?.entry.tenantProfiles) ??
    accounts[0] as CachedAccount;
  const profiles = profilesIn(base.origin?.entry.tenantProfiles);
  for (const account of accounts) {
    const { realm, localAccountId, name, username } = account;
    const tenantId = realmKey(account);
    const isHomeTenant = isHome(account);
    const profile = { tenantId: realm, localAccountId, ...(name && { name }), username, isHomeTenant };
    profiles.set(tenantId, { ...profiles.get(tenantId), ...profile });
  }
  const realm = homeRealmOf(base);
  const isGuest = base.origin === undefined && !isHome(base);
  const [key, entry] = writeAccount({
    ...base,
    ...(base.origin === undefined && { environment: cacheHostOf(base.environment), realm }),
    ...(isGuest && { localAccountId: textOf(base.homeAccountId.split(".")[0]) }),
  });
  const tenantProfiles = [...profiles.values()].map((profile) => JSON.stringify(profile));
  // Who has an entry of their own keeps it.
  const others = accounts.filter((account) => account !== base && account.origin !== undefined);
  return [[key, { ...entry, tenantProfiles }], ...others.map(writeAccount)];
}

/**
 * Writes accounts as MSAL Node does.
 *
 * @param accounts The accounts of any number of users.
 * @returns The entries, by key.
 */
export function writeNodeAccounts(accounts: readonly CachedAccount[]): KeyedEntry[] {
  const people = new Map<string, CachedAccount[]>();
  for (const account of accounts) {
    const person = ownerKey(account.environment, "", account.homeAccountId);
    people.set(person, [...people.get(person) ?? [], account]);
  }
  return [...people.values()].flatMap(writePerson);
}
