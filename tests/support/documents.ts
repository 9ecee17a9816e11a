/**
 * Cache documents as MSAL Python and MSAL Node write them.
 *
 * @module
 */

/** An entry of a document. */
export type Entry = Record<string, unknown>;

/** The second that {@linkcode FakeClock} starts at. */
export const NOW: number = Date.UTC(2026, 0, 1) / 1000;

/** An app token as MSAL Python writes it, for the applications of `token_server.ts`. */
export function pythonEntry(over: Entry = {}): Entry {
  return {
    credential_type: "AccessToken",
    secret: "an app token",
    home_account_id: null,
    environment: "login.microsoftonline.com",
    client_id: "my_client",
    target: "https://graph.microsoft.com/.default",
    realm: "contoso.onmicrosoft.com",
    token_type: "Bearer",
    cached_at: String(NOW),
    expires_on: String(NOW + 3600),
    extended_expires_on: String(NOW + 3600),
    ...over,
  };
}

/** The same token as MSAL Node 7 writes it. */
export function nodeEntry(over: Entry = {}): Entry {
  return pythonEntry({ home_account_id: "", environment: "login.windows.net", ...over });
}

/** The key that MSAL Python gives {@linkcode pythonEntry}. */
export const PYTHON_KEY: string =
  "-login.microsoftonline.com-accesstoken-my_client-contoso.onmicrosoft.com-" +
  "https://graph.microsoft.com/.default";
/** The key that MSAL Node 7 gives {@linkcode nodeEntry}. */
export const NODE_KEY: string = "-login.windows.net-accesstoken-my_client-contoso.onmicrosoft.com-" +
  "https://graph.microsoft.com/.default-";

/** A document with these access tokens. */
export function document(entries: Readonly<Record<string, unknown>>, sections: Entry = {}): string {
  return JSON.stringify({ AccessToken: entries, ...sections });
}

/** A user's entries, as MSAL Python writes them. */
export const USER_SECTIONS: Readonly<Record<string, Record<string, Entry>>> = {
  RefreshToken: {
    "uid.utid-login.microsoftonline.com-refreshtoken-my_client--s1": {
      credential_type: "RefreshToken",
      secret: "a refresh token",
      home_account_id: "uid.utid",
      environment: "login.microsoftonline.com",
      client_id: "my_client",
      target: "s1",
      last_modification_time: "1000",
    },
  },
  Account: {
    "uid.utid-login.microsoftonline.com-contoso": {
      home_account_id: "uid.utid",
      environment: "login.microsoftonline.com",
      realm: "contoso",
      local_account_id: "object1234",
      username: "John Doe",
      authority_type: "MSSTS",
    },
  },
  AppMetadata: {
    "appmetadata-login.microsoftonline.com-My_Client": {
      client_id: "My_Client",
      environment: "login.microsoftonline.com",
    },
  },
};

/** The access tokens in a document's text. */
export function accessTokensOf(text: string): Record<string, Entry> {
  return JSON.parse(text).AccessToken;
}
