/**
 * The loopback face: a request handler, and a server around it.
 *
 * @module
 */
import type { Engine } from "./engine.ts";
import { isMicrosoftHost } from "./clouds.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import type { Surface } from "./router.ts";

/** What is used of the `Deno` global. */
export interface DenoLike {
  /** The runtime's versions; tells Deno from Bun. */
  readonly version: { readonly deno: string };
  /** Starts an HTTP server. */
  serve(
    options: { hostname: string; port: number; onListen: () => void },
    handler: (request: Request) => Promise<Response>,
  ): { readonly addr: { readonly port: number }; shutdown(): Promise<void> };
}

/** What is used of the `Bun` global. */
export interface BunLike {
  /** The runtime's version; tells Bun from Deno. */
  readonly version: string;
  /** Starts an HTTP server. */
  serve(
    options: { hostname: string; port: number; fetch: (request: Request) => Promise<Response> },
  ): { readonly port?: number | undefined; stop(closeActiveConnections?: boolean): void | Promise<void> };
}

/** A local authority that listens. */
export interface LocalAuthorityServer {
  /** Where it listens, such as `http://127.0.0.1:49152`. */
  readonly origin: string;
  /** The port it listens on. */
  readonly port: number;
  /** Stops it, and ends what is still waiting. */
  readonly close: () => Promise<void>;
}

const HOSTNAME = "127.0.0.1";
const SURFACES: readonly Surface[] = ["login", "graph"];

/** Reads a request; one for a Microsoft host or a tenant's own, as its `Host` header says, was meant to come over TLS. */
async function readServed(
  engine: Engine,
  request: Request,
  closing: AbortSignal | undefined,
): Promise<Incoming> {
  const signals = (): AbortSignal[] => [request.signal, closing].flatMap((signal) => signal ? [signal] : []);
  const incoming = await readIncoming(request, signals);
  const host = incoming.url.host.replace(/:443$/, "");
  if (!isMicrosoftHost(host) && !engine.ownsHost(host)) return incoming;
  const { pathname, search } = incoming.url;
  return { ...incoming, url: new URL(`https://${host}${pathname}${search}`) };
}

/** Answers a request on the loopback face; it never rejects. */
export async function handleLoopback(
  engine: Engine,
  request: Request,
  closing?: AbortSignal,
): Promise<Response> {
  try {
    return await engine.answer(await readServed(engine, request, closing), SURFACES);
  } catch {
    return new Response(null, { status: 500 });
  }
}

function isBun(platform: DenoLike | BunLike): platform is BunLike {
  return typeof platform.version === "string";
}

/** Listens on 127.0.0.1, on a port that is free. */
export function serveLoopback(
  platform: DenoLike | BunLike,
  handler: (request: Request, closing: AbortSignal) => Promise<Response>,
): LocalAuthorityServer {
  const closing = new AbortController();
  const handle = (request: Request): Promise<Response> => handler(request, closing.signal);
  const address = { hostname: HOSTNAME, port: 0 };
  if (isBun(platform)) {
    const server = platform.serve({ ...address, fetch: handle });
    return listening(server.port ?? 0, closing, async () => await server.stop(true));
  }
  const server = platform.serve({ ...address, onListen: () => {} }, handle);
  return listening(server.addr.port, closing, async () => await server.shutdown());
}

function listening(port: number, closing: AbortController, stop: () => Promise<void>): LocalAuthorityServer {
  const close = async (): Promise<void> => {
    closing.abort(new DOMException("The local authority was closed", "AbortError"));
    await stop();
  };
  return { origin: `http://${HOSTNAME}:${port}`, port, close };
}
