/**
 * Who is signed in.
 *
 * @module
 */

import { ownerKey } from "../cache/token_index.ts";
import type { UserKey } from "../cache/cached_user.ts";
import { BEHALF } from "../cache/on_behalf_of.ts";
import { requireObject } from "../errors/errors.ts";
import type { AccountInfo } from "../request/account_info.ts";
import type { AccountFilter } from "../request/user_requests.ts";
import type { Engine } from "./engine.ts";
import { isOfOtherIssuer, requireAccount } from "./user_query.ts";

/** The accounts of one application. */
export class Accounts {
  readonly #engine: Engine;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   */
  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Finds an account: in memory, else in the store.
   *
   * @param homeAccountId The account's id.
   * @returns The account, with its home tenant's profile where that is known; `null` where nobody of that id signed in.
   */
  async get(homeAccountId: string): Promise<AccountInfo | null> {
    const { users } = this.#engine.configuration.cache;
    const key = this.#keyOf(homeAccountId);
    const owner = ownerKey(key.environment, key.clientId, key.homeAccountId);
    const user = users.user(owner) ?? await users.load(key);
    const infos = [...user?.profiles.values() ?? []].map(({ info }) => info);
    return atHome(infos.filter((info) => this.#isOurs(info))) ?? null;
  }

  /**
   * Lists the accounts.
   *
   * @param filter Which ones.
   * @returns One for each user.
   */
  async list(filter: AccountFilter = {}): Promise<AccountInfo[]> {
    requireObject(filter, "filter");
    const { authority: { environment }, cache: { users }, clientId } = this.#engine.configuration;
    await users.loadUsers(environment, clientId);
    return users.users(environment, clientId).flatMap(({ key, profiles }) => {
      // Who called an API has not signed in.
      if (key.homeAccountId.startsWith(BEHALF)) return [];
      const infos = [...profiles.values()].map(({ info }) => info).filter((info) =>
        this.#isOurs(info) && fits(info, filter)
      );
      return atHome(infos) ?? [];
    });
  }

  /**
   * Signs a user out of this application: all their tokens go, and stay away.
   *
   * @param account The account, or its id.
   */
  async remove(account: AccountInfo | string): Promise<void> {
    await this.#engine.configuration.cache.users.remove(this.#keyOf(account));
  }

  #isOurs({ homeAccountId }: AccountInfo): boolean {
    return !isOfOtherIssuer(this.#engine.configuration.authority, homeAccountId);
  }

  #keyOf(account: AccountInfo | string): UserKey {
    const { authority: { environment }, clientId } = this.#engine.configuration;
    return { environment, clientId, homeAccountId: requireAccount(account) };
  }
}

/** The profile to show of a user: that of their home, else any. */
function atHome(infos: readonly AccountInfo[]): AccountInfo | undefined {
  const isAtHome = ({ tenantId, tenantProfiles }: AccountInfo): boolean =>
    tenantProfiles.some((profile) => profile.isHomeTenant && profile.tenantId === tenantId);
  return infos.find(isAtHome) ?? infos[0];
}

function fits(info: AccountInfo, filter: AccountFilter): boolean {
  const same = (name: keyof AccountFilter): boolean =>
    filter[name] === undefined || info[name].toLowerCase() === `${filter[name]}`.toLowerCase();
  return same("homeAccountId") && same("username") && same("tenantId") && same("localAccountId");
}
