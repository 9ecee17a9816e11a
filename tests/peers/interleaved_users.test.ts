/**
 * A thousand users' calls, interleaved, through session and on-behalf-of routes, while the authority and the store fail now and
 * then: no token ever reaches another user.
 */
import { assert, assertEquals } from "@std/assert";
import { decodeJwt } from "jose";
import { ConfidentialClientApplication, MemoryStore, type Store, TokenCache } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { createApiAuth, createWebAuth, type RequestHandler } from "../../src/web/mod.ts";

const SITE = "https://app.example";
const API_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e13";
const WEB_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e11";
const SCOPE = `api://${API_ID}/Orders.Read`;
const SECRET = crypto.randomUUID() + crypto.randomUUID();
const USERS = 1_000;
const CONCURRENCY = 50;
const CALLS = 3_000;

interface Person {
  readonly oid: string;
  cookies: string;
}

/** The same random numbers at every run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** A store that fails, and forgets what it was asked to keep, now and then. */
function moody(store: Store, random: () => number, isMoody: () => boolean): Store {
  const mood = <T>(work: () => Promise<T>): Promise<T> =>
    isMoody() && random() < 0.05 ? Promise.reject(new Error("the store is down")) : work();
  return {
    cas: store.cas,
    get: (key, options) => mood(() => store.get(key, options)),
    set: (key, value, options) => mood(() => store.set(key, value, options)),
    delete: (key) => store.delete(key),
    lock: (key, leaseMs) => mood(() => store.lock!(key, leaseMs)),
  };
}

interface Routes {
  readonly web: { route(request: Request): Promise<Response | undefined> };
  readonly chain: RequestHandler;
}

/** A page that calls an API with the user's token, which calls Graph on the user's behalf; it says whose each token was. */
function routesOf(authority: LocalAuthority, storeOf: () => Store): Routes {
  const { tenantId } = authority.defaults;
  const options = {
    authority: `https://login.microsoftonline.com/${tenantId}`,
    fetch: authority.fetch,
    clientCredential: "local~secret",
    waitUntil: "detached",
  } as const;
  const cache = () => new TokenCache({ store: storeOf(), memory: { maxEntries: 600 } });
  const api = createApiAuth({
    app: new ConfidentialClientApplication({ ...options, clientId: API_ID, tokenCache: cache() }),
    audience: API_ID,
  });
  const whose = api.protect(async (_request, caller) => {
    const { accessToken, account } = await caller.acquireToken({
      scopes: ["https://graph.microsoft.com/User.Read"],
    });
    return Response.json([caller.callerId, decodeJwt(accessToken)["oid"], account?.localAccountId]);
  }, { scopes: ["Orders.Read"] });
  const web = createWebAuth({
    app: new ConfidentialClientApplication({ ...options, clientId: WEB_ID, tokenCache: cache() }),
    baseUrl: SITE,
    cookieSecret: SECRET,
    scopes: [SCOPE],
    sessionStore: storeOf(),
  });
  const chain = web.requireUser(async (_request, auth) => {
    const { accessToken, account } = await auth.acquireToken({ scopes: [SCOPE] });
    const headers = { authorization: `Bearer ${accessToken}` };
    const answer = await whose(new Request(`${SITE}/api`, { headers }));
    if (!answer.ok) return answer;
    return Response.json([
      auth.user.localAccountId,
      account?.localAccountId,
      decodeJwt(accessToken)["oid"],
      ...await answer.json(),
    ]);
  });
  return { web, chain };
}

function cookiesOf(response: Response, before = ""): string {
  const jar = new Map(
    before.split("; ").filter(Boolean).map((pair) => pair.split(/=(.*)/s) as [string, string]),
  );
  for (const line of response.headers.getSetCookie()) {
    const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
    if (/max-age=0/i.test(line)) jar.delete(name);
    else jar.set(name, value);
  }
  return [...jar].map((pair) => pair.join("=")).join("; ");
}

async function signIn(authority: LocalAuthority, { web }: Routes, username: string): Promise<Person> {
  const begun = (await web.route(new Request(`${SITE}/auth/sign-in`)))!;
  const cookies = cookiesOf(begun);
  const { url } = await authority.signIn(begun.headers.get("location")!, { username });
  const done = (await web.route(new Request(url, { headers: { cookie: cookies } })))!;
  assertEquals(done.status, 303);
  return { oid: "", cookies: cookiesOf(done, cookies) };
}

/** Runs so many calls, a number of them at a time. */
async function interleave(calls: number, call: (index: number) => Promise<void>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < calls) await call(next++);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

Deno.test({
  name: "no token reaches another user: 1 000 users' calls at concurrency 50, with faults",
  timeout: 300_000,
  fn: callMany,
});

async function callMany(): Promise<void> {
  const random = randomOf(20_261_122);
  const users = Array.from({ length: USERS }, (_, i) => ({ username: `user${i}@contoso.onmicrosoft.com` }));
  const authority = new LocalAuthority({
    users,
    apps: [
      { clientId: WEB_ID, secrets: ["local~secret"], redirectUris: [`${SITE}/*`] },
      { clientId: API_ID, secrets: ["local~secret"] },
    ],
    resources: [{
      appId: API_ID,
      identifierUris: [`api://${API_ID}`],
      accessTokenVersion: 2,
      scopes: ["Orders.Read"],
    }],
    // So short that most calls have to renew.
    tokenLifetimeSeconds: 330,
  });
  let isMoody = false;
  const routes = routesOf(
    authority,
    () => moody(new MemoryStore({ maxEntries: 10_000 }), random, () => isMoody),
  );
  const people: Person[] = [];
  await interleave(USERS, async (i) => {
    people[i] = await signIn(authority, routes, users[i]!.username);
  });
  const seen = new Map<number, string>();
  const statuses = new Map<number, number>();
  isMoody = true;
  await interleave(CALLS, async (index) => {
    if (index % 10 === 0) {
      const kind = (["server_error", "network", "throttled"] as const)[index / 10 % 3]!;
      authority.fault(kind === "server_error" ? { on: "token", kind, status: 503 } : { on: "token", kind });
    }
    const who = Math.floor(random() * USERS);
    const person = people[who]!;
    const response = await routes.chain(
      new Request(`${SITE}/chain`, { headers: { cookie: person.cookies, accept: "application/json" } }),
    );
    statuses.set(response.status, (statuses.get(response.status) ?? 0) + 1);
    if (response.status !== 200) return void await response.body?.cancel();
    const ids = new Set<string>(await response.json());
    assertEquals(ids.size, 1, `user ${who} met somebody else`);
    const [id = ""] = ids;
    assertEquals(seen.get(who) ?? id, id, `user ${who} became somebody else`);
    seen.set(who, id);
  });
  // Each name is of one user alone, and most calls went through in spite of all.
  assertEquals(new Set(seen.values()).size, seen.size);
  assert((statuses.get(200) ?? 0) > CALLS / 2, JSON.stringify([...statuses]));
  assertEquals([...statuses.keys()].filter((status) => ![200, 401, 500, 502, 503].includes(status)), []);
}
