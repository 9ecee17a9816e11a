/**
 * The token endpoint of a chaos run: it knows every token that there is, and counts.
 *
 * @module
 */
import { base64url, exportJWK, generateKeyPair, type JWK, type JWTPayload } from "jose";
import { CLIENT_ID, type Grant, guid, HOST, ISSUER, type IssuerKind, TENANT_ID } from "./chaos_wire.ts";

/** An answer. */
export interface Reply {
  readonly status?: number;
  readonly json: unknown;
  /** What the ID token says, which goes into the answer where that arrives: signed, it would be too long for a message. */
  readonly claims?: JWTPayload;
}

interface RefreshToken {
  readonly user: number;
  readonly family: { revoked: boolean };
  /** Whether another library got it. */
  readonly isForeign: boolean;
  spent: boolean;
}

const LIFETIME_SECONDS = 3600;
const REFRESH_IN_SECONDS = 1800;

/** Issues tokens. */
export class Issuer {
  readonly #kind: IssuerKind;
  readonly #tokens: RefreshToken[] = [];
  readonly #keys = generateKeyPair("RS256", { extractable: true });
  #issued = 0;

  constructor(kind: IssuerKind) {
    this.#kind = kind;
  }

  /** The key that signs ID tokens. */
  async privateKey(): Promise<JWK> {
    return await exportJWK((await this.#keys).privateKey);
  }

  /** A refresh token that another library got. */
  mint(user: number): string {
    return this.#newRefreshToken(user, { revoked: false }, true);
  }

  /** Answers a request; `log` takes what was granted or refused. */
  async answer(
    url: string,
    form: string | undefined,
    nowMs: number,
    log: (grant: Grant) => void,
  ): Promise<Reply> {
    if (form === undefined) return await this.#document(url);
    const fields = new URLSearchParams(form);
    const scope = (fields.get("scope") ?? "").split(" ")
      .filter((name) => !["openid", "profile", "offline_access"].includes(name)).join(" ");
    const grantType = fields.get("grant_type") ?? "";
    if (grantType === "client_credentials") {
      return this.#grant({ grantType, owner: `tenant ${this.#tenantOf(url)}`, scope }, nowMs, log);
    }
    if (grantType === "refresh_token") return this.#refresh(fields, scope, nowMs, log);
    const [user = "", nonce = ""] = (fields.get("code") ?? "").split(" ");
    const issued = this.#newRefreshToken(Number(user), { revoked: false });
    return this.#userGrant({ grantType, owner: `user ${user}`, scope }, issued, nowMs, log, nonce);
  }

  #tenantOf(url: string): number {
    const [, tenant] = new URL(url).pathname.split("/");
    return this.#kind === "reusable" ? Number(`0x${tenant?.slice(-12)}`) - 1_000 : 0;
  }

  #refresh(
    fields: URLSearchParams,
    scope: string,
    nowMs: number,
    log: (grant: Grant) => void,
  ): Reply {
    const redeemed = Number(fields.get("refresh_token")?.slice(3));
    const token = this.#tokens[redeemed];
    const owner = `user ${token?.user}`;
    const told = { grantType: "refresh_token", owner, scope, redeemed };
    const refuse = (refused: Grant["refused"] & string): Reply => {
      log({ ...told, refused });
      return { status: 400, json: { error: "invalid_grant" } };
    };
    if (token === undefined) return refuse("unknown");
    if (this.#kind === "rotating") {
      if (token.family.revoked) return refuse("revoked");
      if (token.spent) {
        token.family.revoked = true;
        return refuse("reuse");
      }
      token.spent = true;
    }
    const issued = this.#newRefreshToken(token.user, token.family);
    return this.#userGrant(told, issued, nowMs, log);
  }

  #userGrant(
    grant: Grant,
    refreshToken: string,
    nowMs: number,
    log: (grant: Grant) => void,
    nonce?: string,
  ): Reply {
    const issued = Number(refreshToken.slice(3));
    const user = this.#tokens[issued]!.user;
    const answer = this.#grant({ ...grant, issued }, nowMs, log);
    // Entra tells at each refresh whose the tokens are, as openid is asked for; others need not.
    const isTold = this.#kind === "reusable" || nonce !== undefined || issued % 4 === 0 ||
      this.#tokens[grant.redeemed!]!.isForeign;
    return {
      json: {
        ...answer.json as object,
        refresh_token: refreshToken,
        ...(this.#kind === "reusable" && {
          client_info: base64url.encode(JSON.stringify({ uid: guid(user), utid: TENANT_ID })),
        }),
      },
      ...(isTold && { claims: this.#claimsOf(user, nowMs, nonce) }),
    };
  }

  #grant(grant: Grant, nowMs: number, log: (grant: Grant) => void): Reply {
    const number = ++this.#issued;
    // Every other token can be renewed before it ends.
    const isEarly = this.#kind === "reusable" && number % 2 === 0;
    const expiresAtMs = nowMs + LIFETIME_SECONDS * 1000;
    log({ ...grant, expiresAtMs, ...(isEarly && { refreshAtMs: nowMs + REFRESH_IN_SECONDS * 1000 }) });
    return {
      json: {
        token_type: "Bearer",
        access_token: `AT|${grant.owner}|${grant.scope}|${number}`,
        expires_in: LIFETIME_SECONDS,
        ...(isEarly && { refresh_in: REFRESH_IN_SECONDS }),
        scope: grant.scope,
      },
    };
  }

  #newRefreshToken(user: number, family: RefreshToken["family"], isForeign = false): string {
    const number = this.#tokens.length;
    this.#tokens.push({ user, family, isForeign, spent: false });
    return `RT ${number}`;
  }

  #claimsOf(user: number, nowMs: number, nonce: string | undefined): JWTPayload {
    const now = Math.floor(nowMs / 1000);
    const isEntra = this.#kind === "reusable";
    return {
      iss: isEntra ? `${HOST}/${TENANT_ID}/v2.0` : ISSUER,
      aud: CLIENT_ID,
      sub: `subject-${user}`,
      iat: now,
      nbf: now,
      exp: now + LIFETIME_SECONDS,
      ...(isEntra && { oid: guid(user), tid: TENANT_ID, ver: "2.0" }),
      preferred_username: `user${user}@contoso.example`,
      ...(nonce && { nonce }),
    };
  }

  async #document(url: string): Promise<Reply> {
    if (url.endsWith("/.well-known/openid-configuration") && url.startsWith(ISSUER)) {
      return {
        json: {
          issuer: ISSUER,
          authorization_endpoint: `${ISSUER}/authorize`,
          token_endpoint: `${ISSUER}/token`,
          jwks_uri: `${ISSUER}/keys`,
        },
      };
    }
    if (!url.endsWith("/keys")) return { status: 404, json: { error: "not_found" } };
    const jwk: JWK = await exportJWK((await this.#keys).publicKey);
    const issuer = url.startsWith(HOST) ? { issuer: `${HOST}/{tenantid}/v2.0` } : {};
    return { json: { keys: [{ ...jwk, kid: "k", use: "sig", ...issuer }] } };
  }
}
