/**
 * Sessions for tests, in the browser and on the server.
 *
 * @module
 */
import { MemoryStore, type MsalEvent, type Store } from "../../mod.ts";
import { Cookies, type CookieSettings } from "../../src/web/cookies.ts";
import type { SessionLife } from "../../src/web/options.ts";
import { createSessions } from "../../src/web/session_keeper.ts";
import type { Sessions } from "../../src/web/sessions.ts";
import type { SessionUser } from "../../src/web/user_auth.ts";
import { CookieJar } from "./cookie_jar.ts";
import { FakeClock } from "./fake_clock.ts";

export const COOKIE_SECRET = "Xw4mT7pQz1Lk9Vb3Rn6Yc8Jd2Hs5Gf0A";
export const OLD_SECRET = "Bq8Zr5Nw2Mx7Kc4Jv9Lt1Pd6Hy3Sg0Fe";
export const OTHER_SECRET = "Um3Ei9Wo6Ra1Tk8Ys4Zl7Xp2Cn5Vb0Qj";
export const SETTINGS: CookieSettings = { prefix: "auth", secure: true, sameSite: "Lax" };
export const ISSUER = "https://login.microsoftonline.com/7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10/v2.0";

/** A user. */
export function sessionUser(over: Partial<SessionUser> = {}): SessionUser {
  return {
    homeAccountId: "aa905949-a2b8-4e0a-8aea-b32e53ccdb41.7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
    tenantId: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
    localAccountId: "aa905949-a2b8-4e0a-8aea-b32e53ccdb41",
    issuer: ISSUER,
    subject: "subject-of-ada",
    username: "ada@contoso.example",
    name: "Ada Ω",
    sid: "sid-1",
    claims: { roles: ["reader"] },
    ...over,
  };
}

/** What a test changes. */
export interface WorldOver {
  readonly clock?: FakeClock;
  readonly settings?: Partial<CookieSettings>;
  readonly secret?: string | readonly string[];
  readonly life?: SessionLife;
  readonly store?: Store | undefined;
}

/** One isolate with its sessions, and a browser. */
export interface SessionWorld {
  readonly clock: FakeClock;
  readonly sessions: Sessions;
  readonly jar: CookieJar;
  readonly events: MsalEvent[];
  /** Signs a user in, in this browser. */
  begin(user?: Partial<SessionUser>): ReturnType<Sessions["begin"]>;
  /** Reads the browser's session, and takes what the answer sets. */
  visit(): ReturnType<Sessions["read"]>;
}

/** Makes an isolate. */
export function sessionWorld(over: WorldOver = {}): SessionWorld {
  const { clock = new FakeClock(), settings, secret = COOKIE_SECRET, life, store } = over;
  const events: MsalEvent[] = [];
  const sessions = createSessions({
    cookies: new Cookies({ ...SETTINGS, ...settings }),
    secret,
    life,
    store,
    clock,
    emit: (event) => events.push(event),
  });
  const jar = new CookieJar(clock);
  return {
    clock,
    sessions,
    jar,
    events,
    async begin(user) {
      const begun = await sessions.begin(jar.request(), sessionUser(user));
      jar.take(begun.headers);
      return begun;
    },
    async visit() {
      const found = await sessions.read(jar.request());
      jar.take(found?.headers ?? []);
      return found;
    },
  };
}

/** Both ways of keeping sessions. */
export const KEEPERS: Readonly<Record<string, (over?: WorldOver) => SessionWorld>> = {
  "in the browser": (over) => sessionWorld(over),
  "on the server": (over = {}) => {
    const clock = over.clock ?? new FakeClock();
    return sessionWorld({ ...over, clock, store: over.store ?? new MemoryStore({ clock }) });
  },
};
