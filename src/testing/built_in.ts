/**
 * What an authority has without being told: a tenant, a user, two apps and Microsoft Graph.
 *
 * @module
 */
import { CLOUDS, GRAPH_APP_ID } from "./clouds.ts";
import type { AppDeclaration, ResourceDeclaration, TenantDeclaration, UserDeclaration } from "./options.ts";

/** The tenant. */
export const BUILT_IN_TENANT: TenantDeclaration = {
  id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10",
  domains: ["contoso.onmicrosoft.com"],
  name: "Contoso",
};

/** The user, in a domain. */
export function builtInUser(domain: string): UserDeclaration {
  const username = `alex@${domain}`;
  return { username, name: "Alex Doe", email: username };
}

/** The delegated permissions of Microsoft Graph that there are. */
export const GRAPH_SCOPES: readonly string[] = [
  "User.Read",
  "User.ReadBasic.All",
  "User.Read.All",
  "Mail.Read",
  "Mail.Send",
  "Calendars.Read",
  "Files.Read",
  "Organization.Read.All",
];

/** Microsoft Graph. */
export const GRAPH: ResourceDeclaration = {
  identifierUris: [...new Set(CLOUDS.map((cloud) => `https://${cloud.graphHost}`))],
  appId: GRAPH_APP_ID,
  accessTokenVersion: 1,
  optionalClaims: ["idtyp"],
};

/** What apps ask tokens for that other apps are to accept as their credential. */
export const TOKEN_EXCHANGE: ResourceDeclaration = {
  identifierUris: ["api://AzureADTokenExchange"],
  appId: "fb60f99c-7a34-4190-8149-302f77469936",
  accessTokenVersion: 2,
};

const LOOPBACK_URIS: readonly string[] = ["http://localhost/*", "http://127.0.0.1/*"];

/** The apps: a confidential one, and a public one. */
export const BUILT_IN_APPS: readonly AppDeclaration[] = [
  {
    clientId: "2e9d4b7a-6c15-4f83-8a0b-d3c1f5e7a924",
    name: "Local app",
    secrets: ["local~Q8-secret-not-for-production"],
    appRoles: { "https://graph.microsoft.com": ["Organization.Read.All"] },
    redirectUris: [...LOOPBACK_URIS, "https://app.example/*"],
  },
  {
    clientId: "c41f7d83-0b5e-4a92-9e6d-71b8a2f05c3d",
    name: "Local command line",
    publicClient: true,
    redirectUris: [...LOOPBACK_URIS, "https://login.microsoftonline.com/common/oauth2/nativeclient"],
  },
];
