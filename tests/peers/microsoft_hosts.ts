/**
 * Microsoft's hosts, played by a local authority that listens on loopback: for programs that insist on TLS and on these
 * names. Their requests are taken to the server on their way; the `Host` header still names the host.
 *
 * @module
 */
import { request as send } from "node:http";
import type { INetworkModule, NetworkRequestOptions, NetworkResponse } from "@azure/msal-node";
import type { FetchFunction } from "../../mod.ts";
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

/** `fetch` sets `Host` itself; this sends the one that was meant. */
function deliver(port: number, request: Request): Promise<Response> {
  const { host, pathname, search } = new URL(request.url);
  const headers = { ...Object.fromEntries(request.headers), host };
  const options = { host: "127.0.0.1", port, method: request.method, path: pathname + search, headers };
  return new Promise((resolve, reject) => {
    const sent = send({ ...options, agent: false }, (response) => {
      const received = new Headers();
      for (let at = 0; at < response.rawHeaders.length; at += 2) {
        received.append(response.rawHeaders[at]!, response.rawHeaders[at + 1]!);
      }
      let text = "";
      response.setEncoding("utf8");
      response.on("data", (chunk: string) => text += chunk);
      response.on("error", reject);
      response.on(
        "end",
        () => resolve(new Response(text, { status: response.statusCode!, headers: received })),
      );
    });
    sent.on("error", reject);
    request.text().then((body) => sent.end(body), reject);
  });
}

/** MSAL Node's network over a `fetch`. */
export function networkOf(fetch: FetchFunction): INetworkModule {
  const ask = async <T>(
    url: string,
    method: string,
    { headers = {}, body }: NetworkRequestOptions = {},
  ): Promise<NetworkResponse<T>> => {
    const response = await fetch(url, { method, headers, ...(body !== undefined && { body }) });
    return {
      status: response.status,
      headers: Object.fromEntries(response.headers),
      body: await response.json(),
    };
  };
  return {
    sendGetRequestAsync: (url, options) => ask(url, "GET", options),
    sendPostRequestAsync: (url, options) => ask(url, "POST", options),
  };
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
    return new URL(request.url).protocol === "http:"
      ? await fetch(request)
      : await deliver(server.port, request);
  };
  const network = networkOf((url, init) => {
    sent.push(`${init.method} ${new URL(url).pathname}`);
    return take(url, init);
  });
  try {
    await body({ origin: server.origin, fetch: take, network, sent });
  } finally {
    await server.close();
  }
}
