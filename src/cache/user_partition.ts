/**
 * What a store's value holds for a user and a client, or for a user and a family of clients.
 *
 * @module
 */

import { fits, type GuardedStore } from "../store/guarded_store.ts";
import type { StoredValue } from "../store/store.ts";
import type { CachedToken } from "./cached_token.ts";
import type { CachedApp, CachedIdToken, UserKey, UserTokens } from "./cached_user.ts";
import type { Dialect } from "./msal_entry.ts";
import { type MsalDocument, NOTHING, writeDocument } from "./msal_document.ts";
import { isProcess, isSameUser } from "./on_behalf_of.ts";
import { fitPartition } from "./overflow.ts";
import { nameIn, type PartitionValue, readPartition } from "./partition.ts";
import { bucketOf, identityOf } from "./token_index.ts";
import { holderOf, mergeEntries, NO_CLIENT, ownerOf, type UserEntries, withClient } from "./user_entries.ts";
import { markIn } from "./user_index.ts";

/** How long a refresh token counts where nobody says. */
const REFRESH_TOKEN_MS = 90 * 86_400_000;

/** What a user's partition holds. */
export interface UserPartition extends UserEntries {
  /** The access tokens. */
  readonly tokens: readonly CachedToken[];
  /** What is known of the client, or of the family. */
  readonly app: CachedApp | undefined;
  /** What is others'. */
  readonly sections: MsalDocument["sections"];
}

/** The name of a user's partition in a store. */
export function nameOfUser(store: GuardedStore, key: UserKey): Promise<string> {
  const owner = ownerOf(key);
  // However the home account is spelled, it is one name; with a separator in it, or in the client's, it is none.
  const [, , home = "", ...more] = owner.split("\n");
  return nameIn(
    store,
    more.length > 0 ? "" : home,
    key.clientId.startsWith(NO_CLIENT) ? "family" : "user",
    owner,
  );
}

/** Reads what belongs to a user: a store that mixes partitions up must not mix users up. */
export function readUser(key: UserKey, stored: StoredValue | undefined): UserPartition {
  const { tokens, accounts, idTokens, refreshTokens, apps, sections } = readPartition(stored);
  const owner = ownerOf(key);
  const isOwn = (entry: UserKey): boolean => ownerOf(entry) === owner;
  const entries = mergeEntries(undefined, {
    accounts: accounts.filter((account) => isOwn(withClient(account, key.clientId))),
    idTokens: idTokens.filter(isOwn),
    refreshTokens: refreshTokens.filter((token) => isOwn(holderOf(token))).reverse(),
  });
  const app = apps.find(({ environment, clientId }) =>
    isOwn({ environment, clientId, homeAccountId: key.homeAccountId })
  );
  return { ...entries, tokens: tokens.filter(isOwn), app, sections };
}

/**
 * A partition without what another user of a long-running process left there.
 *
 * @param key Whose partition it is.
 * @param there What is in it.
 * @param tokens What an answer brings.
 * @returns The partition; `undefined` where the answer is a renewal for somebody who has the process no more.
 */
export function withoutOthers(
  key: UserKey,
  there: UserPartition,
  { onBehalfOf, redeemed }: UserTokens,
): UserPartition | undefined {
  const isOther = isProcess(key.homeAccountId) && there.accounts.size > 0 &&
    !isSameUser(markIn(there.accounts), onBehalfOf);
  if (!isOther) return there;
  return redeemed ? undefined : { ...readUser(key, undefined), sections: there.sections };
}

function tokenName(token: CachedToken): string {
  return `${bucketOf(token)}\n\n${identityOf(token)}`;
}

/** The access tokens of a partition and a new one, in the place of an older one. */
export function addToken(tokens: readonly CachedToken[], token: CachedToken, nowMs: number): CachedToken[] {
  const named = new Map(tokens.map((one) => [tokenName(one), one]));
  const old = named.get(tokenName(token));
  if (old === undefined || old.cachedAt <= token.cachedAt) {
    named.set(tokenName(token), { ...token, origin: old?.origin });
  }
  return [...named.values()].filter(({ expiresOn }) => expiresOn * 1000 > nowMs);
}

/** How a partition is written. */
export interface PartitionForm {
  /** Whose spelling new entries get. */
  readonly dialect: Dialect;
  /** How large the text may be. */
  readonly maxValueBytes: number;
  /** The time. */
  readonly nowMs: number;
}

/**
 * A partition's text, and for how long it counts.
 *
 * @param key Whose it is.
 * @param partition What it holds.
 * @param familyId The family of the client, if that is known.
 * @param form How it is written.
 * @returns What to write.
 */
export function valueOfUser(
  key: UserKey,
  partition: UserPartition,
  familyId: string | undefined,
  form: PartitionForm,
): PartitionValue {
  const { tokens, accounts, idTokens, refreshTokens, app, sections } = partition;
  const { environment, clientId, homeAccountId } = key;
  const { dialect, maxValueBytes, nowMs } = form;
  const ends = refreshTokens.map(({ expiresOn }) => expiresOn ? expiresOn * 1000 : nowMs + REFRESH_TOKEN_MS);
  // The family keeps the refresh token, for as long.
  if (familyId) ends.push(nowMs + REFRESH_TOKEN_MS);
  const write = (kept: readonly CachedToken[]): string =>
    writeDocument(
      {
        ...NOTHING,
        tokens: kept,
        accounts: [...accounts.values()],
        idTokens: [...idTokens.values()],
        refreshTokens: [...refreshTokens].reverse(),
        apps: familyId === undefined ? [] : [{ ...app, environment, clientId, familyId }],
      },
      sections,
      dialect,
    );
  const expiresAtMs = [...tokens.map(({ expiresOn }) => expiresOn * 1000), ...ends]
    .reduce((latest, end) => Math.max(latest, end), nowMs);
  const { value } = fitPartition(tokens, write, maxValueBytes);
  const hasTokens = tokens.length + refreshTokens.length > 0;
  return { value, expiresAtMs, suggestedKey: homeAccountId, isApplicationCache: false, hasTokens };
}

/**
 * A user's text that has to be small: access tokens are left out first, then the ID tokens.
 *
 * @param key Whose it is.
 * @param user What is known of them.
 * @param tokens Their access tokens.
 * @param familyId The family of the client, if that is known.
 * @param form How it is written.
 * @returns The text; `undefined` where nothing makes it small enough.
 */
export function carriedText(
  key: UserKey,
  user: UserEntries,
  tokens: readonly CachedToken[],
  familyId: string | undefined,
  form: PartitionForm,
): string | undefined {
  return [user.idTokens, new Map<string, CachedIdToken>()].map((idTokens) => {
    const partition = { ...user, idTokens, tokens, app: undefined, sections: new Map() };
    return valueOfUser(key, partition, familyId, form).value;
  }).find((text) => fits(text, form.maxValueBytes));
}
