/**
 * Finds a user by owner and by client, without a scan over the users.
 *
 * @module
 */

import { cloudOf } from "../authority/known_clouds.ts";
import type { AccountInfo } from "../request/account_info.ts";
import { ClockRing, type RingItem } from "../store/clock_ring.ts";
import type {
  CachedAccount,
  CachedApp,
  CachedIdToken,
  UserKey,
  UserProfile,
  UserRecord,
} from "./cached_user.ts";
import { userIn } from "./on_behalf_of.ts";
import { ownerKey, realmKey } from "./token_index.ts";
import { mergeEntries, ownerOf, type UserChange, type UserEntries } from "./user_entries.ts";

/** A client and its users. */
interface Client {
  readonly users: Map<string, HeldUser>;
  app: CachedApp | undefined;
}

/** A user in memory. What is new makes another one. */
export interface HeldUser extends UserRecord, UserEntries, RingItem {
  /** The version of the user's partition in the store, where one is known. */
  version: string | undefined;
}

/** A profile for an ID token without an account, as MSAL Node keeps guests. */
function accountOf({ environment, homeAccountId, realm, claims }: CachedIdToken): CachedAccount {
  const { oid, sub, preferred_username: username = "", name } = claims;
  return { environment, homeAccountId, realm, localAccountId: oid ?? sub, username, name, authorityType: "" };
}

/** An issuer that is not Entra has no guests. */
function isHome(account: CachedAccount): boolean {
  const { homeAccountId } = account;
  return homeAccountId.includes("#") || homeAccountId.split(".")[1]?.toLowerCase() === realmKey(account);
}

/**
 * The tenant of an entry: MSAL Python files what it got on `common` under that name, and its ID token tells the tenant. The path of
 * an `oidcAuthority` on the same host stays what it is.
 */
function tenantOf(realm: string, idToken: CachedIdToken | undefined): string {
  const isTenant = idToken && !realm.includes("/") && cloudOf(idToken.environment.toLowerCase());
  const tid = isTenant && idToken.claims.tid;
  return typeof tid === "string" ? tid.toLowerCase() : realm;
}

/** The mark of accounts, which are all of one user. */
export function markIn(accounts: ReadonlyMap<string, CachedAccount>): string | undefined {
  return [...accounts.values()].find(({ onBehalfOf }) => onBehalfOf)?.onBehalfOf;
}

/** The profiles, made once for every change: what is handed out is frozen. */
export function profilesOf(
  { accounts, idTokens }: Pick<UserEntries, "accounts" | "idTokens">,
): ReadonlyMap<string, UserProfile> {
  const all = new Map<string, Omit<UserProfile, "info">>();
  for (const realm of [...accounts.keys(), ...idTokens.keys()]) {
    const idToken = idTokens.get(realm);
    const account = accounts.get(realm) ?? accountOf(idToken as CachedIdToken);
    const tenant = tenantOf(realm, idToken);
    if (tenant === realm) all.set(realm, { account, idToken });
    else if (!all.has(tenant)) all.set(tenant, { account: { ...account, realm: tenant }, idToken });
  }
  const mark = markIn(accounts);
  // What is kept under another name is shown under the user's own.
  const homeOf = ({ homeAccountId }: CachedAccount): string =>
    mark === undefined ? homeAccountId : userIn(mark);
  const about = ({ realm, localAccountId, username, name }: CachedAccount) => ({
    tenantId: realm,
    localAccountId,
    username,
    ...(name && { name }),
  });
  const tenantProfiles = Object.freeze(
    [...all.values()].map(({ account }) =>
      Object.freeze({
        ...about(account),
        isHomeTenant: isHome({ ...account, homeAccountId: homeOf(account) }),
      })
    ),
  );
  const infoOf = (account: CachedAccount): AccountInfo => {
    const { environment } = account;
    return Object.freeze({
      homeAccountId: homeOf(account),
      environment,
      ...about(account),
      tenantProfiles,
    });
  };
  return new Map(
    [...all].map(([realm, profile]) => [realm, { ...profile, info: infoOf(profile.account) }]),
  );
}

/** About what an entry takes: its texts, twice for the objects made of them, and an ID token's claims. */
function bytesOf(entry: object & { origin?: { bytes: number } | undefined; claims?: unknown }): number {
  const lengths = Object.values(entry).map((value) => typeof value === "string" ? value.length : 0);
  const sum = lengths.reduce((total, length) => total + length, 0);
  return 600 + sum * (entry.claims ? 8 : 4) + (entry.origin?.bytes ?? 0);
}

