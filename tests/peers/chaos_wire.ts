/**
 * What the driver of a chaos run and its Workers tell each other, and what is known of a run at its end.
 *
 * @module
 */
import type { JWK } from "jose";
/** The client, and where its users live. */
export const CLIENT_ID = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const TENANT_ID = "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10";
export const HOST = "https://login.microsoftonline.com";
/** An issuer that takes each refresh token once. */
export const ISSUER = "https://idp.example.com";
export const REDIRECT_URI = "https://app.example/callback";

/** Which of the two Workers. */
export type Side = "left" | "right";
export const SIDES: readonly Side[] = ["left", "right"];

/** How an issuer treats refresh tokens: it takes each again and again, or once, and revokes the family on reuse. */
export type IssuerKind = "reusable" | "rotating";
/** What is behind the token cache. */
export type StoreKind = "memory" | "kv" | "do";

/** How often what goes wrong. Each rate is of the store's calls. */
export interface Rates {
  /** The longest delay before a call, and after it. */
  readonly delayMs: number;
  /** It throws, at once or after it was done. */
  readonly throws: number;
  /** It comes after the library has given up. */
  readonly late: number;
  /** A compare-and-set says that somebody else was first. */
  readonly refuses: number;
  /** A read gives what was there up to a minute ago. */
  readonly stale: number;
  /** A miss is remembered for up to a minute. */
  readonly negative: number;
  /** Of operations: the isolate is thrown away. */
  readonly restarts: number;
}

/** One way to run the suite. */
export interface Scene {
  readonly store: StoreKind;
  readonly issuer: IssuerKind;
  readonly rates: Rates;
  /** How many operations there are. */
  readonly operations: number;
  /** How many users are kept in the memory of an isolate. */
  readonly memoryEntries?: number;
}

/** What a writer does. Users, scopes and tenants are numbers. */
export type Operation =
  | { readonly kind: "silent"; readonly user: number; readonly scope: number; readonly forced: boolean }
  | { readonly kind: "client"; readonly tenant: number; readonly scope: number }
  | { readonly kind: "sign_in"; readonly user: number; readonly scope: number }
  | { readonly kind: "bring"; readonly user: number; readonly scope: number; readonly refreshToken: string }
  | { readonly kind: "remove"; readonly user: number }
  | { readonly kind: "restart" };

/** What came of an operation. */
export interface Outcome {
  readonly token?: string;
  readonly account?: string;
  readonly source?: "identity_provider" | "cache";
  readonly expiresAtMs?: number;
  /** The code of an error, or the name of one that is none of the library's. */
  readonly error?: string;
}

/** Something that happened; what names no side happened at the issuer. */
export type Happening =
  | { readonly what: "begun"; readonly id: number; readonly operation: Operation }
  | { readonly what: "ended"; readonly id: number; readonly outcome: Outcome }
  /** Nothing of an operation goes on any more. */
  | { readonly what: "saved"; readonly id: number }
  | { readonly what: "abandoned"; readonly id: number }
  | { readonly what: "fault"; readonly fault: string; readonly key: string }
  /** What KV has of a key from now on: where a copy of it is. */
  | { readonly what: "stored"; readonly key: string; readonly copy: string | undefined }
  | { readonly what: "wrote"; readonly key: string; readonly ok: boolean }
  | { readonly what: "locked"; readonly key: string; readonly taken: boolean }
  | { readonly what: "event"; readonly type: string; readonly code: string }
  | { readonly what: "unhandled"; readonly reason: string }
  | { readonly what: "grant"; readonly grant: Grant };

/** A token request that the issuer judged. */
export interface Grant {
  readonly grantType: string;
  /** Whose tokens: `user 3` or `tenant 1`. */
  readonly owner: string;
  readonly scope: string;
  /** The refresh token that was redeemed, by its number. */
  readonly redeemed?: number;
  /** The refresh token that was issued. */
  readonly issued?: number;
  readonly expiresAtMs?: number;
  readonly refreshAtMs?: number;
  /** Why there is no token. */
  readonly refused?: "reuse" | "revoked" | "unknown";
}

/** When and where something happened. */
export interface When {
  readonly atMs: number;
  readonly side: Side;
  readonly isolate: number;
}

/** A happening. */
export type Entry = Happening & When;

/** What a Worker begins with. */
export interface Init {
  readonly scene: Scene;
  readonly seed: number;
  readonly side: Side;
  readonly nowMs: number;
  /** Signs the issuer's ID tokens. */
  readonly key: JWK;
}

/** From the driver to a Worker. */
export type Command =
  | { readonly type: "init" } & Init
  /** Faults from now on, or none. */
  | { readonly type: "rates"; readonly rates: Rates }
  /** Lets time pass, and begins operations on the way. */
  | { readonly type: "run"; readonly untilMs: number; readonly starts: readonly Start[] }
  | { readonly type: "reply"; readonly id: number; readonly reply: unknown };

/** An operation that begins. */
export interface Start {
  readonly id: number;
  readonly atMs: number;
  readonly operation: Operation;
}

/** From a Worker to the driver; with each message what happened since the one before. */
export type Message =
  & { readonly log: readonly Entry[] }
  & (
    | { readonly type: "idle"; readonly nextMs?: number }
    | { readonly type: "ask"; readonly id: number; readonly question: Question; readonly at: When }
  );

/** What a Worker asks. */
export type Question =
  | { readonly ask: "fetch"; readonly url: string; readonly form?: string }
  | { readonly ask: "past"; readonly key: string; readonly atMs: number };

/** The scopes that users' tokens are for. */
export function scopeOf({ issuer }: Pick<Scene, "issuer">, scope: number): string {
  return (issuer === "reusable" ? ["User.Read", "Mail.Read"] : ["mail", "files"])[scope]!;
}

/** The scopes of the application's own tokens. */
export function appScopeOf(scope: number): string {
  return ["https://graph.microsoft.com/.default", "https://vault.azure.net/.default"][scope]!;
}

/** A GUID with a number in it. */
export function guid(n: number): string {
  return `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;
}

/** The home account id of a user. */
export function homeIdOf({ issuer }: Pick<Scene, "issuer">, user: number): string {
  return issuer === "reusable" ? `${guid(user)}.${TENANT_ID}` : `${ISSUER}#subject-${user}`;
}

/** No faults at all. */
export const CALM: Rates = {
  delayMs: 0,
  throws: 0,
  late: 0,
  refuses: 0,
  stale: 0,
  negative: 0,
  restarts: 0,
};
