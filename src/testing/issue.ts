/**
 * Signs tokens without a request.
 *
 * @module
 */
import { signAppToken } from "./access_token.ts";
import type { App, Resource, Tenant, User } from "./declared.ts";
import type { Services } from "./exchange.ts";
import { signIdToken } from "./id_token.ts";
import { ID_TOKEN_LIFETIME_SECONDS } from "./lifetimes.ts";
import { LOGOUT_TOKEN_LIFETIME_SECONDS, signLogoutToken } from "./logout_token.ts";
import type {
  AppTokenOptions,
  IdTokenOptions,
  IssuedTokenOptions,
  LogoutTokenOptions,
  UserTokenOptions,
} from "./token_options.ts";
import { issuingOf } from "./shapes/issued.ts";
import { signUserToken } from "./user_token.ts";
import { objectIdIn } from "./user_tenant.ts";

function required<T>(value: T | undefined, what: string): T {
  if (value === undefined) throw new TypeError(`Cannot issue a token: no such ${what}`);
  return value;
}

function userNamed(services: Services, options: { readonly username?: string; readonly tenant?: string }): {
  user: User;
  tenant: Tenant;
} {
  const { directory } = services;
  const user = required(directory.user(options.username ?? directory.defaults.username), "user");
  const named = options.tenant === undefined ? user.tenant : directory.tenant(options.tenant);
  const tenant = required(named, "tenant");
  required(objectIdIn(user, tenant), "user in the tenant");
  return { user, tenant };
}

function appNamed({ directory }: Services, { clientId }: IssuedTokenOptions, tenant: Tenant): App {
  return required(directory.app(clientId ?? directory.defaults.clientId, tenant), "app");
}

function resourceNamed({ directory }: Services, audience: string): Resource {
  return required(directory.resource(audience), "resource");
}

function withoutName(scope: string): string {
  return scope.slice(0, scope.lastIndexOf("/"));
}

/** Signs an access token for an app. Throws a `TypeError` when something is not declared. */
export async function issueAppToken(
  services: Services,
  options: AppTokenOptions,
): Promise<string> {
  const { directory } = services;
  const audience = options.resource ?? withoutName(directory.defaults.scope);
  const tenant = required(directory.tenant(options.tenant ?? directory.defaults.tenantId), "tenant");
  const app = appNamed(services, options, tenant);
  const resource = resourceNamed(services, audience);
  return await signAppToken(
    {
      tenant,
      app,
      resource,
      audience,
      roles: options.roles ?? directory.roles(app, resource),
      ...issuingOf(tenant, options),
      nowMs: services.clock.now(),
      lifetimeSeconds: options.lifetimeSeconds ?? services.tokenLifetimeSeconds,
      extraClaims: options.claims ?? {},
    },
    await services.keys.current(),
    options,
  );
}

/** Signs an access token for a user. Throws a `TypeError` when something is not declared. */
export async function issueUserToken(
  services: Services,
  options: UserTokenOptions,
): Promise<string> {
  const { directory } = services;
  const { user, tenant } = userNamed(services, options);
  const app = appNamed(services, options, tenant);
  const audience = options.resource ?? withoutName(directory.defaults.userScope);
  const resource = resourceNamed(services, audience);
  return await signUserToken(
    {
      tenant,
      app,
      user,
      resource,
      audience,
      scopes: options.scopes ?? directory.delegated(app, resource),
      signedIn: {
        mfa: options.mfa ?? false,
        authTimeSeconds: Math.floor(services.clock.now() / 1000),
        sid: crypto.randomUUID(),
      },
      contexts: options.acrs ?? [],
      ...issuingOf(tenant, options),
      nowMs: services.clock.now(),
      lifetimeSeconds: options.lifetimeSeconds ?? services.tokenLifetimeSeconds,
      validFromSeconds: services.revocations.validFromSeconds(user),
      extraClaims: {
        ...(options.capabilities ? { xms_cc: options.capabilities } : {}),
        ...options.claims,
      },
    },
    await services.keys.current(),
    options,
  );
}

/** Signs an ID token. Throws a `TypeError` when something is not declared. */
export async function issueIdToken(
  services: Services,
  options: IdTokenOptions,
): Promise<string> {
  const { user, tenant } = userNamed(services, options);
  return await signIdToken(
    {
      tenant,
      app: appNamed(services, options, tenant),
      user,
      scopes: options.scopes ?? ["openid", "profile", "email"],
      nonce: options.nonce,
      authTimeSeconds: options.authTimeSeconds,
      contexts: [],
      sid: undefined,
      loginHint: false,
      accessToken: options.accessToken,
      ...issuingOf(tenant, options),
      nowMs: services.clock.now(),
      lifetimeSeconds: options.lifetimeSeconds ?? ID_TOKEN_LIFETIME_SECONDS,
    },
    await services.keys.current(),
    options,
  );
}

/** Signs a logout token. Throws a `TypeError` when something is not declared. */
export async function issueLogoutToken(
  services: Services,
  options: LogoutTokenOptions,
): Promise<string> {
  const { user, tenant } = userNamed(services, options);
  return await signLogoutToken(
    {
      tenant,
      app: appNamed(services, options, tenant),
      user,
      sid: options.sid ?? services.sessions.latestOf(user)?.sid,
      ...issuingOf(tenant, options),
      nowMs: services.clock.now(),
      lifetimeSeconds: options.lifetimeSeconds ?? LOGOUT_TOKEN_LIFETIME_SECONDS,
      extraClaims: options.claims ?? {},
    },
    await services.keys.current(),
    options,
  );
}
