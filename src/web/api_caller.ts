/**
 * Who calls an API, and what the API may do on their behalf.
 *
 * @module
 */

import { type AuthorizedFetch, createAuthorizedFetch } from "../client/authorized_fetch.ts";
import type { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import type { OnBehalfOfRequest } from "../request/on_behalf_of_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { FetchFunction, WaitUntil } from "../runtime/web_types.ts";
import type { AccessTokenClaims, ValidatedAccessToken } from "../validate/validated_token.ts";
import type { ApiCaller } from "./api_types.ts";
import type { ApiFetchOptions } from "./user_auth.ts";

/** What an {@linkcode ApiCaller} is made for. */
export interface CallerTerms {
  /** Calls other APIs. */
  readonly app?: ConfidentialClientApplication | undefined;
  /** Whether that stands for many tenants: then the caller's is asked. */
  readonly isShared: boolean;
  /** Sends the requests to other APIs. */
  readonly fetch?: FetchFunction | undefined;
  /** Hears why the authority refused to act on behalf of a caller. */
  onRefused(error: object, tenantId: string | undefined, scopes: readonly string[]): void;
}

/** The token is in private members, which neither JSON nor an inspection shows. */
export class Caller implements ApiCaller {
  readonly kind: "delegated" | "app";
  readonly claims: AccessTokenClaims;
  readonly scopes: readonly string[];
  readonly roles: readonly string[];
  readonly tenantId: string | undefined;
  readonly callerId: string;
  readonly clientId: string | undefined;
  readonly expiresOn: Date;
  readonly #token: string;
  readonly #terms: CallerTerms;
  readonly #waitUntil: WaitUntil | "detached" | undefined;

  constructor(
    validated: ValidatedAccessToken,
    token: string,
    terms: CallerTerms,
    waitUntil: WaitUntil | "detached" | undefined,
  ) {
    this.kind = validated.kind;
    this.claims = validated.claims;
    this.scopes = validated.scopes;
    this.roles = validated.roles;
    this.tenantId = validated.tenantId;
    this.callerId = validated.callerId;
    this.clientId = validated.clientId;
    this.expiresOn = validated.expiresOn;
    this.#token = token;
    this.#terms = terms;
    this.#waitUntil = waitUntil;
  }

  async acquireToken(request: Omit<OnBehalfOfRequest, "userAssertion">): Promise<AuthenticationResult> {
    const { app, isShared, onRefused } = this.#terms;
    if (app === undefined) refuse("invalid_request", "app", "createApiAuth was given none");
    if (this.kind === "app") {
      // the authority would answer with something about grants.
      refuse("invalid_request", "caller", "an app calls, on behalf of nobody: use acquireTokenForClient");
    }
    const tenantId = request?.tenantId ?? (isShared ? this.tenantId : undefined);
    const waitUntil = request?.waitUntil ?? this.#waitUntil;
    try {
      return await app.acquireTokenOnBehalfOf({
        ...request,
        tenantId,
        waitUntil,
        userAssertion: this.#token,
      });
    } catch (error) {
      // No other error is about consent, and the request may be anything then.
      const isRefused = isAuthError(error) && error.name === "InteractionRequiredAuthError";
      if (isRefused) onRefused(error, tenantId, request.scopes);
      throw error;
    }
  }

  fetch({ scopes, origins, fetch = this.#terms.fetch }: ApiFetchOptions): AuthorizedFetch {
    return createAuthorizedFetch({
      origins,
      acquireToken: (challenge) => this.acquireToken({ scopes, ...challenge }),
      fetch,
    });
  }
}
