/**
 * What a cached app token costs to hand out, beside MSAL Node and beside a bare map, in the same run.
 *
 * @module
 */
import { ConfidentialClientApplication as MsalNodeClient } from "@azure/msal-node";
import { ConfidentialClientApplication, TokenCache } from "@msal-edge/msal";
import { median, noNetwork, time } from "./timing.ts";

const CLIENT_ID = "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924";
const HOME = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
const SCOPE = "https://graph.microsoft.com/.default";
const AUTHORITY = `https://login.microsoftonline.com/${HOME}`;
const ROUNDS = 15;

/** What one size of cache costs, in nanoseconds for each call: the median of the rounds. */
export interface HitCosts {
  readonly tokens: number;
  /** The same token again and again. */
  readonly same: number;
  /** A bare async `Map.get` and a read of the clock, for the same key. */
  readonly bareSame: number;
  /** Any of the tokens, by the tenant of the request. */
  readonly random: number;
  /** A bare async walk over a map of that size, for the same requests. */
  readonly bareRandom: number;
  /** MSAL Node, the same token again and again; `undefined` where it was not measured. */
  readonly msalNode?: number;
}

function tenant(index: number): string {
  return index === 0 ? HOME : `00000000-0000-4000-8000-${index.toString(16).padStart(12, "0")}`;
}

/** A cache document with tokens of as many tenants, in MSAL Node's dialect, which both libraries read. */
function documentOf(tokens: number): string {
  const now = Math.floor(Date.now() / 1000);
  const entries = Array.from({ length: tokens }, (_, index) => {
    const realm = tenant(index);
    const key = `-login.windows.net-accesstoken-${CLIENT_ID}-${realm}-${SCOPE}-`;
    return [key, {
      credential_type: "AccessToken",
      secret: `${index}.${"x".repeat(1_300)}`,
      home_account_id: "",
      environment: "login.windows.net",
      client_id: CLIENT_ID,
      realm,
      target: SCOPE,
      token_type: "Bearer",
      cached_at: String(now),
      expires_on: String(now + 86_000),
      extended_expires_on: String(now + 86_000),
    }];
  });
  return JSON.stringify({ AccessToken: Object.fromEntries(entries) });
}

async function msalNodeCost(document: string, calls: number): Promise<number> {
  const client = new MsalNodeClient({
    auth: { clientId: CLIENT_ID, authority: AUTHORITY, clientSecret: "not-used" },
    system: { networkClient: { sendGetRequestAsync: noNetwork, sendPostRequestAsync: noNetwork } },
  });
  client.getTokenCache().deserialize(document);
  const request = { scopes: [SCOPE] };
  const hit = await client.acquireTokenByClientCredential(request);
  if (!hit?.fromCache) throw new Error("MSAL Node did not serve its cache");
  return await time(calls, () => client.acquireTokenByClientCredential(request));
}

/**
 * Measures one size of cache, the parties in turn in every round, so that a machine that slows down slows down all.
 *
 * @param tokens How many tokens are in the cache.
 * @param msalNodeCalls How often MSAL Node is asked; 0 for not at all.
 */
export async function measureHits(tokens: number, msalNodeCalls: number): Promise<HitCosts> {
  const document = documentOf(tokens);
  const tokenCache = new TokenCache({ memory: { maxEntries: 2 * tokens, maxBytes: 2 ** 30 } });
  tokenCache.deserialize(document);
  const app = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    clientCredential: "not-used",
    tokenCache,
    fetch: noNetwork,
  });
  const requests = Array.from(
    { length: tokens },
    (_, index) => ({ scopes: [SCOPE], tenantId: tenant(index) }),
  );
  const bare = new Map(requests.map(({ tenantId }, index) => [
    `${tenantId.slice(0, 9)}${tenantId.slice(9)}`,
    { secret: String(index), expiresOnMs: Date.now() + 86_000_000 },
  ]));
  // deno-lint-ignore require-await -- its promise is what is measured
  const lookUp = async (tenantId: string) => {
    const entry = bare.get(tenantId);
    return entry !== undefined && entry.expiresOnMs > Date.now() ? entry : undefined;
  };
  const same = { scopes: [SCOPE] };
  const calls = 40_000;
  const picks = Uint32Array.from({ length: calls }, () => Math.floor(Math.random() * tokens));
  const rounds: Record<"same" | "bareSame" | "random" | "bareRandom", number[]> = {
    same: [],
    bareSame: [],
    random: [],
    bareRandom: [],
  };
  for (let round = 0; round < ROUNDS; round++) {
    rounds.same.push(await time(calls, () => app.acquireTokenForClient(same)));
    rounds.bareSame.push(await time(calls, () => lookUp(HOME)));
    rounds.random.push(await time(calls, (index) => app.acquireTokenForClient(requests[picks[index]!]!)));
    rounds.bareRandom.push(await time(calls, (index) => lookUp(requests[picks[index]!]!.tenantId)));
  }
  const medians = Object.fromEntries(Object.entries(rounds).map(([name, values]) => [name, median(values)]));
  const msalNode = msalNodeCalls > 0 ? await msalNodeCost(document, msalNodeCalls) : undefined;
  return {
    tokens,
    ...medians as Omit<HitCosts, "tokens" | "msalNode">,
    ...(msalNode !== undefined && { msalNode }),
  };
}
