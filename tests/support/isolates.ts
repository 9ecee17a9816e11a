/**
 * Many isolates over one store: an application and a memory for each, one authority for all.
 *
 * @module
 */
import { type ConfidentialClientApplication, type Store, TokenCache } from "../../mod.ts";
import { settle } from "./app_fixture.ts";
import { type EntraDouble, entraDouble, nonceOf, REDIRECT_URI } from "./entra_double.ts";
import { callback, signingKey } from "./entra_double.ts";
import type { FakeClock } from "./fake_clock.ts";
import type { RecordedRequest } from "./scripted_fetch.ts";

/** The issuer of {@linkcode rotatingWorld}. */
export const ISSUER = "https://idp.example.com";
/** How long its token endpoint takes. */
export const LATENCY_MS = 300;

/** An authority, and applications over one store. */
export interface World {
  readonly entra: EntraDouble;
  /** The account of {@linkcode World.signIn}. */
  readonly account: string;
  /** Makes an isolate. */
  isolate(options?: Record<string, unknown>): ConfidentialClientApplication;
  /** The refresh tokens that were sent. */
  sent(): (string | null)[];
}

/** Answers after a while of the clock. */
export function later<T>(clock: FakeClock, ms: number, make: () => T | Promise<T>): Promise<T> {
  return new Promise<void>((resolve) => void clock.setTimeout(resolve, ms)).then(make);
}

/**
 * An issuer that takes each refresh token once, and ends the grant when one comes twice; nobody is refused for anything else.
 *
 * @param makeStore Makes the store.
 * @returns The world, with a user who has signed in.
 */
export async function rotatingWorld(makeStore: (clock: FakeClock) => Store): Promise<World> {
  const entra = entraDouble();
  const store = makeStore(entra.clock);
  entra.documents = ({ url }) =>
    url.endsWith("/openid-configuration")
      ? Response.json({
        issuer: ISSUER,
        jwks_uri: `${ISSUER}/discovery/v2.0/keys`,
        token_endpoint: `${ISSUER}/token`,
        authorization_endpoint: `${ISSUER}/auth`,
      })
      : undefined;
  const isolate: World["isolate"] = (options) =>
    entra.confidential({
      authority: undefined,
      oidcAuthority: ISSUER,
      tokenCache: new TokenCache({ store }),
      ...options,
    });
  const claims = { iss: ISSUER, tid: undefined, oid: undefined };
  let alive = "RT 1";
  const rotate = ({ form }: RecordedRequest) =>
    later(entra.clock, LATENCY_MS, async () => {
      const isGood = form.get("refresh_token") === alive;
      const members = await entra.answer(claims, { client_info: undefined, scope: form.get("scope") });
      alive = isGood ? `${members.refresh_token}` : "none";
      return isGood ? Response.json(members) : Response.json({ error: "invalid_grant" }, { status: 400 });
    });
  const app = isolate();
  const flow = await entra.settle(
    app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI }),
  );
  entra.next(await entra.answer({ ...claims, nonce: nonceOf(flow) }, { client_info: undefined }));
  const { account } = await entra.settle(app.acquireTokenByAuthCodeFlow(flow, callback(flow)));
  entra.next(...Array.from({ length: 100 }, () => rotate));
  const sent = () => entra.posts.slice(1).map(({ form }) => form.get("refresh_token"));
  return { entra, account: account!.homeAccountId, isolate, sent };
}

/** Waits for a promise in small steps of the clock, so that timers of many isolates do not fire at once. */
export async function settleSlowly<T>(clock: FakeClock, promise: Promise<T>, stepMs = 100): Promise<T> {
  await signingKey();
  let isDone = false;
  const note = () => void (isDone = true);
  promise.then(note, note);
  for (let step = 0; step < 1_000 && !isDone; step++) await clock.advance(stepMs);
  return await settle(clock, promise);
}
