/**
 * A credential for Azure's clients.
 *
 * @module
 */

import { ClientAuthError, refuse } from "../errors/errors.ts";
import { systemClock } from "../runtime/clock.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { withinLimits } from "./limits.ts";
import type { AzureAccessToken, AzureTokenCredential, GetTokenOptions } from "./token_credential_types.ts";
import {
  type CredentialRequest,
  type CredentialResult,
  type OpenedSource,
  openSource,
  requireAllowedTenant,
  type TokenSource,
} from "./token_source.ts";

/** What {@linkcode createTokenCredential} takes beside the source. */
export interface TokenCredentialOptions {
  /**
   * Tenants, beside that of the application and its `allowedTenants`, that an API may ask for; `"*"` is any. An application whose
   * authority stands for many tenants, without `allowedTenants`, gets tokens of any tenant.
   *
   * @default {[]}
   */
  readonly additionallyAllowedTenants?: readonly string[] | undefined;
  /** Keeps work alive after the response: `(promise) => ctx.waitUntil(promise)` on Workers. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
}

const CAPABILITY = "cp1";
const CAE_CLAIMS = `{"access_token":{"xms_cc":{"values":["${CAPABILITY}"]}}}`;

/** A token that Azure's clients can send. */
function toAzureToken(result: CredentialResult): AzureAccessToken {
  const { accessToken, tokenType, expiresOn, refreshOn } = Object(result) as CredentialResult;
  const expiresOnTimestamp = Number(expiresOn);
  const isToken = typeof accessToken === "string" && accessToken !== "" && expiresOnTimestamp > 0;
  if (!isToken || (tokenType !== "Bearer" && tokenType !== "pop")) {
    throw new ClientAuthError(
      "unexpected_error",
      "Cannot get a token: the source gave none of a type that is known",
    );
  }
  const token = { token: accessToken, expiresOnTimestamp, tokenType };
  return refreshOn === undefined ? token : { ...token, refreshAfterTimestamp: refreshOn.getTime() };
}

function requireCredentialScopes(scopes: unknown): string[] {
  const list: unknown[] = Array.isArray(scopes) ? scopes : [scopes];
  const isText = (scope: unknown): scope is string => typeof scope === "string" && scope !== "";
  if (list.length > 0 && list.every(isText)) return [...new Set(list)];
  refuse("invalid_scopes", "scopes", "they must be scopes of one API");
}

/** What the application is asked for. */
function toRequest(
  scopes: unknown,
  { claims, tenantId, enableCae, proofOfPossessionOptions }: GetTokenOptions,
  { configuration, isAppOnly }: OpenedSource,
  { additionallyAllowedTenants = [], waitUntil }: TokenCredentialOptions,
): CredentialRequest {
  if (proofOfPossessionOptions !== undefined) {
    refuse(
      "invalid_request",
      "proofOfPossessionOptions",
      "tokens with proof of possession are not supported",
    );
  }
  if (tenantId !== undefined && configuration) {
    requireAllowedTenant(tenantId, configuration, additionallyAllowedTenants);
  }
  // Part of the token's identity in the cache: a client that cannot answer challenges gets another token.
  const isDeclared = configuration?.clientCapabilities.includes(CAPABILITY);
  const forwardedClientClaims = enableCae && isAppOnly && !isDeclared ? CAE_CLAIMS : undefined;
  return { scopes: requireCredentialScopes(scopes), claims, tenantId, waitUntil, forwardedClientClaims };
}

/**
 * Makes a credential for the clients of the Azure SDK: what `@azure/core-auth` calls a `TokenCredential`.
 *
 * Tokens are cached, shared and renewed by the application. A client that answers claims challenges (`enableCae`) gets a
 * token of the app with the capability `cp1`; users' tokens have it where the application's `clientCapabilities` say so.
 *
 * ```ts ignore
 * const secrets = new SecretClient("https://contoso.vault.azure.net", createTokenCredential(app));
 * ```
 *
 * @param source Whose tokens: an application's own, a user's, on behalf of a caller, or what a function gets.
 * @param options Which tenants an API may ask for, and `waitUntil`.
 * @returns The credential.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function createTokenCredential(
  source: TokenSource,
  options: TokenCredentialOptions = {},
): AzureTokenCredential {
  const opened = openSource(source);
  const clock = opened.configuration?.clock ?? systemClock;
  return {
    getToken: async (scopes, given) => {
      const limits = given ?? {};
      const request = toRequest(scopes, limits, opened, options);
      return toAzureToken(
        await withinLimits(clock, limits, (signal) => opened.acquire({ ...request, signal })),
      );
    },
  };
}
