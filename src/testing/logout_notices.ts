/**
 * Tells apps that a user signed out: their pages in hidden frames, their servers by a post.
 *
 * @module
 * @see {@link https://openid.net/specs/openid-connect-frontchannel-1_0.html#RPLogout | Front-Channel Logout section 2}
 * @see {@link https://openid.net/specs/openid-connect-backchannel-1_0.html#BCRequest | Back-Channel Logout section 2.5}
 */
import { systemClock } from "../runtime/clock.ts";
import { issuersOf } from "./clouds.ts";
import type { User } from "./declared.ts";
import type { Exchange, Services } from "./exchange.ts";
import { LOGOUT_TOKEN_LIFETIME_SECONDS, signLogoutToken } from "./logout_token.ts";
import type { AppSignIn, UserSession } from "./sessions.ts";

/** How long all servers together have to answer, in milliseconds. */
const PATIENCE_MS = 5_000;

function framed(exchange: Exchange, { app, tenant, sid }: AppSignIn): string[] {
  const { shape } = exchange.route;
  const own = shape?.tenant === tenant ? shape.dialect?.issuer : undefined;
  const iss = own ?? issuersOf(exchange.issuerOrigin, tenant.id).v2;
  return app.logoutUris.filter((uri) => URL.canParse(uri)).map((uri) => {
    const url = new URL(uri);
    url.searchParams.set("iss", iss);
    url.searchParams.set("sid", sid);
    return url.href;
  });
}

/** What to load in hidden frames: the sign-out addresses of the apps that the sessions' users signed in to. */
export function frontChannelAddresses(exchange: Exchange, ended: readonly UserSession[]): readonly string[] {
  return [...new Set(ended.flatMap(({ apps }) => apps.flatMap((signIn) => framed(exchange, signIn))))];
}

async function post({ fetch }: Services, uri: string, token: string, signal: AbortSignal): Promise<void> {
  try {
    const body = new URLSearchParams({ logout_token: token });
    const response = await fetch(uri, { method: "POST", body, redirect: "manual", signal });
    await response.body?.cancel();
  } catch {
    // Who cannot be reached is not told: a sign-out must not fail for it.
  }
}

async function tell(
  exchange: Exchange,
  user: User,
  { app, tenant, sid }: AppSignIn,
  signal: AbortSignal,
): Promise<void> {
  const { services, issuerOrigin } = exchange;
  const nowMs = services.clock.now();
  const lifetimeSeconds = LOGOUT_TOKEN_LIFETIME_SECONDS;
  const { shape } = exchange.route;
  const dialect = shape?.tenant === tenant ? shape.dialect : undefined;
  const token = { dialect, tenant, app, user, sid, issuerOrigin, nowMs, lifetimeSeconds, extraClaims: {} };
  await Promise.all(app.backChannelLogoutUris.map(async (uri) =>
    // Each address has a token of its own, as an app refuses one that it has seen.
    await post(services, uri, await signLogoutToken(token, await services.keys.current()), signal)
  ));
}

/** Posts logout tokens to the servers of the apps that the sessions' users signed in to. Never throws. */
export async function tellServers(exchange: Exchange, ended: readonly UserSession[]): Promise<void> {
  const told = ended.flatMap(({ user, apps }) => apps.map((signIn) => ({ user, signIn })));
  if (told.every(({ signIn }) => signIn.app.backChannelLogoutUris.length === 0)) return;
  const patience = new AbortController();
  // The system's clock on purpose: an injected one may stand still.
  const timer = systemClock.setTimeout(() => patience.abort(), PATIENCE_MS);
  try {
    await Promise.all(told.map(({ user, signIn }) => tell(exchange, user, signIn, patience.signal)));
  } finally {
    systemClock.clearTimeout(timer);
  }
}
