/**
 * The hosts of Microsoft's clouds, and the issuers that their tokens name.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/authentication-national-cloud | National clouds}
 */

/** One Microsoft cloud. */
export interface Cloud {
  /** Login hosts; the first is the preferred network host. */
  readonly hosts: readonly string[];
  /** The host that MSAL's caches are keyed with. */
  readonly preferredCache: string;
  /** The origin of version 1 issuers. */
  readonly stsOrigin: string;
  /** `cloud_instance_name` of the discovery document. */
  readonly instanceName: string;
  /** `cloud_graph_host_name` of the discovery document. */
  readonly legacyGraphHost: string;
  /** `msgraph_host` of the discovery document. */
  readonly graphHost: string;
}

/** The app id of Microsoft Graph. */
export const GRAPH_APP_ID = "00000003-0000-0000-c000-000000000000";
/** The tenant of personal Microsoft accounts, which `consumers` stands for. */
export const CONSUMERS_TENANT_ID = "9188040d-6c67-4c5b-b112-36a304b66dad";

function cloud(hosts: string[], graphHost: string, rest: Partial<Cloud> = {}): Cloud {
  const [network = ""] = hosts;
  return {
    hosts,
    preferredCache: network,
    stsOrigin: "https://sts.windows.net",
    instanceName: network.replace(/^login\./, ""),
    legacyGraphHost: "graph.windows.net",
    graphHost,
    ...rest,
  };
}

/** The public cloud. */
export const PUBLIC_CLOUD: Cloud = cloud(
  ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"],
  "graph.microsoft.com",
  { preferredCache: "login.windows.net" },
);

/** All clouds, in the order in which instance discovery lists them. */
export const CLOUDS: readonly Cloud[] = [
  PUBLIC_CLOUD,
  cloud(
    ["login.partner.microsoftonline.cn", "login.chinacloudapi.cn"],
    "microsoftgraph.chinacloudapi.cn",
    { stsOrigin: "https://sts.chinacloudapi.cn", legacyGraphHost: "graph.chinacloudapi.cn" },
  ),
  cloud(["login.microsoftonline.de"], "graph.microsoft.de", {
    stsOrigin: "https://sts.microsoftonline.de",
    legacyGraphHost: "graph.cloudapi.de",
  }),
  cloud(["login.microsoftonline.us", "login.usgovcloudapi.net"], "graph.microsoft.us"),
  cloud(["login-us.microsoftonline.com"], "graph.microsoft.com"),
  cloud(["login.sovcloud-identity.fr"], "graph.svc.sovcloud.fr"),
  cloud(["login.sovcloud-identity.de"], "graph.svc.sovcloud.de"),
  cloud(["login.sovcloud-identity.sg"], "graph.svc.sovcloud.sg"),
];

/** A region, and a login host of a cloud: `westus2.login.microsoft.com`, `usgovvirginia.login.microsoftonline.us`. */
const REGIONAL_HOST = /^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.(.+)$/;
/** Hosts of External ID, whose tokens of version 1 are of the public cloud. */
const EXTERNAL_HOST = /\.ciamlogin\.com$/;

/** The cloud that a login host belongs to; regional hosts count. */
export function cloudOfLoginHost(host: string): Cloud | undefined {
  const [, central = host] = REGIONAL_HOST.exec(host) ?? [];
  return CLOUDS.find(({ hosts }) => hosts.includes(host) || hosts.includes(central));
}

/** The cloud that a Microsoft Graph host belongs to. */
export function cloudOfGraphHost(host: string): Cloud | undefined {
  return CLOUDS.find((candidate) => candidate.graphHost === host);
}

/** Whether a host is a login or Graph host of some cloud. */
export function isMicrosoftHost(host: string): boolean {
  return (cloudOfLoginHost(host) ?? cloudOfGraphHost(host)) !== undefined;
}

/** The issuers that tokens and documents name for one tenant. */
export interface Issuers {
  /** Of version 1 tokens and documents. */
  readonly v1: string;
  /** Of version 2 tokens and documents. */
  readonly v2: string;
}

/**
 * The issuers that a tenant has behind an origin.
 *
 * A Microsoft host, an alias included, has the issuers of its cloud; any other origin is its own issuer.
 */
export function issuersOf(origin: string, tenant: string): Issuers {
  const { host } = new URL(origin);
  const known = cloudOfLoginHost(host);
  const v1 = known?.stsOrigin ?? (EXTERNAL_HOST.test(host) ? PUBLIC_CLOUD.stsOrigin : origin);
  const v2 = known ? `https://${known.hosts[0]}` : origin;
  return { v1: `${v1}/${tenant}/`, v2: `${v2}/${tenant}/v2.0` };
}
