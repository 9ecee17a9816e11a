/**
 * oidc-provider, an OpenID Connect server that knows nothing of Microsoft, on loopback.
 *
 * @module
 */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Provider } from "./oidc_provider.d.ts";

/** A client of the server. */
export interface OidcClient {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly method: "client_secret_post" | "client_secret_basic";
}

/** A server that listens. */
export interface OidcServer extends AsyncDisposable {
  readonly issuer: string;
  /** What has arrived, such as `POST /token`. */
  readonly requests: readonly string[];
}

/** The scopes of the clients. */
const SCOPES = ["orders.read", "orders.write"];

/** A scope that the server knows and no client may have; it silently leaves out those that it does not know. */
export const FOREIGN_SCOPE = "orders.delete";

/** Two APIs whose tokens are JWTs; nobody writes to the second. */
export const ORDERS_API = "https://orders.example";
export const ARCHIVE_API = "https://archive.example";

const API_SCOPES: Readonly<Record<string, string>> = {
  [ORDERS_API]: "orders.read orders.write",
  [ARCHIVE_API]: "orders.read",
};

/** Starts a server for these clients. */
export function serveOidc(...clients: OidcClient[]): Promise<OidcServer> {
  return serveProvider(daemonConfiguration(clients));
}

/** A server whose configuration can be changed; what it has issued stays. */
export interface OidcProviderServer extends OidcServer {
  reconfigure(configuration: Configuration): Promise<void>;
}

/** What oidc-provider is told. */
export type Configuration = Readonly<Record<string, unknown>>;

/** Starts a server with a configuration. */
export async function serveProvider(configuration: Configuration): Promise<OidcProviderServer> {
  const requests: string[] = [];
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const make = async (given: Configuration) => (await quietly(() => makeProvider(issuer, given))).callback();
  let answer = await make(configuration);
  server.on("request", (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    void answer(request, response);
  });
  return {
    issuer,
    requests,
    reconfigure: async (given) => void (answer = await make(given)),
    [Symbol.asyncDispose]: () => close(server),
  };
}

/** It warns on the console, when it is imported and made, that it is meant for Node and for production. */
async function quietly<T>(body: () => Promise<T>): Promise<T> {
  const { warn, info } = console;
  Object.assign(console, { warn: () => {}, info: () => {} });
  try {
    return await body();
  } finally {
    Object.assign(console, { warn, info });
  }
}

async function makeProvider(issuer: string, configuration: Configuration): Promise<Provider> {
  const { Provider } = await import("oidc-provider") as typeof import("./oidc_provider.d.ts");
  return new Provider(issuer, configuration);
}

function daemonConfiguration(clients: readonly OidcClient[]): Configuration {
  return {
    clients: clients.map(({ clientId, clientSecret, method }) => ({
      client_id: clientId,
      client_secret: clientSecret,
      token_endpoint_auth_method: method,
      grant_types: ["client_credentials"],
      response_types: [],
      redirect_uris: [],
      scope: SCOPES.join(" "),
    })),
    scopes: [...SCOPES, FOREIGN_SCOPE],
    ttl: { ClientCredentials: 3600 },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context: unknown, resource: string) => ({
          scope: API_SCOPES[resource],
          audience: resource,
          accessTokenFormat: "jwt",
        }),
      },
    },
  };
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}
