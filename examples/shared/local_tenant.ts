/**
 * Plays a tenant on loopback, with a user who can sign in there with a browser. Never deploy this module.
 *
 * @module
 */
import { allowInsecureLoopback } from "@msal-edge/msal";
import { type BunLike, type DenoLike, LocalAuthority } from "@msal-edge/msal/testing";

const GRAPH = "https://graph.microsoft.com/";
const WEB_APP = {
  clientId: "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e11",
  name: "Example web app",
  secrets: ["local~web-secret-not-for-production"],
  redirectUris: ["http://localhost/*"],
  requireConsent: true,
  optionalClaims: ["sid", "login_hint"],
} as const;
const API_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e13";
const API = {
  clientId: API_ID,
  name: "Example orders API",
  secrets: ["local~api-secret-not-for-production"],
  // What the API asks of Graph, its users consent to together with the web application.
  delegatedScopes: { "https://graph.microsoft.com": ["User.Read"] },
} as const;
const ORDERS = {
  appId: API_ID,
  identifierUris: [`api://${API_ID}`],
  accessTokenVersion: 2,
  scopes: ["Orders.Read"],
} as const;
const TOOLS_ID = "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e14";
const TOOLS = {
  clientId: TOOLS_ID,
  name: "Example MCP server",
  secrets: ["local~tools-secret-not-for-production"],
  delegatedScopes: { "https://graph.microsoft.com": ["User.Read"] },
} as const;
const TOOLS_API = {
  appId: TOOLS_ID,
  identifierUris: [`api://${TOOLS_ID}`],
  accessTokenVersion: 2,
  scopes: ["Tools.Use"],
} as const;
const COMMAND_LINE = {
  clientId: "5d0c3c1e-2b70-4c0e-9a55-0d6f1b3d7e12",
  name: "Example command line",
  publicClient: true,
  redirectUris: ["http://localhost"],
  requireConsent: true,
} as const;

/** What reaches the tenant. */
interface LocalOptions {
  readonly clientId: string;
  readonly authority: string;
  readonly [allowInsecureLoopback]: true;
}

/** The options that send an application to the played tenant. */
export interface LocalTenant {
  /** For a `PublicClientApplication`. */
  readonly commandLine: LocalOptions;
  /** For a `ConfidentialClientApplication`. */
  readonly web: LocalOptions & { readonly clientCredential: string };
  /** For the `ConfidentialClientApplication` of the orders API. */
  readonly api: LocalOptions & { readonly clientCredential: string };
  /** For the `ConfidentialClientApplication` of the MCP server. */
  readonly tools: LocalOptions & { readonly clientCredential: string };
  /** A secret for the cookies of the web application, new in each process. */
  readonly cookieSecret: string;
}

/** Declares the tenant, for a web application at this address; does nothing else. */
export function declareTenant(site?: string): LocalAuthority {
  // What is no address, the web application refuses, and says why.
  const notice = URL.parse("/auth/front-channel-logout", site);
  const logoutUris = notice === null ? [] : [notice.href];
  return new LocalAuthority({
    apps: [{ ...WEB_APP, logoutUris }, API, TOOLS, COMMAND_LINE],
    resources: [ORDERS, TOOLS_API],
  });
}

/** The options for a tenant that is reached at an origin. */
export function tenantAt(origin: string, { defaults }: LocalAuthority): LocalTenant {
  const options = { authority: `${origin}/${defaults.tenantId}`, [allowInsecureLoopback]: true } as const;
  return {
    commandLine: { clientId: COMMAND_LINE.clientId, ...options },
    web: { clientId: WEB_APP.clientId, clientCredential: WEB_APP.secrets[0], ...options },
    api: { clientId: API.clientId, clientCredential: API.secrets[0], ...options },
    tools: { clientId: TOOLS.clientId, clientCredential: TOOLS.secrets[0], ...options },
    cookieSecret: crypto.randomUUID() + crypto.randomUUID(),
  };
}

/** Says who plays what. */
export function announce({ defaults }: LocalAuthority): void {
  console.log("TENANT_ID is not set: a local authority plays Microsoft Entra ID and Graph on this machine.");
  console.log(`Sign in as ${defaults.username} with the password ${defaults.password}\n`);
}

/** Sends what is meant for Graph to the tenant, through a `fetch`. */
export function playGraph(origin: string, send: typeof fetch): void {
  globalThis.fetch = ((input: string | URL | Request, init?: RequestInit) => {
    const isGraph = !(input instanceof Request) && String(input).startsWith(GRAPH);
    return isGraph ? send(String(input).replace(GRAPH, `${origin}/`), init) : send(input, init);
  }) as typeof fetch;
}

/** Plays the tenant on a free port of this machine, for as long as the program runs. */
export async function playTenant(platform: DenoLike | BunLike, site: string): Promise<LocalTenant> {
  const authority = declareTenant(site);
  const { origin } = await authority.serve(platform);
  playGraph(origin, globalThis.fetch);
  announce(authority);
  return tenantAt(origin, authority);
}

/** The options for a tenant that another program plays. */
export function tenantOf(origin: string): LocalTenant {
  playGraph(origin, globalThis.fetch);
  return tenantAt(origin, declareTenant());
}

/** Plays the tenant for other programs, until it is stopped. */
export async function playTenantForOthers(platform: DenoLike | BunLike): Promise<void> {
  const authority = declareTenant();
  const { origin } = await authority.serve(platform);
  announce(authority);
  console.log(`In another terminal: export LOCAL_TENANT=${origin}`);
}
