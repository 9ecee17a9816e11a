/**
 * One user and one application in the cache documents of five MSALs.
 *
 * @module
 */
import { type Entry, NOW } from "./documents.ts";
import { claims, HOME, jwt, UTID } from "./users.ts";

/** The sections of a document. */
export type Sections = Readonly<Record<string, Record<string, Entry>>>;

/** How a library spells what all of them keep. */
interface Spelling {
  readonly host: string;
  /** The home account of an app token. */
  readonly nobody: Entry;
  /** Whether times are numbers. */
  readonly numbers?: boolean;
  readonly bearer?: Entry;
  /** What ends the keys of access tokens, ID tokens and refresh tokens. */
  readonly ends: readonly [access: string, id: string, refresh: string];
  /** What a refresh token has beside its secret. */
  readonly refresh?: Entry;
  readonly account?: Entry;
  readonly app?: Entry | null;
  /** By how many seconds the extended end is later, given the token's life and what the answer said. */
  readonly extended: number;
}

const CLIENT = "my_client";
const GRAPH = "https://graph.microsoft.com/.default";
const PUBLIC = "login.microsoftonline.com";
const CACHE_HOST = "login.windows.net";
const ID_TOKEN = jwt(claims({ oid: "object1234", preferred_username: "John Doe", name: "John" }));

const SPELLINGS: Readonly<Record<string, Spelling>> = {
  "MSAL Python": {
    host: PUBLIC,
    nobody: { home_account_id: null },
    bearer: { token_type: "Bearer" },
    ends: ["", "-", "-s1 s2"],
    refresh: { target: "s1 s2", last_modification_time: String(NOW) },
    account: { account_source: "authorization_code" },
    app: {},
    extended: 7200,
  },
  "MSAL Node 3": {
    host: CACHE_HOST,
    nobody: { home_account_id: "" },
    bearer: { token_type: "Bearer", requestedClaims: "", requestedClaimsHash: "" },
    ends: ["--", "---", "----"],
    account: { name: "John", client_info: "e30", tenantProfiles: [] },
    extended: 10_800,
  },
  "MSAL Node 7": {
    host: CACHE_HOST,
    nobody: { home_account_id: "" },
    bearer: { token_type: "Bearer" },
    ends: ["-", "--", "---"],
    account: { name: "John", client_info: "e30", tenantProfiles: [] },
    extended: 10_800,
  },
  "MSAL.NET": {
    host: CACHE_HOST,
    nobody: {},
    ends: ["", "-", "--"],
    account: { wam_account_ids: {} },
    app: {},
    extended: 7200,
  },
  "MSAL Go": {
    host: CACHE_HOST,
    nobody: { home_account_id: "" },
    bearer: { token_type: "Bearer" },
    ends: ["", "", ""],
    app: {},
    extended: 7200,
  },
  "MSAL Java": {
    host: CACHE_HOST,
    nobody: {},
    numbers: true,
    ends: ["", "-", "--"],
    app: {},
    extended: 7200,
  },
};

/** The names of the libraries. */
export const WRITERS: readonly string[] = Object.keys(SPELLINGS);

/** A library's access token, for the user or for the application. */
export function accessTokenOf(writer: string, isApp = false, over: Entry = {}): Entry {
  const { host, nobody, bearer, numbers, extended } = SPELLINGS[writer]!;
  const time = (seconds: number): unknown => numbers ? seconds : String(seconds);
  return {
    ...(isApp ? nobody : { home_account_id: HOME }),
    environment: host,
    credential_type: "AccessToken",
    client_id: CLIENT,
    secret: isApp ? "an app's token" : "a user's token",
    realm: UTID,
    target: isApp ? GRAPH : "s1 s2 openid profile",
    ...bearer,
    cached_at: time(NOW),
    expires_on: time(NOW + 3600),
    extended_expires_on: time(NOW + extended),
    ...(writer === "MSAL.NET" && { ext_expires_on: time(NOW + extended) }),
    ...over,
  };
}

/** What a library writes for an application and a user of it, a family's token included if that is asked for. */
export function documentOf(writer: string, isFamily = false): Sections {
  const { host, ends, refresh, account, app } = SPELLINGS[writer]!;
  const user = { home_account_id: HOME, environment: host };
  const client = { ...user, client_id: CLIENT };
  const name = (...parts: string[]): string => parts.join("-").toLowerCase();
  const access = accessTokenOf(writer);
  const [, id, rt] = ends;
  const holder = isFamily && writer !== "MSAL Python" ? "1" : CLIENT;
  const family = isFamily ? { family_id: "1" } : {};
  const appKey = `appmetadata-${host}-${CLIENT}`;
  return {
    AccessToken: {
      [name(HOME, host, "accesstoken", CLIENT, UTID, String(access.target)) + ends[0]]: access,
      [name("", host, "accesstoken", CLIENT, UTID, GRAPH) + ends[0]]: accessTokenOf(writer, true),
    },
    RefreshToken: {
      [name(HOME, host, "refreshtoken", holder) + (rt.startsWith("-s") ? `-${rt}` : rt)]: {
        ...client,
        credential_type: "RefreshToken",
        secret: "a refresh token",
        ...family,
        ...refresh,
      },
    },
    IdToken: {
      [name(HOME, host, "idtoken", CLIENT, UTID) + id]: {
        ...client,
        credential_type: "IdToken",
        secret: ID_TOKEN,
        realm: UTID,
      },
    },
    Account: {
      [name(HOME, host, UTID)]: {
        ...user,
        realm: UTID,
        local_account_id: "object1234",
        username: "John Doe",
        authority_type: "MSSTS",
        ...account,
      },
    },
    AppMetadata: app || isFamily ? { [appKey]: { client_id: CLIENT, environment: host, ...family } } : {},
  };
}
