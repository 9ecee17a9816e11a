/**
 * Checks the options of a web application, and completes them.
 *
 * @module
 */

import { isEntra } from "../authority/authority.ts";
import { type ApplicationParts, openApplication } from "../client/client_application.ts";
import { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import type { Configuration } from "../client/configuration.ts";
import { createSealer, type Sealer } from "../crypto/seal.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { refuse } from "../errors/errors.ts";
import { isLoopback } from "../net/endpoint.ts";
import { requireUserScopes } from "../request/scopes.ts";
import { requireOptions, requireStore, type Store } from "../store/store.ts";
import { Cookies } from "./cookies.ts";
import type { WebAuthOptions, WebPaths } from "./options.ts";
import { Pages } from "./pages.ts";
import { isReturnPath, type ReturnRules } from "./return_path.ts";

/** Where the handlers are. */
export type PathNames = keyof WebPaths;

const PATHS: Readonly<Record<PathNames, string>> = {
  signIn: "/auth/sign-in",
  callback: "/auth/callback",
  signOut: "/auth/sign-out",
  signedOut: "/auth/signed-out",
  switchAccount: "/auth/switch-account",
  frontChannelLogout: "/auth/front-channel-logout",
  backChannelLogout: "/auth/back-channel-logout",
};
/** Letters that every router, proxy and registration understands alike. */
const PLAIN_PATH = /^(?:\/(?!\.{1,2}(?:\/|$))[\w.~-]+)+$/;
const CLAIM = /^[^\p{Cc}]{1,128}$/u;

/** Options, checked and complete. */
export interface WebSettings {
  /** Signs the users in. */
  readonly app: ConfidentialClientApplication;
  /** Its parts. */
  readonly parts: ApplicationParts;
  /** Its checked options. */
  readonly configuration: Configuration;
  /** This site's origin. */
  readonly origin: string;
  /** Where the handlers are. */
  readonly paths: Readonly<Record<PathNames, string>>;
  /** Where the authority's answers go (R-030). */
  readonly redirectUri: string;
  /** What counts as a page to come back to. */
  readonly returns: ReturnRules;
  /** The scopes that a sign-in asks for. */
  readonly scopes: readonly string[];
  /** Claims to keep. */
  readonly sessionClaims: readonly string[];
  /** How answers come. */
  readonly responseMode: "query" | "form_post";
  /** Cookies. */
  readonly cookies: Cookies;
  /** Whether the session's cookie is withheld where another site leads here. */
  readonly isStrict: boolean;
  /** Seals what a URL carries. */
  readonly urls: Sealer;
  /** Where sessions are kept on the server. */
  readonly store: Store | undefined;
  /** Sends pages. */
  readonly pages: Pages;
}

function siteOf(value: unknown): URL {
  const text = typeof value === "string" ? value : `${(value as Partial<URL> | null | undefined)?.href}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isSite = url !== undefined && url.href === `${url.origin}/` && /^[^\s\\]*$/.test(text) &&
    (url.protocol === "https:" || (url.protocol === "http:" && isLoopback(url)));
  if (isSite) return url;
  const why =
    "it must be this site's public address, such as https://app.example, without a path; http on localhost alone";
  refuse("invalid_option", "baseUrl", why);
}

function appOf(app: unknown): ApplicationParts {
  try {
    if (app instanceof ConfidentialClientApplication) return openApplication(app);
  } catch {
    // Of another copy of the package.
  }
  refuse("invalid_option", "app", "it must be a ConfidentialClientApplication of this package");
}

function pathsOf(given: WebPaths = {}): Readonly<Record<PathNames, string>> {
  const paths = { ...PATHS };
  for (const name of Object.keys(PATHS) as PathNames[]) {
    const path = given[name] ?? PATHS[name];
    if (typeof path !== "string" || path.length > 256 || !PLAIN_PATH.test(path)) {
      refuse(
        "invalid_option",
        `paths.${name}`,
        "it must be a path such as /auth/sign-in, without a slash at its end",
      );
    }
    paths[name] = path;
  }
  const folded = Object.entries(paths).map(([name, path]) => [name, path.toLowerCase()]);
  for (const [i, [name, path]] of folded.entries()) {
    if (folded.findIndex((other) => other[1] === path) !== i) {
      refuse("invalid_option", `paths.${name}`, `${path} is another handler's, too`);
    }
  }
  return paths;
}

