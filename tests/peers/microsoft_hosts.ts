/**
 * Microsoft's hosts, played by a local authority that listens on loopback: for programs that insist on TLS and on these
 * names. Their requests are taken to the server on their way; the `Host` header still names the host.
 *
 * @module
 */
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import type { LocalAuthority } from "../../src/testing/mod.ts";

/** The hosts while a server listens. */
export interface MicrosoftHosts {
  /** Where the server listens. */
  readonly origin: string;
  /** A `fetch` for the hosts; requests to loopback go where they are meant to go. */
  readonly fetch: (input: string | URL | Request, init?: RequestInit) => Promise<Response>;
  /** The same for MSAL Node. */
  readonly network: INetworkModule;
  /** What MSAL Node has sent, such as `POST /common/oauth2/v2.0/token`. */
  readonly sent: string[];
}

/** Serves an authority while `body` runs. */
export async function withMicrosoftHosts(
  authority: LocalAuthority,
  body: (hosts: MicrosoftHosts) => Promise<void>,
): Promise<void> {
  const server = await authority.serve(Deno);
  const sent: string[] = [];
  const take: MicrosoftHosts["fetch"] = async (input, init) => {
    const request = new Request(input, init);
    const { protocol, host, pathname, search } = new URL(request.url);
    if (protocol === "http:") return await fetch(request);
    const headers = new Headers(request.headers);
    headers.set("host", host);
    const { method, redirect } = request;
    const text = method === "GET" ? undefined : await request.text();
    return await fetch(`${server.origin}${pathname}${search}`, {
      method,
      headers,
      redirect,
      ...(text !== undefined && { body: text }),
    });
  };
  const send = async <T>(
    url: string,
    method: string,
    { headers = {}, body }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> => {
    sent.push(`${method} ${new URL(url).pathname}`);
    const response = await take(url, { method, headers, ...(body !== undefined && { body }) });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.json(),
    };
  };
  const network: INetworkModule = {
    sendGetRequestAsync: (url, options) => send(url, "GET", options),
    sendPostRequestAsync: (url, options) => send(url, "POST", options),
  };
  try {
    await body({ origin: server.origin, fetch: take, network, sent });
  } finally {
    await server.close();
  }
}
