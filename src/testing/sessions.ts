/**
 * Who is signed in, in which browser.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { App, Tenant, User } from "./declared.ts";
import { ExpiringMap } from "./expiring_map.ts";

/** An app that a session's user signed in to. */
export interface AppSignIn {
  readonly app: App;
  /** The tenant that its tokens are from. */
  readonly tenant: Tenant;
  /** The name of the session that it was told. */
  readonly sid: string;
}

/** One user who is signed in, in one browser. */
export interface UserSession {
  /** An unguessable id; the page keeps it in a cookie. */
  readonly id: string;
  /** The name of the session that clients are told; it opens nothing. */
  readonly sid: string;
  readonly user: User;
  /** When the user proved who they are, in seconds since the epoch. */
  readonly authTimeSeconds: number;
  /** Whether the user passed multi-factor authentication. */
  readonly mfa: boolean;
  /** The apps that the user signed in to, also before the password was typed again. */
  readonly apps: AppSignIn[];
}

const MAX_SESSIONS = 1000;
const LIFETIME_SECONDS = 24 * 3600;
const MAX_APPS = 50;

/** Remembers that a session's user signed in to an app; the oldest one is forgotten when there are too many. */
export function noteApp({ apps, sid }: UserSession, app: App, tenant: Tenant): void {
  if (apps.some((other) => other.app === app && other.tenant === tenant && other.sid === sid)) return;
  apps.push({ app, tenant, sid });
  if (apps.length > MAX_APPS) apps.shift();
}

/** The sessions of one authority; the oldest one goes when there are too many. */
export class SessionStore {
  readonly #clock: Clock;
  readonly #sessions: ExpiringMap<UserSession>;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#sessions = new ExpiringMap(clock, MAX_SESSIONS);
  }

  /** Signs a user in; the apps of a session that this one takes the place of stay known. */
  create(user: User, options: { readonly mfa?: boolean; readonly after?: UserSession } = {}): UserSession {
    const [id, sid] = [crypto.randomUUID(), crypto.randomUUID()];
    const { mfa = false, after } = options;
    const apps = [...after?.apps ?? []];
    const session = { id, sid, user, authTimeSeconds: this.#nowSeconds(), mfa, apps };
    this.#sessions.set(id, session, LIFETIME_SECONDS);
    return session;
  }

  /** The session with this id, if it is live. */
  get(id: string): UserSession | undefined {
    return this.#sessions.get(id);
  }

  /** The user's session that began last, if one is live. */
  latestOf(user: User): UserSession | undefined {
    return this.#sessions.values.filter((session) => session.user === user).at(-1);
  }

  /** Notes that the user has passed multi-factor authentication, now. */
  passMfa(id: string): UserSession | undefined {
    const session = this.get(id);
    if (!session) return undefined;
    const stronger = { ...session, mfa: true, authTimeSeconds: this.#nowSeconds() };
    this.#sessions.set(id, stronger, LIFETIME_SECONDS);
    return stronger;
  }

  /** Signs out of one browser. */
  end(id: string): void {
    this.#sessions.delete(id);
  }

  /** Signs a user out everywhere. */
  revoke(user: User): void {
    for (const session of this.#sessions.values) if (session.user === user) this.end(session.id);
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
