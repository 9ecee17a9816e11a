/**
 * What validators take.
 *
 * @module
 */

import type { AuthorityOption } from "../authority/authority.ts";
import type { PerPurpose } from "../client/options.ts";
import type { allowInsecureLoopback } from "../net/endpoint.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Logger, MsalEvent } from "../runtime/events.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import type { Store } from "../store/store.ts";

/** Whose tokens count, and how their keys are had. */
export interface TokenValidatorOptions {
  /**
   * Microsoft Entra ID in any of its shapes: workforce, Azure AD B2C with its policy, External ID (`ciamlogin.com`), ADFS. Not
   * together with `oidcAuthority`.
   */
  readonly authority?: AuthorityOption | undefined;
  /** Any OpenID Connect issuer; its keys come from its discovery document. */
  readonly oidcAuthority?: string | URL | undefined;
  /** Hosts that speak like Microsoft's and are not: custom domains of B2C and External ID, an ADFS server. */
  readonly knownAuthorities?: readonly string[] | undefined;
  /**
   * The tenants whose tokens count, GUIDs. Has to be given, if only as `"any"`, where the authority stands for many tenants.
   */
  readonly allowedTenants?: readonly string[] | "any" | undefined;
  /** By how many seconds this clock and the authority's may differ, at most 300. @default {120} */
  readonly clockToleranceSeconds?: number | undefined;
  /** Where discovery documents and signing keys are kept; a {@linkcode MemoryStore} of its own where absent. */
  readonly httpCache?: Store | undefined;
  /**
   * Proves that what is in a shared `httpCache` is this application's: 32 random bytes as text. Without it documents are kept
   * in memory alone, unless nobody else can write to the store.
   */
  readonly httpCacheSecret?: string | undefined;
  /** Sends every request. The global `fetch`, looked up at each call, where absent. */
  readonly fetch?: FetchFunction | undefined;
  /** The deadline of each attempt, in milliseconds. @default {5000} */
  readonly timeoutMs?: number | PerPurpose | undefined;
  /** The most bytes of a document. @default {262144} */
  readonly maxResponseBytes?: number | PerPurpose | undefined;
  /** Where the time is read and timers are set. @default {systemClock} */
  readonly clock?: Clock | undefined;
  /** Receives log lines; `console` is one. */
  readonly logger?: Logger | undefined;
  /** Receives events. */
  readonly onEvent?: ((event: MsalEvent) => void) | undefined;
  /** Keeps background work alive; on Workers pass it with each request. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** Allows `http:` on loopback; never deploy it. */
  readonly [allowInsecureLoopback]?: boolean | undefined;
}

/** What an {@linkcode AccessTokenValidator} takes. */
export interface AccessTokenValidatorOptions extends TokenValidatorOptions {
  /**
   * What `aud` must be, or one of these: the API's client id (tokens of version 2) and its Application ID URIs (version 1),
   * compared letter by letter. There is no default and no wildcard.
   */
  readonly audience: string | readonly string[];
  /**
   * Tokens that were verified are known again by their exact text until they end; the most bytes of them, about. 0 verifies every
   * token every time. @default {4194304}
   */
  readonly maxVerifiedBytes?: number | undefined;
}

/** What an {@linkcode IdTokenValidator} takes. */
export interface IdTokenValidatorOptions extends TokenValidatorOptions {
  /** The application that the tokens are for. */
  readonly clientId: string;
}

/**
 * What a route asks of an access token. A token that has neither a scope nor a role is never enough. An empty list or a name that is
 * none of these is refused as the program's mistake.
 */
export interface AccessTokenRequirements {
  /** Delegated permissions, each a whole word of `scp`: a user's token must have all of them. */
  readonly scopes?: readonly string[] | undefined;
  /**
   * App roles: an app's own token must have one of them. With `scopes` alone app tokens are refused; with `roles` alone users'
   * tokens are; with both, either will do.
   */
  readonly roles?: readonly string[] | undefined;
  /**
   * Roles that users are assigned to: a user's token must have one of them in `roles`, beside its scopes. App tokens are refused
   * then, unless `roles` are given, too.
   */
  readonly userRoles?: readonly string[] | undefined;
  /** Client ids (`azp` or `appid`) of the apps that may call on their own behalf; looked at for app tokens alone. */
  readonly allowedApps?: readonly string[] | undefined;
  /**
   * Authentication contexts, such as `["c1"]`, each of which must be in `acrs`. Callers that can (`cp1`) are told what to get by a
   * claims challenge.
   */
  readonly acrs?: readonly string[] | undefined;
}

/** What one validation may be told. */
export interface ValidationContext {
  /** Keeps work alive after the response: `(promise) => ctx.waitUntil(promise)` on Workers. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** The id of the call; made where absent. */
  readonly correlationId?: string | undefined;
}

/** What an ID token is held against. */
export interface IdTokenExpectation extends ValidationContext {
  /** What the sign-in was begun with: the token must carry it. Absent where it must carry none. */
  readonly nonce?: string | undefined;
  /** How long ago the user may have signed in, in seconds. */
  readonly maxAge?: number | undefined;
  /** The access token of the same answer, for `at_hash`. */
  readonly accessToken?: string | undefined;
}
