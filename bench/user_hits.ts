/**
 * What a cached user token costs to hand out, and a user to add, beside MSAL Node, in the same run.
 *
 * @module
 */
import {
  type AccountInfo as MsalNodeAccount,
  PublicClientApplication as MsalNodeClient,
} from "@azure/msal-node";
import { PublicClientApplication, TokenCache } from "@msal-edge/msal";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { median, noNetwork, time } from "./timing.ts";

const CLIENT_ID = "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924";
const TENANT = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
const AUTHORITY = `https://login.microsoftonline.com/${TENANT}`;
const ENVIRONMENT = "login.windows.net";
const SCOPES = ["user.read"];
const ROUNDS = 15;
const CALLS = 20_000;

/** What one number of accounts costs, in nanoseconds for each call: the median of the rounds. */
export interface UserCosts {
  readonly accounts: number;
  /** The same user's token again and again. */
  readonly same: number;
  /** Any user's. */
  readonly random: number;
  /** A sign-in by code, network apart: parse, validate, store in memory. */
  readonly add: number;
  /** MSAL Node, the same user's token; `undefined` where it was not measured. */
  readonly msalNode?: number;
}

function userId(index: number): string {
  return `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
}

function homeId(index: number): string {
  return `${userId(index)}.${TENANT}`;
}

function claimsOf(index: number, nowSeconds: number): Record<string, unknown> {
  return {
    iss: `${AUTHORITY}/v2.0`,
    aud: CLIENT_ID,
    sub: `subject ${index}`,
    oid: userId(index),
    tid: TENANT,
    preferred_username: `user${index}@contoso.example`,
    name: `User ${index}`,
    ver: "2.0",
    iat: nowSeconds,
    nbf: nowSeconds,
    exp: nowSeconds + 86_000,
  };
}

function base64Url(value: unknown): string {
  return btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A cache document with as many users, in MSAL Node's dialect, which both libraries read. */
function documentOf(accounts: number): string {
  const now = Math.floor(Date.now() / 1000);
  const sections: Record<string, Record<string, unknown>> = {
    AccessToken: {},
    RefreshToken: {},
    IdToken: {},
    Account: {},
  };
  for (let index = 0; index < accounts; index++) {
    const common = { home_account_id: homeId(index), environment: ENVIRONMENT };
    const own = { ...common, client_id: CLIENT_ID };
    const key = `${homeId(index)}-${ENVIRONMENT}`;
    const id = `${base64Url({ alg: "RS256" })}.${base64Url(claimsOf(index, now))}.c2ln`;
    const times = {
      cached_at: `${now}`,
      expires_on: `${now + 86_000}`,
      extended_expires_on: `${now + 86_000}`,
    };
    sections.AccessToken![`${key}-accesstoken-${CLIENT_ID}-${TENANT}-user.read-`] = {
      ...own,
      ...times,
      credential_type: "AccessToken",
      secret: `${index}.${"x".repeat(1_300)}`,
      realm: TENANT,
      target: "user.read",
      token_type: "Bearer",
    };
    sections.RefreshToken![`${key}-refreshtoken-${CLIENT_ID}---`] = {
      ...own,
      credential_type: "RefreshToken",
      secret: `rt ${index}`,
    };
    sections.IdToken![`${key}-idtoken-${CLIENT_ID}-${TENANT}---`] = {
      ...own,
      credential_type: "IdToken",
      secret: id,
      realm: TENANT,
    };
    sections.Account![`${key}-${TENANT}`] = {
      ...common,
      realm: TENANT,
      local_account_id: userId(index),
      username: `user${index}@contoso.example`,
      name: `User ${index}`,
      authority_type: "MSSTS",
      client_info: base64Url({ uid: userId(index), utid: TENANT }),
    };
  }
  return JSON.stringify(sections);
}

/** Answers the keys, and every code with the tokens of the user that the code names. */
async function signInServer(): Promise<(url: string, init?: RequestInit) => Promise<Response>> {
  const { privateKey, publicKey } = await generateKeyPair("RS256");
  const keys = [{ ...await exportJWK(publicKey), kid: "k", use: "sig" }];
  const tokens = new Map<number, Record<string, unknown>>();
  return async (url, init) => {
    if (url.endsWith("/keys")) return Response.json({ keys });
    const index = Number(new URLSearchParams(`${init?.body}`).get("code"));
    let answer = tokens.get(index);
    if (answer === undefined) {
      const claims = claimsOf(index, Math.floor(Date.now() / 1000));
      answer = {
        token_type: "Bearer",
        access_token: `${index}.${"x".repeat(1_300)}`,
        refresh_token: `rt ${index}`,
        expires_in: 3600,
        scope: "user.read",
        client_info: base64Url({ uid: userId(index), utid: TENANT }),
        id_token: await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k" }).sign(privateKey),
      };
      tokens.set(index, answer);
    }
    return Response.json(answer);
  };
}

async function msalNodeCost(document: string, calls: number): Promise<number> {
  const client = new MsalNodeClient({
    auth: { clientId: CLIENT_ID, authority: AUTHORITY },
    system: { networkClient: { sendGetRequestAsync: noNetwork, sendPostRequestAsync: noNetwork } },
  });
  client.getTokenCache().deserialize(document);
  const account: MsalNodeAccount = {
    homeAccountId: homeId(0),
    environment: ENVIRONMENT,
    tenantId: TENANT,
    username: "user0@contoso.example",
    localAccountId: userId(0),
  };
  const request = { scopes: SCOPES, account };
  const hit = await client.acquireTokenSilent(request);
  if (!hit.fromCache) throw new Error("MSAL Node did not serve its cache");
  return await time(calls, () => client.acquireTokenSilent(request));
}

/**
 * Measures one number of accounts, the parties in turn in every round.
 *
 * @param accounts How many accounts are in the cache.
 * @param msalNodeCalls How often MSAL Node is asked; 0 for not at all.
 */
export async function measureUsers(accounts: number, msalNodeCalls: number): Promise<UserCosts> {
  const document = documentOf(accounts);
  const tokenCache = new TokenCache({ memory: { maxEntries: 4 * accounts + 1_000, maxBytes: 2 ** 30 } });
  tokenCache.deserialize(document);
  const app = new PublicClientApplication({
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    tokenCache,
    fetch: await signInServer(),
  });
  const requests = Array.from(
    { length: accounts },
    (_, index) => ({ account: homeId(index), scopes: SCOPES }),
  );
  const [same] = requests;
  const picks = Uint32Array.from({ length: CALLS }, () => Math.floor(Math.random() * accounts));
  const rounds: Record<"same" | "random" | "add", number[]> = { same: [], random: [], add: [] };
  const code = { scopes: SCOPES, redirectUri: "https://app.example/callback", codeVerifier: "v".repeat(43) };
  // Not counted: the keys are fetched, and each user's ID token is signed once.
  for (let index = 0; index < 20; index++) {
    await app.acquireTokenByAuthorizationCode({ ...code, code: `${accounts + index}` });
  }
  for (let round = 0; round < ROUNDS; round++) {
    rounds.same.push(await time(CALLS, () => app.acquireTokenSilent(same!)));
    rounds.random.push(await time(CALLS, (index) => app.acquireTokenSilent(requests[picks[index]!]!)));
    for (let index = 0; index < 20; index++) await app.removeAccount(homeId(accounts + index));
    rounds.add.push(
      await time(
        20,
        (index) => app.acquireTokenByAuthorizationCode({ ...code, code: `${accounts + index}` }),
      ),
    );
  }
  const msalNode = msalNodeCalls > 0 ? await msalNodeCost(document, msalNodeCalls) : undefined;
  return {
    accounts,
    same: median(rounds.same),
    random: median(rounds.random),
    add: median(rounds.add),
    ...(msalNode !== undefined && { msalNode }),
  };
}
