/**
 * What users have granted to clients: the codes and refresh tokens that stand for it.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { App, User } from "./declared.ts";
import { ExpiringMap } from "./expiring_map.ts";
import { type Json, opaque } from "./token_parts.ts";

/** One sign-in of a user with a client: what a code and all refresh tokens after it stand for. */
export interface UserGrant {
  readonly app: App;
  readonly user: User;
  /** Where it was made, if it serves nowhere else: a policy, or a farm of AD FS. */
  readonly place: string | undefined;
  /** The scopes that were asked for when the user signed in. */
  readonly scopes: readonly string[];
  readonly authTimeSeconds: number;
  readonly mfa: boolean;
  /** The authentication contexts that the user had satisfied before. */
  readonly contexts: readonly string[];
  /** The session, as ID tokens name it. */
  readonly sid: string;
  /** Whether ID tokens are to say when the user signed in. */
  readonly wantsAuthTime: boolean;
  /** How often the user's refresh tokens had been revoked before. */
  readonly generation: number;
  /** Whether it was revoked because a token of it came twice. */
  revoked: boolean;
}

/** An authorization code. */
export interface AuthorizationCode {
  readonly grant: UserGrant;
  readonly redirectUri: string;
  /** The tenant that the user signed in to. */
  readonly tenantId: string;
  readonly nonce: string | undefined;
  readonly codeChallenge: string | undefined;
  /** The thumbprint of the DPoP key that it is bound to. */
  readonly jkt: string | undefined;
  readonly claims: Json;
  used: boolean;
}

/** A refresh token. */
export interface RefreshToken {
  readonly grant: UserGrant;
  /** The client that it was issued to. */
  readonly client: App;
  /** Whether a newer one has been issued for it. */
  superseded: boolean;
  /** The thumbprint of the DPoP key that it is bound to. */
  readonly jkt: string | undefined;
}

const MAX_CODES = 1_000;
const MAX_REFRESH_TOKENS = 10_000;
const SECRET_BYTES = 48;

/** The codes and refresh tokens of one authority. */
export class GrantStore {
  readonly #codes: ExpiringMap<AuthorizationCode>;
  readonly #refreshTokens: ExpiringMap<RefreshToken>;
  readonly #refreshLifetimeSeconds: number;

  constructor(clock: Clock, refreshLifetimeSeconds: number) {
    this.#codes = new ExpiringMap(clock, MAX_CODES);
    this.#refreshTokens = new ExpiringMap(clock, MAX_REFRESH_TOKENS);
    this.#refreshLifetimeSeconds = refreshLifetimeSeconds;
  }

  /** Makes a code. */
  addCode(code: AuthorizationCode, lifetimeSeconds: number): string {
    const secret = `1.A${opaque(SECRET_BYTES)}`;
    this.#codes.set(secret, code, lifetimeSeconds);
    return secret;
  }

  /** What a code stands for; one that was used is found until it expires. */
  code(secret: string): AuthorizationCode | undefined {
    return this.#codes.get(secret);
  }

  /** Makes a refresh token. */
  addRefreshToken(grant: UserGrant, client: App, jkt: string | undefined): string {
    const secret = `1.R${opaque(SECRET_BYTES)}`;
    this.#refreshTokens.set(secret, { grant, client, superseded: false, jkt }, this.#refreshLifetimeSeconds);
    return secret;
  }

  /** What a refresh token stands for. */
  refreshToken(secret: string): RefreshToken | undefined {
    return this.#refreshTokens.get(secret);
  }

  /** Lets a refresh token live on from now: it dies of not being used. */
  keepRefreshToken(secret: string, token: RefreshToken): void {
    this.#refreshTokens.set(secret, token, this.#refreshLifetimeSeconds);
  }
}
