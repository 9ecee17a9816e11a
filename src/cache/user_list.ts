/**
 * The list of a client's users in a store, so that a new process of a command line tool knows whom it signed in.
 *
 * @module
 */

import type { Clock } from "../runtime/clock.ts";
import type { GuardedStore } from "../store/guarded_store.ts";
import type { CachedAccount, UserKey, UserTokens } from "./cached_user.ts";
import { NOTHING, writeDocument } from "./msal_document.ts";
import { writeAccount } from "./msal_user_entry.ts";
import { partitionKey, readPartition, updatePartition } from "./partition.ts";
import { ownerKey, realmKey, type TokenIndex } from "./token_index.ts";
import { ownerOf, withClient } from "./user_entries.ts";
import type { UserIndex } from "./user_index.ts";

/** How long a list counts. It is written when a user is new, and not whenever one gets a token. */
const LIST_MS = 365 * 86_400_000;

function nameOf(environment: string, clientId: string): Promise<string> {
  return partitionKey("users", ownerKey(environment, clientId, ""));
}

function sameAs(account: CachedAccount): (other: CachedAccount) => boolean {
  const text = (one: CachedAccount): string => JSON.stringify(writeAccount({ ...one, origin: undefined }));
  return (other) => text(other) === text(account);
}

/** Keeps the accounts of a client's users in a store, without their tokens. */
export class UserList {
  readonly #index: TokenIndex;
  readonly #held: UserIndex;
  readonly #store: GuardedStore;
  readonly #clock: Clock;

  /**
   * Joins a memory and a store.
   *
   * @param index The access tokens in memory, which know what was removed.
   * @param held The users in memory.
   * @param store The store.
   * @param clock The time.
   */
  constructor(index: TokenIndex, held: UserIndex, store: GuardedStore, clock: Clock) {
    this.#index = index;
    this.#held = held;
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads a client's list: one read. Of whom memory knows more, it keeps that. */
  async load(environment: string, clientId: string): Promise<void> {
    const asked = this.#index.removals;
    const stored = await this.#store.get(await nameOf(environment, clientId));
    const client = ownerKey(environment, clientId, "");
    const groups = new Map<string, { key: UserKey; accounts: CachedAccount[] }>();
    for (const account of readPartition(stored).accounts) {
      const key = withClient(account, clientId);
      const owner = ownerOf(key);
      const isForeign = ownerKey(account.environment, clientId, "") !== client;
      if (isForeign || this.#index.removedSince(owner, asked)) continue;
      if (this.#held.get(owner)?.accounts.has(realmKey(account))) continue;
      const group = groups.get(owner) ?? { key, accounts: [] };
      group.accounts.push(account);
      groups.set(owner, group);
    }
    for (const { key, accounts } of groups.values()) this.#held.put(key, { accounts });
  }

  /** Whether an answer's account is in memory, as it is; asked before the answer gets there. */
  knows({ accessToken, account }: UserTokens): boolean {
    if (account === undefined) return true;
    const known = this.#held.get(ownerOf(accessToken))?.accounts.get(realmKey(account));
    return known !== undefined && sameAs(account)(known);
  }

  /** Puts the account of an answer on the list. */
  async add({ accessToken, account }: UserTokens, asked: number): Promise<void> {
    if (account === undefined) return;
    const { environment, clientId } = accessToken;
    const owner = ownerOf(accessToken);
    const realm = realmKey(account);
    const isRemoved = (): boolean => this.#index.removedSince(owner, asked);
    await this.#update(environment, clientId, (accounts) => {
      if (isRemoved() || accounts.some(sameAs(account))) return undefined;
      const isOther = (one: CachedAccount): boolean =>
        ownerOf(withClient(one, clientId)) !== owner || realmKey(one) !== realm;
      return [...accounts.filter(isOther), account];
    });
    if (isRemoved()) await this.remove(accessToken);
  }

  /** Takes a user off the list; tells whether the store did. */
  async remove(key: UserKey): Promise<boolean> {
    const owner = ownerOf(key);
    return await this.#update(key.environment, key.clientId, (accounts) => {
      const others = accounts.filter((one) => ownerOf(withClient(one, key.clientId)) !== owner);
      return others.length === accounts.length ? undefined : others;
    });
  }

  /** Changes a list; tells whether it is as it should be now. */
  async #update(
    environment: string,
    clientId: string,
    change: (accounts: readonly CachedAccount[]) => readonly CachedAccount[] | undefined,
  ): Promise<boolean> {
    let isNeeded = true;
    const written = await updatePartition(this.#store, await nameOf(environment, clientId), (stored) => {
      const { accounts: known, sections } = readPartition(stored);
      const accounts = change(known);
      isNeeded = accounts !== undefined;
      return accounts && {
        value: writeDocument({ ...NOTHING, accounts }, sections),
        expiresAtMs: this.#clock.now() + LIST_MS,
        suggestedKey: clientId,
        isApplicationCache: false,
        hasTokens: accounts.length > 0,
      };
    });
    return !isNeeded || written === "gone" || written?.ok === true;
  }
}
