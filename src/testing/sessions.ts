/**
 * Who is signed in, in which browser.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { User } from "./directory.ts";

/** One user who is signed in, in one browser. */
export interface UserSession {
  /** An unguessable id; the page keeps it in a cookie. */
  readonly id: string;
  readonly user: User;
  /** When the user proved who they are, in seconds since the epoch. */
  readonly authTimeSeconds: number;
  /** Whether the user passed multi-factor authentication. */
  readonly mfa: boolean;
}

const MAX_SESSIONS = 1000;
const LIFETIME_SECONDS = 24 * 3600;

/** The sessions of one authority; the oldest one goes when there are too many. */
export class SessionStore {
  readonly #clock: Clock;
  readonly #sessions = new Map<string, UserSession>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Signs a user in. */
  create(user: User, options: { readonly mfa?: boolean } = {}): UserSession {
    const id = crypto.randomUUID();
    const session = { id, user, authTimeSeconds: this.#nowSeconds(), mfa: options.mfa ?? false };
    this.#sessions.set(id, session);
    const [oldest] = this.#sessions.keys();
    if (this.#sessions.size > MAX_SESSIONS && oldest !== undefined) this.#sessions.delete(oldest);
    return session;
  }

  /** The session with this id, if it is live. */
  get(id: string): UserSession | undefined {
    const session = this.#sessions.get(id);
    if (!session || session.authTimeSeconds + LIFETIME_SECONDS > this.#nowSeconds()) return session;
    this.#sessions.delete(id);
    return undefined;
  }

  /** Notes that the user has passed multi-factor authentication, now. */
  passMfa(id: string): UserSession | undefined {
    const session = this.get(id);
    if (!session) return undefined;
    const stronger = { ...session, mfa: true, authTimeSeconds: this.#nowSeconds() };
    this.#sessions.set(id, stronger);
    return stronger;
  }

  /** Signs out of one browser. */
  end(id: string): void {
    this.#sessions.delete(id);
  }

  /** Signs a user out everywhere. */
  revoke(user: User): void {
    for (const [id, session] of this.#sessions) if (session.user === user) this.#sessions.delete(id);
  }

  #nowSeconds(): number {
    return Math.floor(this.#clock.now() / 1000);
  }
}
