/**
 * The flows of users, put together.
 *
 * @module
 */

import type { CredentialSource } from "../credential/credential_source.ts";
import { refuse } from "../errors/errors.ts";
import { mergeClaims } from "../request/claims.ts";
import { requireUserScopes } from "../request/scopes.ts";
import type { RefreshTokenRequest } from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { ACQUIRE_TOKEN_BY_REFRESH_TOKEN } from "../token/telemetry.ts";
import { Accounts } from "./accounts.ts";
import { extrasOf } from "./app_token_query.ts";
import { AuthCodeFlows } from "./auth_code_flows.ts";
import { acquireBrought } from "./brought_grant.ts";
import type { Engine } from "./engine.ts";
import { SilentFlow } from "./silent_flow.ts";
import { requireTokenRequest } from "./token_found.ts";
import { UserGrants } from "./user_grants.ts";
import { tenantOf } from "./user_query.ts";

/** The flows of users of one application. */
export class UserFlows {
  /** Whether the client is public. */
  readonly isPublic: boolean;
  /** Redeems grants. */
  readonly grants: UserGrants;
  /** Sign-in by code. */
  readonly codes: AuthCodeFlows;
  /** Tokens without the user. */
  readonly silent: SilentFlow;
  /** Who is signed in. */
  readonly accounts: Accounts;
  readonly #engine: Engine;

  /**
   * Puts the flows together.
   *
   * @param engine The application's parts.
   * @param credential The credential; none for a public client.
   */
  constructor(engine: Engine, credential: CredentialSource | undefined) {
    this.#engine = engine;
    this.isPublic = credential === undefined;
    this.grants = new UserGrants(engine);
    this.codes = new AuthCodeFlows(engine, this.grants, this.isPublic);
    this.silent = new SilentFlow(engine, this.grants);
    this.accounts = new Accounts(engine);
  }

  /**
   * Redeems a refresh token of another library.
   *
   * @param request The request.
   * @returns The token.
   */
  async migrate(request: RefreshTokenRequest): Promise<AuthenticationResult> {
    const { authority, clientCapabilities } = this.#engine.configuration;
    const { refreshToken, scopes, tenantId, claims } = request ?? {};
    if (typeof refreshToken !== "string" || refreshToken === "") {
      refuse("invalid_request", "refreshToken", "it is missing");
    }
    requireUserScopes(scopes, authority.kind === "aad");
    requireTokenRequest(request);
    const brought = {
      ...extrasOf(request),
      tenant: tenantOf(authority, tenantId),
      scopes: [...scopes],
      grant: { grant_type: "refresh_token", refresh_token: refreshToken },
      claims: mergeClaims(claims, clientCapabilities),
      authScheme: request.authScheme,
      apiId: ACQUIRE_TOKEN_BY_REFRESH_TOKEN,
      reason: "force_refresh_or_claims",
      isOneTime: false,
      expected: { nonceOptional: true },
      requiresIdToken: false,
    } as const;
    return await acquireBrought(this.#engine, this.grants, brought, request);
  }
}
