/**
 * The browser at the other end: who is signed in there, by its cookies.
 *
 * @module
 */
import { base64url } from "jose";
import type { User } from "../declared.ts";
import type { Exchange } from "../exchange.ts";
import type { UserSession } from "../sessions.ts";

/** More accounts than anybody signs in to; each is one id in the cookie. */
const MAX_ACCOUNTS = 10;
const FORM_SECRET = /^[\w-]{43}$/;

function cookieOf(exchange: Exchange, name: string): string | undefined {
  const cookies = (exchange.incoming.headers.get("cookie") ?? "").split(";").map((part) => part.trim());
  return cookies.find((cookie) => cookie.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** What one request's cookies say, and what the answer's will. */
export class Browser {
  readonly #exchange: Exchange;
  readonly #secure: boolean;
  readonly #sessionsName: string;
  readonly #formName: string;
  #sessions: readonly UserSession[];
  #formSecret: string | undefined;
  readonly #changed = new Map<string, string>();

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    this.#secure = exchange.incoming.url.protocol === "https:";
    // A browser takes a cookie of this prefix from nobody but this very host.
    const prefix = this.#secure ? "__Host-" : "";
    this.#sessionsName = `${prefix}local-sessions`;
    this.#formName = `${prefix}local-form`;
    const ids = new Set(cookieOf(exchange, this.#sessionsName)?.split(".").slice(0, MAX_ACCOUNTS));
    this.#sessions = [...ids].flatMap((id) => exchange.services.sessions.get(id) ?? []);
    const sent = cookieOf(exchange, this.#formName);
    this.#formSecret = sent !== undefined && FORM_SECRET.test(sent) ? sent : undefined;
  }

  /** Who is signed in, the latest one first. */
  get sessions(): readonly UserSession[] {
    return this.#sessions;
  }

  /** What forms are bound to; absent if the browser has not been here, or keeps no cookies. */
  get formSecret(): string | undefined {
    return this.#formSecret;
  }

  /** The `Set-Cookie` headers of the answer. */
  get cookies(): readonly string[] {
    const site = this.#secure ? "None; Secure" : "Lax";
    return [...this.#changed].map(([name, value]) => {
      const end = value === "" ? "; Max-Age=0" : "";
      return `${name}=${value}; Path=/; HttpOnly; SameSite=${site}${end}`;
    });
  }

  /** What forms are bound to; made if need be. */
  requireFormSecret(): string {
    if (this.#formSecret === undefined) {
      this.#formSecret = base64url.encode(crypto.getRandomValues(new Uint8Array(32)));
      this.#changed.set(this.#formName, this.#formSecret);
    }
    return this.#formSecret;
  }

  /** Begins a session; an older one of the same user ends. */
  signIn(user: User): UserSession {
    const { sessions } = this.#exchange.services;
    const before = this.#sessions.find((session) => session.user === user);
    if (before) sessions.end(before.id);
    const session = sessions.create(user, before ? { after: before } : {});
    this.#keep([session, ...this.#sessions.filter((other) => other.user !== user)].slice(0, MAX_ACCOUNTS));
    return session;
  }

  /** Notes that a session's user passed multi-factor authentication. */
  passMfa(session: UserSession): UserSession {
    const stronger = this.#exchange.services.sessions.passMfa(session.id) ?? session;
    this.#sessions = this.#sessions.map((other) => other === session ? stronger : other);
    return stronger;
  }

  /** Ends sessions. */
  signOut(ended: readonly UserSession[]): void {
    for (const { id } of ended) this.#exchange.services.sessions.end(id);
    this.#keep(this.#sessions.filter((session) => !ended.includes(session)));
  }

  #keep(sessions: readonly UserSession[]): void {
    this.#sessions = sessions;
    this.#changed.set(this.#sessionsName, sessions.map(({ id }) => id).join("."));
  }
}
