/**
 * Which user, and which of their tenants, a request means.
 *
 * @module
 */

import { type Authority, isEntra, namesTenants } from "../authority/authority.ts";
import { MSA_TENANT } from "../authority/provider_document.ts";
import { GUID, isGuid, isSharedTenant, requireTenant } from "../authority/tenant.ts";
import { refuse } from "../errors/errors.ts";
import type { AccountInfo } from "../request/account_info.ts";
import { requireUserScopes } from "../request/scopes.ts";
import type { Configuration } from "./configuration.ts";

/** The home tenant, as the two forms of a home account id have it. */
const HOME_TENANT = new RegExp(`\\.(${GUID})$|/(${GUID})/[^#]*#`, "i");
/** What a home account id tells of where it is from: an issuer; or the policy behind a GUID, empty where there is none. */
const ISSUER_OR_POLICY = new RegExp(`^(?:(https?://[^#]*?)/?#|${GUID}-?(.*)\\.${GUID}$)`, "i");
/** An Entra user's id in all tenants. */
const ENTRA_HOME = new RegExp(`^${GUID}\\.${GUID}$`, "i");

/**
 * Checks an account.
 *
 * @param account What the caller gave.
 * @returns Its `homeAccountId`.
 * @throws {ClientConfigurationError} `invalid_account`.
 */
export function requireAccount(account: unknown): string {
  const id = typeof account === "string" ? account : (account as Partial<AccountInfo> | null)?.homeAccountId;
  // What is kept on behalf of a caller is nobody's account.
  // deno-lint-ignore no-control-regex -- control characters are what is looked for
  if (typeof id === "string" && id !== "" && id.length <= 1_024 && !/^obo#|[\u0000-\u001f]/.test(id)) {
    return id;
  }
  refuse(
    "invalid_account",
    "account",
    "it must be an account, or its homeAccountId",
  );
}

/**
 * The tenant that a request asks, as the path of the endpoints has it.
 *
 * @param authority The application's authority.
 * @param tenantId The request's tenant.
 * @returns The tenant; the application's own where the request has none.
 * @throws {ClientConfigurationError} `invalid_tenant`, or `invalid_request` where the authority is of one tenant.
 */
export function tenantOf(authority: Authority, tenantId: string | undefined): string {
  if (tenantId === undefined) return authority.tenant;
  if (authority.kind === "aad") return requireTenant(tenantId, "tenantId");
  refuse("invalid_request", "tenantId", "the authority is of one tenant, or has none: leave it out");
}

/**
 * The tenant of a user's tokens, where it follows without asking anybody.
 *
 * @param authority The application's authority.
 * @param tenant The tenant that is asked.
 * @param account The account: where many tenants are meant, its own counts.
 * @returns The realm; `undefined` for a domain name, whose tenant only its issuer tells.
 */
export function realmOfUser(
  authority: Authority,
  tenant: string,
  account: AccountInfo | string,
): string | undefined {
  if (!namesTenants(authority) || isGuid(tenant)) return tenant;
  if (!isSharedTenant(tenant)) return undefined;
  if (typeof account !== "string" && isGuid(account.tenantId)) return account.tenantId;
  const [, home, issuer] = HOME_TENANT.exec(requireAccount(account)) ?? [];
  return (home ?? issuer ?? tenant).toLowerCase();
}

/**
 * The scopes that a user's token is asked for with.
 *
 * @param configuration The application.
 * @param scopes What the caller gave.
 * @returns The scopes. Azure AD B2C gives no access token without any: there the client's own id stands for none.
 * @throws {ClientConfigurationError} `invalid_scopes`.
 * @see {@link https://learn.microsoft.com/en-us/azure/active-directory-b2c/access-tokens | Request an access token}
 */
export function userScopesOf(
  { authority, clientId }: Pick<Configuration, "authority" | "clientId">,
  scopes: unknown,
): readonly string[] {
  requireUserScopes(scopes, isEntra(authority));
  return scopes.length === 0 && authority.type === "b2c" ? [clientId] : scopes;
}

/** The tenant in an issuer's name; the tenant that was asked where there is none. */
export function realmOfIssuer(issuer: string, tenant: string): string {
  return new RegExp(GUID, "i").exec(issuer)?.[0].toLowerCase() ?? tenant;
}

/** The tenant to ask for a realm: personal accounts are asked for under their name. */
export function tenantOfRealm(realm: string): string {
  return realm === MSA_TENANT ? "consumers" : realm;
}

/** Where Entra keeps a user, as `X-AnchorMailbox` has it; only for an id of its own. */
export function anchorOf(homeAccountId: string): string | undefined {
  return ENTRA_HOME.test(homeAccountId) ? `Oid:${homeAccountId.replace(".", "@")}` : undefined;
}

/**
 * Whether an account is of another issuer, or of another B2C policy: its tokens must not be sent here. At one host there may
 * be many.
 *
 * @param authority The authority.
 * @param homeAccountId The account's id.
 * @returns `false` where the id does not tell.
 */
export function isOfOtherIssuer({ policy = "", rules }: Authority, homeAccountId: string): boolean {
  if (rules === undefined) return false;
  const [, issuer, named] = ISSUER_OR_POLICY.exec(homeAccountId) ?? [];
  return issuer === undefined
    ? named !== undefined && named.toLowerCase() !== policy
    : !rules.isIssuer(issuer);
}
