/**
 * A token index of its own, for tests of what it keeps and forgets.
 *
 * @module
 */
import { bucketKey, ownerKey, TokenIndex } from "../../src/cache/token_index.ts";
import { NOW } from "./documents.ts";

/** What an index keeps. */
export type IndexedToken = Parameters<TokenIndex["put"]>[0];

const HOST = "login.microsoftonline.com";

/** An app token. */
export function token(over: Partial<IndexedToken> = {}): IndexedToken {
  return {
    environment: HOST,
    clientId: "my_client",
    realm: "contoso",
    homeAccountId: "",
    scopes: ["a"],
    tokenType: "Bearer",
    keyId: "",
    ext: "",
    extHash: "",
    secret: "a token",
    cachedAt: NOW,
    expiresOn: NOW + 3600,
    ...over,
  };
}

/** An index with these bounds, and how a test asks it. */
export class Index {
  readonly index: TokenIndex;

  constructor(maxEntries: number = 10_000, maxBytes: number = 32 * 1024 * 1024) {
    this.index = new TokenIndex(maxEntries, maxBytes);
  }

  /** Puts a token in; its secret is `of` its realm unless given. */
  put(over: Partial<IndexedToken> = {}): boolean {
    return this.index.put(token(over), Infinity);
  }

  /** How many bytes its tokens count for. */
  get bytes(): number {
    return this.index.tokens.reduce((sum, one) => sum + (one as unknown as { bytes: number }).bytes, 0);
  }

  /** The secret that a plain request for these scopes would be given. */
  secret(realm = "contoso", key = "a", clientId = "my_client", home = ""): string | undefined {
    const owner = ownerKey(HOST, clientId, home);
    const slot = this.index.find(owner, bucketKey(realm, "Bearer", "", ""), key, NOW * 1000);
    return slot === undefined ? undefined : ("token" in slot ? slot.token as IndexedToken : slot).secret;
  }
}
