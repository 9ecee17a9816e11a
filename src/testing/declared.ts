/**
 * Declarations, checked and with their defaults filled in.
 *
 * @module
 */
import { type DeclaredKeys, keysOf } from "./app_keys.ts";
import { GRAPH_SCOPES } from "./built_in.ts";
import { CONSUMERS_TENANT_ID, GRAPH_APP_ID } from "./clouds.ts";
import { guidFor, isGuid, personalIdFor } from "./guid.ts";
import type {
  AppAudience,
  AppDeclaration,
  ResourceDeclaration,
  SecretDeclaration,
  TenantDeclaration,
  UserDeclaration,
} from "./options.ts";
import { type DeclaredShape, shapeDeclared } from "./shapes/declared_shape.ts";

/** A tenant, with all of its names in lower case. */
export interface Tenant extends DeclaredShape {
  readonly id: string;
  readonly domains: readonly string[];
  readonly name: string;
}

/** An app, with its defaults filled in. */
export interface App extends DeclaredKeys {
  readonly clientId: string;
  readonly name: string;
  readonly secrets: readonly SecretDeclaration[];
  /** The ids of the tenants it is installed in. */
  readonly tenants: readonly string[];
  readonly appRoles: Readonly<Record<string, readonly string[]>>;
  readonly optionalClaims: readonly string[];
  readonly redirectUris: readonly string[];
  readonly publicClient: boolean;
  readonly audience: AppAudience;
  readonly familyId: "1" | undefined;
  readonly delegatedScopes: Readonly<Record<string, readonly string[]>> | undefined;
  readonly requireConsent: boolean;
  readonly logoutUris: readonly string[];
  readonly backChannelLogoutUris: readonly string[];
}

/** A user as another tenant than the home tenant knows it. */
export interface Guest {
  readonly tenant: Tenant;
  /** The object id there. */
  readonly id: string;
}

/** A user, with its defaults filled in. */
export interface User {
  /** The user principal name, in lower case. */
  readonly username: string;
  /** The object id in the home tenant. */
  readonly id: string;
  /** The home tenant. */
  readonly tenant: Tenant;
  readonly password: string;
  readonly name: string;
  readonly email: string | undefined;
  readonly emailVerified: boolean | undefined;
  /** Whether the user can pass multi-factor authentication. */
  readonly mfa: boolean;
  readonly guestOf: readonly Guest[];
  /** Whether this is a Microsoft account. */
  readonly personal: boolean;
}

/** A resource, with its defaults filled in. */
export type Resource = Required<ResourceDeclaration>;

/** The tenant of all Microsoft accounts. */
export const CONSUMERS: Tenant = {
  ...shapeDeclared({}, CONSUMERS_TENANT_ID, []),
  id: CONSUMERS_TENANT_ID,
  domains: [],
  name: "Microsoft accounts",
};

const DEFAULT_PASSWORD = "local-password";

function requireGuid(value: string, what: string): string {
  if (!isGuid(value)) throw new TypeError(`Cannot declare ${what}: "${value}" is not a GUID`);
  return value.toLowerCase();
}

/** Throws a `TypeError` if a name is there twice. */
export function requireDistinct(values: readonly string[], what: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new TypeError(`Cannot declare ${what} twice: "${twice}"`);
}

/** Reads the declaration of a tenant. */
export function tenantOf(declared: TenantDeclaration): Tenant {
  const id = requireGuid(declared.id, "a tenant");
  const domains = (declared.domains ?? []).map((domain) => domain.toLowerCase());
  return { ...shapeDeclared(declared, id, domains), id, domains, name: declared.name ?? domains[0] ?? id };
}

function installedIn(declared: AppDeclaration, tenants: readonly Tenant[]): readonly string[] {
  const known = tenants.map((tenant) => tenant.id);
  const installed = declared.tenants?.map((id) => id.toLowerCase()) ?? known;
  const unknown = installed.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot install an app: tenant "${unknown}" is not declared`);
  }
  return declared.audience === "single" ? installed.slice(0, 1) : installed;
}

function requireRedirectUri(uri: string): string {
  if (URL.canParse(uri) && !uri.includes("#")) return uri;
  throw new TypeError(`Cannot declare an app: "${uri}" is not an absolute URI without a fragment`);
}

/** Reads the declaration of an app. */
export function appOf(declared: AppDeclaration, tenants: readonly Tenant[]): App {
  return {
    clientId: requireGuid(declared.clientId, "an app"),
    name: declared.name ?? declared.clientId,
    secrets: (declared.secrets ?? []).map((secret) =>
      typeof secret === "string" ? { value: secret } : secret
    ),
    ...keysOf(declared),
    tenants: installedIn(declared, tenants),
    appRoles: declared.appRoles ?? {},
    optionalClaims: declared.optionalClaims ?? [],
    redirectUris: (declared.redirectUris ?? []).map(requireRedirectUri),
    publicClient: declared.publicClient ?? false,
    audience: declared.audience ?? "multi_and_personal",
    familyId: declared.familyId,
    delegatedScopes: declared.delegatedScopes,
    requireConsent: declared.requireConsent ?? false,
    logoutUris: declared.logoutUris ?? [],
    backChannelLogoutUris: declared.backChannelLogoutUris ?? [],
  };
}

/** Reads the declaration of a resource. */
export function resourceOf(declared: ResourceDeclaration): Resource {
  const appId = requireGuid(declared.appId, "a resource");
  return {
    identifierUris: declared.identifierUris,
    appId,
    accessTokenVersion: declared.accessTokenVersion ?? 1,
    optionalClaims: declared.optionalClaims ?? [],
    scopes: declared.scopes ?? (appId === GRAPH_APP_ID ? GRAPH_SCOPES : []),
    requiresMfa: declared.requiresMfa ?? false,
  };
}

function tenantNamed(name: string, tenants: readonly Tenant[]): Tenant {
  const wanted = name.toLowerCase();
  const found = tenants.find(({ id, domains }) => id === wanted || domains.includes(wanted));
  if (!found) throw new TypeError(`Cannot declare a user: tenant "${name}" is not declared`);
  return found;
}

function homeOf(declared: UserDeclaration, tenants: readonly Tenant[]): Tenant {
  if (declared.personal) return CONSUMERS;
  const home = declared.tenant === undefined ? tenants[0] : tenantNamed(declared.tenant, tenants);
  if (!home) throw new TypeError("Cannot declare a user: there is no tenant");
  return home;
}

/** Reads the declaration of a user. */
export function userOf(declared: UserDeclaration, tenants: readonly Tenant[]): User {
  const username = declared.username.toLowerCase();
  const { personal = false } = declared;
  const derivedId = personal ? personalIdFor(username) : guidFor(username);
  const guestOf = (declared.guestOf ?? []).map((guest) => {
    const tenant = tenantNamed(guest.tenant, tenants);
    return { tenant, id: requireGuid(guest.id ?? guidFor(`${username}:${tenant.id}`), "a guest") };
  });
  return {
    username,
    id: requireGuid(declared.id ?? derivedId, "a user"),
    tenant: homeOf(declared, tenants),
    password: declared.password ?? DEFAULT_PASSWORD,
    name: declared.name ?? declared.username.replace(/@.*/, ""),
    email: declared.email,
    emailVerified: declared.emailVerified,
    mfa: declared.mfa ?? true,
    guestOf,
    personal,
  };
}
