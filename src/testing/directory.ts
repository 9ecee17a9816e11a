/**
 * The tenants, apps and resources of an authority, checked and made easy to find.
 *
 * @module
 */
import { CLOUDS, GRAPH_APP_ID } from "./clouds.ts";
import type {
  AppDeclaration,
  LocalAuthorityDefaults,
  LocalAuthorityOptions,
  ResourceDeclaration,
  SecretDeclaration,
  TenantDeclaration,
} from "./options.ts";

/** A tenant, with all of its names in lower case. */
export interface Tenant {
  readonly id: string;
  readonly domains: readonly string[];
  readonly name: string;
}

/** An app, with its defaults filled in. */
export interface App {
  readonly clientId: string;
  readonly name: string;
  readonly secrets: readonly SecretDeclaration[];
  /** The ids of the tenants it is installed in. */
  readonly tenants: readonly string[];
  readonly appRoles: Readonly<Record<string, readonly string[]>>;
  readonly optionalClaims: readonly string[];
}

/** A user as one tenant knows it: the home object, or a guest object elsewhere. */
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

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

const BUILT_IN_TENANT: TenantDeclaration = {
  id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
  domains: ["contoso.onmicrosoft.com"],
  name: "Contoso",
};
const GRAPH: ResourceDeclaration = {
  identifierUris: [...new Set(CLOUDS.map((cloud) => `https://${cloud.graphHost}`))],
  appId: GRAPH_APP_ID,
  accessTokenVersion: 1,
  optionalClaims: ["idtyp"],
};
const BUILT_IN_APP: AppDeclaration = {
  clientId: "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924",
  name: "Local daemon",
  secrets: ["local~Q8-secret-not-for-production"],
  appRoles: { "https://graph.microsoft.com": ["Organization.Read.All"] },
};

/** Whether a string has the shape of a GUID. */
export function isGuid(value: string): boolean {
  return GUID.test(value);
}

function requireGuid(value: string, what: string): string {
  if (!isGuid(value)) throw new TypeError(`Cannot declare ${what}: "${value}" is not a GUID`);
  return value.toLowerCase();
}

function requireDistinct(values: readonly string[], what: string): void {
  const twice = values.find((value, index) => values.indexOf(value) !== index);
  if (twice !== undefined) throw new TypeError(`Cannot declare ${what} twice: "${twice}"`);
}

function tenantOf(declared: TenantDeclaration): Tenant {
  const id = requireGuid(declared.id, "a tenant");
  const domains = (declared.domains ?? []).map((domain) => domain.toLowerCase());
  return { id, domains, name: declared.name ?? domains[0] ?? id };
}

function appOf(declared: AppDeclaration, tenants: readonly Tenant[]): App {
  const known = tenants.map((tenant) => tenant.id);
  const installed = declared.tenants?.map((id) => id.toLowerCase()) ?? known;
  const unknown = installed.find((id) => !known.includes(id));
  if (unknown !== undefined) {
    throw new TypeError(`Cannot install an app: tenant "${unknown}" is not declared`);
  }
  return {
    clientId: requireGuid(declared.clientId, "an app"),
    name: declared.name ?? declared.clientId,
    secrets: (declared.secrets ?? []).map((secret) =>
      typeof secret === "string" ? { value: secret } : secret
    ),
    tenants: installed,
    appRoles: declared.appRoles ?? {},
    optionalClaims: declared.optionalClaims ?? [],
  };
}

function resourceOf(declared: ResourceDeclaration): Resource {
  return {
    identifierUris: declared.identifierUris,
    appId: requireGuid(declared.appId, "a resource"),
    accessTokenVersion: declared.accessTokenVersion ?? 1,
    optionalClaims: declared.optionalClaims ?? [],
  };
}

function withoutSlash(uri: string): string {
  return uri.endsWith("/") ? uri.slice(0, -1) : uri;
}

/** Finds what was declared. */
export class Directory {
  readonly #tenants: readonly Tenant[];
  readonly #apps: readonly App[];
  readonly #resources: readonly Resource[];

  /** Checks the declarations. Throws a `TypeError` that names the wrong one. */
  constructor(options: LocalAuthorityOptions) {
    this.#tenants = (options.tenants ?? [BUILT_IN_TENANT]).map(tenantOf);
    this.#apps = (options.apps ?? [BUILT_IN_APP]).map((app) => appOf(app, this.#tenants));
    const resources = (options.resources ?? []).map(resourceOf);
    const hasGraph = resources.some((resource) => resource.appId === GRAPH_APP_ID);
    this.#resources = hasGraph ? resources : [...resources, resourceOf(GRAPH)];
    requireDistinct(this.#tenants.flatMap((tenant) => [tenant.id, ...tenant.domains]), "a tenant");
    requireDistinct(this.#apps.map((app) => app.clientId), "an app");
    requireDistinct(this.#resources.flatMap((r) => [r.appId, ...r.identifierUris]), "a resource");
  }

  /** The first tenant, app and resource, as an example uses them. */
  get defaults(): LocalAuthorityDefaults {
    const [tenant] = this.#tenants;
    const [app] = this.#apps;
    const [resource] = this.#resources;
    return {
      tenantId: tenant?.id ?? "",
      domain: tenant?.domains[0] ?? tenant?.id ?? "",
      clientId: app?.clientId ?? "",
      clientSecret: app?.secrets[0]?.value ?? "",
      scope: `${resource?.identifierUris[0] ?? resource?.appId}/.default`,
    };
  }

  /** The tenant with this id or domain; case does not matter. */
  tenant(idOrDomain: string): Tenant | undefined {
    const wanted = idOrDomain.toLowerCase();
    return this.#tenants.find((tenant) => tenant.id === wanted || tenant.domains.includes(wanted));
  }

  /** The app with this client id, if it is installed in the tenant. */
  app(clientId: string, tenant: Tenant): App | undefined {
    const wanted = clientId.toLowerCase();
    return this.#apps.find((app) => app.clientId === wanted && app.tenants.includes(tenant.id));
  }

  /** The resource with this identifier URI (one trailing slash more or less does not matter) or app id. */
  resource(identifier: string): Resource | undefined {
    const wanted = withoutSlash(identifier);
    return this.#resources.find((resource) =>
      resource.appId === wanted.toLowerCase() ||
      resource.identifierUris.some((uri) => withoutSlash(uri) === wanted)
    );
  }

  /** The application permissions that an app has on a resource. */
  roles(app: App, resource: Resource): readonly string[] {
    const granted = Object.entries(app.appRoles).filter(([name]) => this.resource(name) === resource);
    return granted.flatMap(([, roles]) => roles);
  }
}
