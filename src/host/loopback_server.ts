/**
 * An HTTP server on 127.0.0.1 that leaves nothing behind.
 *
 * @module
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { nameOf, refuse } from "../errors/errors.ts";
import { isLoopbackAddress } from "./judge.ts";

/** Answers a request. */
export type Handler = (request: IncomingMessage, response: ServerResponse) => Promise<void>;

/** A server that listens. */
export interface LoopbackServer {
  readonly port: number;
  /** Stops, and ends every connection. */
  close(): Promise<void>;
}

const ADDRESS = "127.0.0.1";

/** A browser on the same machine needs none of this; who is slower holds a connection on purpose. */
const LIMITS = {
  requestTimeout: 5_000,
  connectionsCheckingInterval: 500,
  // A browser sends the cookies of every other program on localhost along.
  maxHeaderSize: 65_536,
};

/** An authorization response is a few kB; the rest of a larger one is read away, so that the sender sees why. */
const MAX_BODY_BYTES = 65_536;
const MAX_DISCARDED_BYTES = 1_048_576;

/**
 * Listens on 127.0.0.1.
 *
 * @param port The port, 0 for one that is free.
 * @param handler Answers the requests; what it throws ends their connection.
 * @throws {ClientConfigurationError} `invalid_option`: the port cannot be had.
 */
export async function listenOnLoopback(port: number, handler: Handler): Promise<LoopbackServer> {
  const server = createServer(LIMITS, (request, response) => {
    handler(request, response).catch(() => request.socket.destroy());
  });
  server.on("connection", (socket: Socket) => {
    if (!isLoopbackAddress(socket.remoteAddress)) socket.destroy();
  });
  await listen(server, port);
  return { port: (server.address() as AddressInfo).port, close: () => close(server) };
}

async function listen(server: Server, port: number): Promise<void> {
  if (!isAllowed(port)) {
    refuse(
      "invalid_option",
      "port",
      `Deno may not listen on ${ADDRESS}:${port}. Allow --allow-net=${ADDRESS}`,
    );
  }
  try {
    await new Promise<void>((resolve, reject) => {
      server.on("error", reject);
      // Shared with no other worker of a cluster.
      server.listen({ port, host: ADDRESS, exclusive: true }, resolve);
    });
  } catch (error) {
    refusePort(port, error);
  }
}

/** Asked beforehand: Deno throws out of the server's reach, and ends the process, where the permission is missing. */
function isAllowed(port: number): boolean {
  const { Deno: deno } = globalThis as unknown as {
    readonly Deno?: {
      readonly permissions: {
        requestSync(wanted: { name: "net"; host: string }): { readonly state: string };
      };
    };
  };
  if (deno === undefined) return true;
  return deno.permissions.requestSync({ name: "net", host: `${ADDRESS}:${port}` }).state === "granted";
}

/** Refuses a port for what listening on it has thrown. */
export function refusePort(port: number, error: unknown): never {
  const { code } = error as { readonly code?: unknown };
  const place = `${ADDRESS}:${port}`;
  const why = code === "EADDRINUSE"
    ? `${place} is in use. Take another port, or 0 for one that is free`
    : code === "EACCES"
    ? `this process may not listen on ${place}. Take a port above 1023, or 0 for one that is free`
    : `${place} cannot be listened on (${/^E[A-Z]{2,20}$/.test(String(code)) ? code : nameOf(error)})`;
  refuse("invalid_option", "port", why);
}

async function close(server: Server): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}

/**
 * Reads a request's body.
 *
 * @param request The request.
 * @returns The text; `undefined` where it is too large, or the connection ends before it does.
 */
export function readBody(request: IncomingMessage): Promise<string | undefined> {
  return new Promise((resolve) => {
    const decoder = new TextDecoder();
    let bytes = 0;
    let text = "";
    request.on("data", (chunk: Uint8Array) => {
      bytes += chunk.byteLength;
      if (bytes <= MAX_BODY_BYTES) text += decoder.decode(chunk, { stream: true });
      else if (bytes > MAX_DISCARDED_BYTES) request.destroy();
    });
    request.once("end", () => resolve(bytes > MAX_BODY_BYTES ? undefined : text + decoder.decode()));
    // When the connection is cut; an "error" that nobody hears would end the process.
    for (const event of ["close", "error"]) request.on(event, () => resolve(undefined));
  });
}