/** Whoever may come from everywhere has to be meant (R-079). */
function requireTenants({ authority, saysAllowedTenants }: Configuration): void {
  const isOfMany = authority.kind === "aad" && /^(?:common|organizations)$/.test(authority.tenant);
  if (!isOfMany || saysAllowedTenants) return;
  const why =
    `${authority.base} lets in users of every tenant: give its allowedTenants, GUIDs, or "any" where that is meant`;
  refuse("invalid_option", "app", why);
}

function listOf(option: string, value: unknown, pattern: RegExp): readonly string[] {
  const isList = Array.isArray(value) &&
    value.every((item) => typeof item === "string" && pattern.test(item));
  return isList
    ? [...value]
    : refuse("invalid_option", option, 'it must be a list of names, such as ["roles"]');
}

/** A guard that is no option here would be passed over, and let everybody in. */
function requireNoGuards(options: object): void {
  for (const name of ["roles", "userRoles", "allowedApps", "acrs", "allowedTenants"]) {
    if ((options as Readonly<Record<string, unknown>>)[name] === undefined) continue;
    const why = "it guards nothing here: allowedTenants is app's, and handlers look at user.claims";
    refuse("invalid_option", name, why);
  }
}

/** Browsers take no cookie for a domain that the site is not in. */
function requireDomain(domain: string | undefined, host: string): void {
  if (domain === undefined || `.${host}`.endsWith(`.${`${domain}`.toLowerCase()}`)) return;
  refuse("invalid_option", "cookies.domain", `it must be ${host}, the host of baseUrl, or a domain above it`);
}

function returnsOf(
  origin: string,
  paths: WebSettings["paths"],
  homePath: unknown = "/",
): ReturnRules {
  const rules = { origin, ownPaths: Object.values(paths), homePath: "/" };
  if (isReturnPath(homePath, rules)) return { ...rules, homePath };
  refuse(
    "invalid_option",
    "homePath",
    "it must be the path of a page of this site, and none of the handlers",
  );
}

function asOption<T>(option: string, check: () => T): T {
  try {
    return check();
  } catch (error) {
    if (isAuthError(error)) refuse("invalid_option", option, error.message);
    throw error;
  }
}

/**
 * Checks the options of a web application. Nothing is sent and nothing is read.
 *
 * @param options The options.
 * @returns The settings.
 * @throws {ClientConfigurationError} that names the option and how to mend it.
 */
export function resolveWebSettings(options: WebAuthOptions): WebSettings {
  requireOptions(options);
  requireNoGuards(options);
  const { app, cookieSecret, scopes = [], sessionStore, responseMode = "query", renderPage } = options;
  const parts = appOf(app);
  const { configuration } = parts.engine;
  requireTenants(configuration);
  const { hostname, origin, protocol } = siteOf(options.baseUrl);
  const paths = pathsOf(options.paths);
  asOption("scopes", () => requireUserScopes(scopes, isEntra(configuration.authority)));
  if (responseMode !== "query" && responseMode !== "form_post") {
    refuse("invalid_option", "responseMode", "it must be query or form_post");
  }
  if (renderPage !== undefined && typeof renderPage !== "function") {
    refuse("invalid_option", "renderPage", "it must be a function");
  }
  const { prefix = "auth", sameSite = "Lax", domain } = options.cookies ?? {};
  requireDomain(domain, hostname);
  return {
    app,
    parts,
    configuration,
    origin,
    paths,
    redirectUri: origin + paths.callback,
    returns: returnsOf(origin, paths, options.homePath),
    scopes: [...scopes],
    sessionClaims: listOf("sessionClaims", options.sessionClaims ?? [], CLAIM),
    responseMode,
    isStrict: sameSite === "Strict",
    cookies: new Cookies({ prefix, sameSite, domain, secure: protocol === "https:" }),
    urls: createSealer(cookieSecret, "web step", "cookieSecret"),
    store: sessionStore === undefined ? undefined : requireStore(sessionStore, "sessionStore"),
    pages: new Pages(renderPage, new URL(configuration.authority.base).origin, configuration.emit),
  };
}
