/**
 * Where the tokens of a credential come from.
 *
 * @module
 */

import { isSharedTenant } from "../authority/tenant.ts";
import { openApplication } from "../client/client_application.ts";
import type { Configuration } from "../client/configuration.ts";
import type { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import type { PublicClientApplication } from "../client/public_client_application.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import type { AccountInfo } from "../request/account_info.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import type { WaitUntil } from "../runtime/web_types.ts";

/** What a credential asks for. It fits the methods of the applications. */
export interface CredentialRequest {
  /** Scopes of one API. */
  readonly scopes: readonly string[];
  /** A claims challenge, JSON text. */
  readonly claims?: string | undefined;
  /** Another tenant. */
  readonly tenantId?: string | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
  /** Keeps work alive after the response. */
  readonly waitUntil?: WaitUntil | "detached" | undefined;
  /** Claims of the client's own: the capability `cp1`, for an app whose client asks for it. */
  readonly forwardedClientClaims?: string | undefined;
}

/** What is needed of a result. */
export type CredentialResult = Pick<
  AuthenticationResult,
  "accessToken" | "expiresOn" | "refreshOn" | "tokenType"
>;

/** A user who signed in before. */
export interface UserTokenSource {
  /** The application that they signed in to. */
  readonly app: ConfidentialClientApplication | PublicClientApplication;
  /** The account, or its `homeAccountId`. */
  readonly account: AccountInfo | string;
}

/** The user who calls this API. */
export interface CallerTokenSource {
  /** This API. */
  readonly app: ConfidentialClientApplication;
  /** The access token that it was called with, validated. */
  readonly userAssertion: string;
}

/**
 * Whose tokens: an application's own, a user's, those on behalf of a caller, or what a function gets, such as
 * `(request) => managedIdentity.acquireTokenForClient(request)`. The function judges the `tenantId` itself.
 */
export type TokenSource =
  | ConfidentialClientApplication
  | UserTokenSource
  | CallerTokenSource
  | ((request: CredentialRequest) => Promise<CredentialResult>);

/** A source, opened. */
export interface OpenedSource {
  /** Gets a token. */
  readonly acquire: (request: CredentialRequest) => Promise<CredentialResult>;
  /** The options of the application; none for a function. */
  readonly configuration?: Configuration;
  /** Whether the tokens are the application's own. */
  readonly isAppOnly: boolean;
}

function configurationOf(app: ConfidentialClientApplication | PublicClientApplication): Configuration {
  try {
    return openApplication(app).engine.configuration;
  } catch {
    refuse(
      "invalid_option",
      "source",
      "it must be an application, { app, account }, { app, userAssertion } or a function",
    );
  }
}

/**
 * Opens a source.
 *
 * @param source The source.
 * @returns How to get its tokens.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function openSource(source: TokenSource): OpenedSource {
  if (typeof source === "function") {
    return { acquire: (request) => called(source, request), isAppOnly: false };
  }
  if (source !== null && typeof source === "object" && "app" in source) return openUserSource(source);
  const configuration = configurationOf(source);
  if (typeof source.acquireTokenForClient !== "function") {
    refuse("invalid_option", "source", "a public client has no tokens of its own: name the account");
  }
  return { acquire: (request) => source.acquireTokenForClient(request), configuration, isAppOnly: true };
}

function openUserSource(source: UserTokenSource | CallerTokenSource): OpenedSource {
  const { app } = source;
  const opened = { configuration: configurationOf(app), isAppOnly: false };
  if ("account" in source && !("userAssertion" in source)) {
    const { account } = source;
    return { ...opened, acquire: (request) => app.acquireTokenSilent({ ...request, account }) };
  }
  const { userAssertion } = source as CallerTokenSource;
  if ("account" in source || typeof userAssertion !== "string" || userAssertion === "") {
    refuse("invalid_option", "source", "it must have either an account or a userAssertion");
  }
  if (!("acquireTokenOnBehalfOf" in app)) {
    refuse("invalid_option", "source.app", "only a confidential client acts on behalf of a user");
  }
  return { ...opened, acquire: (request) => app.acquireTokenOnBehalfOf({ ...request, userAssertion }) };
}

async function called(
  acquire: (request: CredentialRequest) => Promise<CredentialResult>,
  request: CredentialRequest,
): Promise<CredentialResult> {
  try {
    return await acquire(request);
  } catch (error) {
    if (isAuthError(error)) throw error;
    throw new ClientAuthError("unexpected_error", `Cannot get a token: the source threw ${nameOf(error)}`);
  }
}

/**
 * Checks the tenant that an API's challenge names: a hostile API could name one of its own.
 *
 * @param tenantId The tenant.
 * @param configuration The application's options.
 * @param others The tenants that are allowed besides; `"*"` for any.
 * @throws {ClientConfigurationError} `invalid_tenant`.
 */
export function requireAllowedTenant(
  tenantId: string,
  { authority: { tenant }, allowedTenants }: Configuration,
  others: readonly string[],
): void {
  const isNamed = (names: readonly string[]): boolean =>
    names.some((name) => name.toLowerCase() === String(tenantId).toLowerCase());
  if (others.includes("*") || isNamed([tenant, ...others])) return;
  if (allowedTenants === "any" ? isSharedTenant(tenant) : isNamed(allowedTenants)) return;
  const why =
    "the API asks for a token of another tenant: list it in additionallyAllowedTenants if that is meant";
  refuse("invalid_tenant", "tenantId", why);
}