/** The users in memory: bounded, found by owner or listed by client. */
export class UserIndex {
  readonly #users = new Map<string, HeldUser>();
  readonly #clients = new Map<string, Client>();
  readonly #ring: ClockRing<HeldUser>;

  /**
   * Makes an empty index.
   *
   * @param maxEntries The most users, each counted once for every client; 10 000 where absent.
   * @param maxBytes The most bytes, about; 32 MiB where absent.
   */
  constructor(maxEntries: number = 10_000, maxBytes: number = 32 * 1024 * 1024) {
    this.#ring = new ClockRing({ maxEntries, maxBytes }, (user) => {
      const client = this.#unlink(user);
      // Whoever makes up clients must not fill the memory with them.
      if (client?.users.size === 0) this.#clients.delete(clientKey(user.key));
    });
  }

  /** How many users there are, each counted once for every client. */
  get size(): number {
    return this.#users.size;
  }

  /** Every user, the one that changed last comes last. */
  get all(): Iterable<HeldUser> {
    return this.#ring.items;
  }

  /** What is known of every client. */
  get apps(): CachedApp[] {
    return [...this.#clients.values()].flatMap(({ app }) => app ?? []);
  }

  /** Finds a user, and marks them as used. */
  get(owner: string): HeldUser | undefined {
    const user = this.#users.get(owner);
    if (user !== undefined) user.used = true;
    return user;
  }

  /** The users of one client. */
  list(environment: string, clientId: string): HeldUser[] {
    return [...this.#clients.get(ownerKey(environment, clientId, ""))?.users.values() ?? []];
  }

  /** The family of a client; `undefined` where nothing is known. */
  familyOf(key: Omit<UserKey, "homeAccountId">): string | undefined {
    return this.#clients.get(clientKey(key))?.app?.familyId;
  }

  /** Notes a client's family; once known it is not forgotten. */
  putApp(app: CachedApp): void {
    const client = this.#client(app);
    const { familyId = "", origin } = client.app ?? {};
    client.app = { ...app, familyId: app.familyId || familyId, origin: app.origin ?? origin };
  }

  /**
   * Puts what is new of a user on top of what is known.
   *
   * @param key Who.
   * @param change What is new.
   * @param version The version of the partition that it was read from.
   * @returns The user, who is in memory from now on unless that is too small; `undefined` where nothing is known of them.
   */
  put(key: UserKey, change: UserChange, version?: string): HeldUser | undefined {
    const owner = ownerOf(key);
    const old = this.#users.get(owner);
    const entries = mergeEntries(old, change);
    const { accounts, idTokens, refreshTokens } = entries;
    const parts = [...accounts.values(), ...idTokens.values(), ...refreshTokens];
    if (old !== undefined) this.delete(owner);
    if (parts.length === 0) return undefined;
    const client = this.#client(key);
    const added: HeldUser = {
      owner,
      key: old?.key ?? key,
      ...entries,
      profiles: profilesOf(entries),
      onBehalfOf: markIn(accounts),
      get familyId(): string | undefined {
        return client.app?.familyId;
      },
      version: version ?? old?.version,
      used: false,
      bytes: parts.reduce((sum, entry) => sum + bytesOf(entry), 1_000),
    };
    if (!this.#ring.add(added)) return added;
    this.#users.set(owner, added);
    // Making room may have made the client forgotten.
    this.#clients.set(clientKey(key), client);
    client.users.set(owner, added);
    return added;
  }

  /** Notes the version of a user's partition that was written. */
  note(owner: string, version: string | undefined): void {
    const user = this.#users.get(owner);
    if (user !== undefined) user.version = version;
  }

  /** Takes a user out; tells whether there was one. */
  delete(owner: string): boolean {
    const user = this.#users.get(owner);
    if (user === undefined) return false;
    this.#ring.remove(user);
    const client = this.#unlink(user);
    if (client?.users.size === 0 && client.app === undefined) this.#clients.delete(clientKey(user.key));
    return true;
  }

  /** Forgets everything. */
  clear(): void {
    for (const owner of [...this.#users.keys()]) this.delete(owner);
    this.#clients.clear();
  }

  #client(key: Omit<UserKey, "homeAccountId">): Client {
    const name = clientKey(key);
    const client = this.#clients.get(name) ?? { users: new Map(), app: undefined };
    this.#clients.set(name, client);
    return client;
  }

  #unlink({ owner, key }: HeldUser): Client | undefined {
    const client = this.#clients.get(clientKey(key));
    this.#users.delete(owner);
    client?.users.delete(owner);
    return client;
  }
}

function clientKey({ environment, clientId }: Omit<UserKey, "homeAccountId">): string {
  return ownerKey(environment, clientId, "");
}
