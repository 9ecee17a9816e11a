/**
 * A process that has a million users, and says what they took. Run it with `--v8-flags=--expose-gc`.
 *
 * @module
 */
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { type CacheCore, openerOf } from "../../src/cache/cache_core.ts";
import type { UserTokens } from "../../src/cache/cached_user.ts";
import type { UserPartitions } from "../../src/cache/user_partitions.ts";
import { ConfidentialClientApplication, systemClock, TokenCache } from "../../mod.ts";

/** What a stage took. Bytes of the heap are those after a collection. */
export interface Weight {
  readonly calls: number;
  readonly size: number;
  readonly users: number;
  /** By the cache's own estimate. */
  readonly tokenBytes: number;
  readonly userBytes: number;
  readonly heapBytes: number;
}

/** What the process prints. */
export interface Weights {
  /** A million users in the cache, as an application puts them there. */
  readonly users: readonly Weight[];
  /** Calls for strangers and tenants, and sign-ins: all that is kept beside the cache. */
  readonly layers: readonly Weight[];
}

export const HOST = "https://login.microsoftonline.com";
const ISSUER = "https://idp.example.com";
const TENANT_ID = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";
const ENVIRONMENT = "login.microsoftonline.com";

function guid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

function heapBytes(): number {
  // deno-lint-ignore no-explicit-any -- there with a flag of V8 alone
  const { gc } = globalThis as any;
  for (let round = 0; round < 3; round++) gc();
  return Deno.memoryUsage().heapUsed;
}

function weigh(cache: TokenCache, core: CacheCore, calls: number): Weight {
  const sum = (items: Iterable<{ readonly bytes?: number }>): number =>
    [...items].reduce((total, { bytes = 0 }) => total + bytes, 0);
  const tokenBytes = sum(core.index.tokens as Iterable<{ bytes?: number }>);
  const userBytes = sum((core.users as UserPartitions).held.all);
  return { calls, size: cache.size, users: cache.users, tokenBytes, userBytes, heapBytes: heapBytes() };
}

const texts = new TextEncoder().encode("x".repeat(1_200));
const decoder = new TextDecoder();

/** A text that shares its memory with no other. */
function secretOf(kind: string, n: number): string {
  new TextEncoder().encodeInto(`${kind} ${n} `, texts);
  return decoder.decode(texts);
}

/** What an answer for a user brings. */
export function answerOf(n: number, nowSeconds: number): UserTokens {
  const oid = guid(n);
  const homeAccountId = `${oid}.${TENANT_ID}`;
  const key = { environment: ENVIRONMENT, clientId: CLIENT_ID, homeAccountId };
  const realm = TENANT_ID;
  const username = `user${n}@contoso.example`;
  const iss = `${HOST}/${realm}/v2.0`;
  const times = { exp: nowSeconds + 3600, iat: nowSeconds, nbf: nowSeconds };
  const claims = { ...times, iss, sub: secretOf("sub", n).slice(0, 43), aud: CLIENT_ID, oid, tid: realm };
  return {
    accessToken: {
      ...key,
      realm,
      scopes: ["user.read"],
      tokenType: "Bearer",
      keyId: "",
      ext: "",
      extHash: "",
      secret: secretOf("at", n),
      cachedAt: nowSeconds,
      expiresOn: nowSeconds + 3600,
    },
    refreshToken: { ...key, secret: secretOf("rt", n), target: "user.read", lastModified: nowSeconds },
    idToken: {
      ...key,
      realm,
      secret: secretOf("id", n),
      claims: { ...claims, preferred_username: username },
    },
    account: { ...key, realm, localAccountId: oid, username, authorityType: "MSSTS" },
  };
}

/** The way of an application's own answers, after they were validated: a signature for each would take half an hour. */
async function putUsers(millions: number): Promise<Weight[]> {
  const cache = new TokenCache();
  const core = openerOf(cache)!(systemClock, () => {});
  const nowMs = Date.now();
  const weights = [weigh(cache, core, 0)];
  for (let n = 0; n < millions * 1_000_000; n++) {
    await core.users.save(answerOf(n, nowMs / 1000), core.users.removals, nowMs);
    if (n === 99_999) weights.push(weigh(cache, core, n + 1));
  }
  weights.push(weigh(cache, core, millions * 1_000_000));
  return weights;
}

