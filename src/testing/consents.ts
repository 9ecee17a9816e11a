/**
 * What users have consented to.
 *
 * @module
 */
import type { App, User } from "./declared.ts";
import type { Directory } from "./directory.ts";
import { namesMeant, type RequestedScopes } from "./requested_scopes.ts";

/** The consents of one authority. There are no more of them than users times scopes. */
export class Consents {
  readonly #directory: Directory;
  readonly #given = new Set<string>();

  constructor(directory: Directory) {
    this.#directory = directory;
  }

  /** The scopes, as they were asked for, that the user has not consented to. */
  missing(app: App, user: User, requested: RequestedScopes): string[] {
    if (!app.requireConsent) return [];
    return this.#keys(app, user, requested).filter(({ key }) => !this.#given.has(key)).map(({ name }) =>
      name
    );
  }

  /** Remembers what the user consented to. */
  record(app: App, user: User, requested: RequestedScopes): void {
    for (const { key } of this.#keys(app, user, requested)) this.#given.add(key);
  }

  #keys(app: App, user: User, requested: RequestedScopes): { key: string; name: string }[] {
    const keyOf = (scope: string): string => `${app.clientId}|${user.username}|${scope}`;
    const oidc = requested.oidc.map((name) => ({ key: keyOf(name), name }));
    return oidc.concat(requested.resources.flatMap((entry) => {
      const { resource, prefix } = entry;
      const free = this.#directory.delegated(app, resource);
      const names = namesMeant(this.#directory, app, entry).filter((name) => !free.includes(name));
      return names.map((name) => ({ key: keyOf(`${resource.appId}/${name}`), name: `${prefix}${name}` }));
    }));
  }
}
