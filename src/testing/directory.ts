/**
 * The tenants, users, apps and resources of an authority, easy to find.
 *
 * @module
 */
import { BUILT_IN_APPS, BUILT_IN_TENANT, builtInUser, GRAPH, TOKEN_EXCHANGE } from "./built_in.ts";
import { CONSUMERS_TENANT_ID, GRAPH_APP_ID } from "./clouds.ts";
import type { LocalAuthorityDefaults } from "./defaults.ts";
import {
  type App,
  appOf,
  CONSUMERS,
  requireDistinct,
  type Resource,
  resourceOf,
  type Tenant,
  tenantOf,
  type User,
  userOf,
} from "./declared.ts";
import type { LocalAuthorityOptions } from "./options.ts";
import type { TenantKind } from "./shape_options.ts";

function withoutSlash(uri: string): string {
  return uri.endsWith("/") ? uri.slice(0, -1) : uri;
}

/** Finds what was declared. */
export class Directory {
  /** All users, in the order in which they were declared. */
  readonly users: readonly User[];
  /** All apps, in the order in which they were declared. */
  readonly apps: readonly App[];
  readonly #tenants: readonly Tenant[];
  readonly #resources: readonly Resource[];

  /** Checks the declarations. Throws a `TypeError` that names the wrong one. */
  constructor(options: LocalAuthorityOptions) {
    this.#tenants = (options.tenants ?? [BUILT_IN_TENANT]).map(tenantOf);
    this.apps = (options.apps ?? BUILT_IN_APPS).map((app) => appOf(app, this.#tenants));
    const resources = (options.resources ?? []).map(resourceOf);
    const builtIns = [GRAPH, TOKEN_EXCHANGE].map(resourceOf).filter(({ appId, identifierUris: [uri = ""] }) =>
      !resources.some((resource) =>
        resource.appId === appId || (appId !== GRAPH_APP_ID && resource.identifierUris.includes(uri))
      )
    );
    this.#resources = [...resources, ...builtIns];
    requireDistinct(this.#tenants.flatMap((tenant) => [tenant.id, ...tenant.domains]), "a tenant");
    requireDistinct(this.#tenants.flatMap(({ hosts }) => hosts), "the host of a tenant");
    requireDistinct(this.apps.map((app) => app.clientId), "an app");
    requireDistinct(this.#resources.flatMap((r) => [r.appId, ...r.identifierUris]), "a resource");
    const builtInUsers = this.#tenants.length > 0 ? [builtInUser(this.#domain)] : [];
    this.users = (options.users ?? builtInUsers).map((user) => userOf(user, this.#tenants));
    requireDistinct(this.users.map((user) => user.username), "a user");
  }

  /** The first tenant, user, app and resource, as an example uses them. */
  get defaults(): LocalAuthorityDefaults {
    const [app] = this.apps;
    const [resource] = this.#resources;
    const [user] = this.users;
    const delegated = this.#resources.find(({ scopes }) => scopes.length > 0);
    return {
      tenantId: this.#tenants[0]?.id ?? "",
      domain: this.#domain,
      clientId: app?.clientId ?? "",
      clientSecret: app?.secrets[0]?.value ?? "",
      scope: `${resource?.identifierUris[0] ?? resource?.appId}/.default`,
      username: user?.username ?? "",
      password: user?.password ?? "",
      publicClientId: this.apps.find(({ publicClient }) => publicClient)?.clientId ?? "",
      userScope: delegated
        ? `${delegated.identifierUris[0] ?? delegated.appId}/${delegated.scopes[0]}`
        : "openid",
    };
  }

  /** The tenant with this id or domain; case does not matter. */
  tenant(idOrDomain: string): Tenant | undefined {
    const wanted = idOrDomain.toLowerCase();
    const found = this.#tenants.find(({ id, domains }) => id === wanted || domains.includes(wanted));
    return found ?? (wanted === CONSUMERS_TENANT_ID ? CONSUMERS : undefined);
  }

  /** The tenant whose own host this is. */
  tenantAtHost(host: string): Tenant | undefined {
    return this.#tenants.find(({ hosts }) => hosts.includes(host));
  }

  /** The first tenant of a kind. */
  firstOf(kind: TenantKind): Tenant | undefined {
    return this.#tenants.find((tenant) => tenant.kind === kind);
  }

  /** The user with this name; case does not matter. */
  user(username: string): User | undefined {
    const wanted = username.trim().toLowerCase();
    return this.users.find((user) => user.username === wanted);
  }

  /** The app with this client id, if it is installed in the tenant; that of Microsoft accounts has all. */
  app(clientId: string, tenant: Tenant): App | undefined {
    const app = this.appAnywhere(clientId);
    return app && (tenant === CONSUMERS || app.tenants.includes(tenant.id)) ? app : undefined;
  }

  /** The app with this client id, wherever it is installed. */
  appAnywhere(clientId: string): App | undefined {
    const wanted = clientId.toLowerCase();
    return this.apps.find((app) => app.clientId === wanted);
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
    return this.#declaredFor(app.appRoles, resource) ?? [];
  }

  /** The delegated permissions that an app has on a resource without asking its users; what `/.default` stands for. */
  delegated(app: App, resource: Resource): readonly string[] {
    const declared = app.delegatedScopes && this.#declaredFor(app.delegatedScopes, resource);
    return declared ?? (app.requireConsent ? [] : resource.scopes);
  }

  get #domain(): string {
    const [tenant] = this.#tenants;
    return tenant?.domains[0] ?? tenant?.id ?? "";
  }

  #declaredFor(
    byResource: Readonly<Record<string, readonly string[]>>,
    resource: Resource,
  ): readonly string[] | undefined {
    const found = Object.entries(byResource).filter(([name]) => this.resource(name) === resource);
    return found.length > 0 ? found.flatMap(([, names]) => names) : undefined;
  }
}