let aheadMs = 0;
const clock = { ...systemClock, now: () => Date.now() + aheadMs };

/** Answers at once, for anybody; counts each user's refresh token once. */
async function issuerFetch(): Promise<(url: string | URL, init?: RequestInit) => Promise<Response>> {
  const { privateKey, publicKey } = await generateKeyPair("Ed25519");
  const keys = [{ ...await exportJWK(publicKey), kid: "k", use: "sig" }];
  let count = 0;
  return async (url, init) => {
    if (`${url}`.endsWith("/keys")) return Response.json({ keys });
    if (`${url}`.endsWith("/openid-configuration")) {
      return Response.json({
        issuer: ISSUER,
        authorization_endpoint: `${ISSUER}/authorize`,
        token_endpoint: `${ISSUER}/token`,
        jwks_uri: `${ISSUER}/keys`,
        id_token_signing_alg_values_supported: ["Ed25519"],
      });
    }
    const form = new URLSearchParams(`${init?.body}`);
    const [sub = "", nonce = ""] = (form.get("code") ?? form.get("refresh_token") ?? "").split(" ");
    const now = Math.floor(clock.now() / 1000);
    const claims = { iss: ISSUER, aud: CLIENT_ID, sub, nonce, iat: now, exp: now + 3600 };
    const idToken = form.has("code")
      ? await new SignJWT(claims).setProtectedHeader({ alg: "Ed25519", kid: "k" }).sign(privateKey)
      : undefined;
    return Response.json({
      token_type: "Bearer",
      access_token: `at ${++count}`,
      expires_in: 3600,
      refresh_token: `${sub} ${count}`,
      ...(idToken && { id_token: idToken }),
    });
  };
}

/** Whole applications, with a small cache: what grows then is beside it. */
async function callThrough(rounds: number): Promise<Weight[]> {
  const memory = { maxEntries: 100 };
  const fetch = await issuerFetch();
  const common = { clientId: CLIENT_ID, clientCredential: "a secret", clock, fetch };
  const [oidcCache, entraCache] = [new TokenCache({ memory }), new TokenCache({ memory })];
  const oidc = new ConfidentialClientApplication({ ...common, oidcAuthority: ISSUER, tokenCache: oidcCache });
  const authority = `${HOST}/${TENANT_ID}`;
  const entra = new ConfidentialClientApplication({ ...common, authority, tokenCache: entraCache });
  const core = openerOf(oidcCache)!(systemClock, () => {});
  const redirectUri = "https://app.example/callback";
  const weights: Weight[] = [];
  let calls = 0;
  for (let round = 0; round < rounds; round++) {
    for (let n = 0; n < 1_500; n++) {
      const user = `user-${round}-${n}`;
      const flow = await oidc.initiateAuthCodeFlow({ scopes: ["mail"], redirectUri });
      const nonce = new URL(flow.authUri).searchParams.get("nonce");
      const answer = { code: `${user} ${nonce}`, state: flow.state };
      const { account } = await oidc.acquireTokenByAuthCodeFlow(flow, answer);
      await oidc.acquireTokenSilent({ account: account!, scopes: ["files"] });
      await oidc.removeAccount(account!);
      calls += 3;
    }
    for (let n = 0; n < 4_000; n++) {
      const id = guid(round * 4_000 + n);
      const scopes = ["User.Read"];
      await entra.acquireTokenSilent({ account: `${id}.${id}`, scopes, tenantId: id }).catch(() => {});
      if (n % 4 === 0) {
        await entra.acquireTokenForClient({ scopes: ["api://x/.default"], tenantId: id });
      }
      calls++;
    }
    // What was begun has ended by then.
    aheadMs += 86_400_000;
    weights.push(weigh(oidcCache, core, calls));
  }
  return weights;
}

if (import.meta.main) {
  const weights: Weights = { users: await putUsers(1), layers: await callThrough(4) };
  console.log(JSON.stringify(weights));
}
