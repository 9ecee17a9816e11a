/**
 * How long a session lives, and what one looks like.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import type { Clock } from "../runtime/clock.ts";
import { requireBound } from "../store/store.ts";
import type { SessionLife } from "./options.ts";
import type { Session, SessionUser } from "./user_auth.ts";

/** When a session was renewed last, and when it ends. */
export type SessionTimes = Pick<Session, "issuedAt" | "renewedAt" | "idleUntil" | "expiresAt">;

/** Clocks differ by this; what claims to be of later than that is not believed. */
const CLOCK_SKEW_SECONDS = 300;
const TIMES = ["issuedAt", "renewedAt", "idleUntil", "expiresAt"] as const;
const TEXTS = ["homeAccountId", "tenantId", "localAccountId", "issuer", "subject", "username"] as const;

/** Begins, judges and renews the times of sessions. */
export class Lifetimes {
  /** Without a request for this long, a session ends. */
  readonly idleSeconds: number;
  /** After this a session ends in any case. */
  readonly absoluteSeconds: number;
  readonly #clock: Clock;

  /**
   * Checks how long sessions live.
   *
   * @param life What the options say.
   * @param clock The time.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  constructor(life: SessionLife, clock: Clock) {
    this.absoluteSeconds = requireBound(life.absoluteSeconds, 86_400, "session.absoluteSeconds");
    this.idleSeconds = requireBound(life.idleSeconds, 28_800, "session.idleSeconds");
    this.#clock = clock;
  }

  /** The time, in whole seconds. */
  get now(): number {
    return Math.floor(this.#clock.now() / 1000);
  }

  /** The times of a session that begins now. */
  begin(): SessionTimes {
    const issuedAt = this.now;
    const expiresAt = issuedAt + this.absoluteSeconds;
    return {
      issuedAt,
      renewedAt: issuedAt,
      idleUntil: Math.min(issuedAt + this.idleSeconds, expiresAt),
      expiresAt,
    };
  }

  /** Whether a session has neither ended by its own times nor by what the options say now. */
  isLive({ issuedAt, renewedAt, idleUntil, expiresAt }: SessionTimes): boolean {
    const { now } = this;
    const end = Math.min(expiresAt, issuedAt + this.absoluteSeconds, idleUntil, renewedAt + this.idleSeconds);
    return now < end && Math.max(issuedAt, renewedAt) <= now + CLOCK_SKEW_SECONDS;
  }

  /**
   * Renews a session's times.
   *
   * @param times The times.
   * @param isDue Whether it is to be done whenever it was done last.
   * @returns The new times; `undefined` where it is not time yet, or would change nothing.
   */
  renew(times: SessionTimes, isDue: boolean): SessionTimes | undefined {
    const { now } = this;
    const { issuedAt, renewedAt, expiresAt } = times;
    const idleUntil = Math.min(now + this.idleSeconds, expiresAt);
    const isTime = now - renewedAt >= this.idleSeconds / 10 && idleUntil > times.idleUntil;
    return isDue || isTime ? { issuedAt, renewedAt: now, idleUntil, expiresAt } : undefined;
  }
}

/**
 * Reads times: a sealed text without them is no session.
 *
 * @param value What was opened.
 */
export function timesOf(value: unknown): SessionTimes | undefined {
  const times = Object(value) as SessionTimes;
  return TIMES.every((name) => Number.isSafeInteger(times[name])) ? times : undefined;
}

/**
 * Reads a session.
 *
 * @param value What was opened.
 * @returns The same; `undefined` where it is none.
 */
export function sessionOf(value: unknown): Session | undefined {
  const session = Object(value) as Session;
  const user = Object(session.user);
  const isUser = TEXTS.every((name) => typeof user[name] === "string") && Object(user.claims) === user.claims;
  return session.version === 1 && isSessionId(session.id) && timesOf(session) && isUser ? session : undefined;
}

/** Whether a value can be the name of a session. */
export function isSessionId(value: unknown): value is string {
  return typeof value === "string" && /^[\w-]{43}$/.test(value);
}

/** A new session of a user. */
export function newSession(user: SessionUser, times: SessionTimes): Session {
  return { version: 1, id: encodeBase64Url(crypto.getRandomValues(new Uint8Array(32))), user, ...times };
}
