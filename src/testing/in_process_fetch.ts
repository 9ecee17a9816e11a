/**
 * A `fetch` that answers Microsoft's hosts, and those of declared tenants, in process, and nothing else.
 *
 * @module
 * @see {@link https://fetch.spec.whatwg.org/#http-redirect-fetch | HTTP-redirect fetch}
 */
import { abortable, abortableBody } from "./abort.ts";
import { cloudOfGraphHost, cloudOfLoginHost } from "./clouds.ts";
import type { Engine } from "./engine.ts";
import { type Incoming, readIncoming } from "./incoming.ts";
import type { Surface } from "./router.ts";

const REDIRECT_STATUSES: readonly number[] = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 20;

function isRequest(input: string | URL | Request): input is Request {
  return typeof input === "object" && "method" in input;
}

function toRequest(input: string | URL | Request, init: RequestInit): Request {
  if (!isRequest(input)) return new Request(input, withDuplex(init));
  const { method, headers, redirect, body } = input;
  return new Request(input.url, withDuplex({ method, headers, redirect, body, ...init }));
}

/** A stream as body needs `duplex`; undefined members trip some runtimes. */
function withDuplex(init: RequestInit): RequestInit {
  const { body, signal: _signal, ...rest } = init;
  if (body === null || body === undefined) return rest;
  return typeof body === "object" && "getReader" in body
    ? { ...rest, body, duplex: "half" } as RequestInit
    : {
      ...rest,
      body,
    };
}

function surfaceOf(engine: Engine, url: URL): Surface | undefined {
  if (url.protocol !== "https:" || url.username || url.password) return undefined;
  if (cloudOfLoginHost(url.host) || engine.ownsHost(url.host)) return "login";
  return cloudOfGraphHost(url.host) ? "graph" : undefined;
}

async function answered(engine: Engine, incoming: Incoming): Promise<Response> {
  const surface = surfaceOf(engine, incoming.url);
  if (surface) return await engine.answer(incoming, [surface]);
  engine.refuse(incoming);
  throw new TypeError(`fetch failed: the local authority does not answer for ${incoming.url.origin}`);
}

function redirected(incoming: Incoming, status: number, location: string): Incoming {
  const url = new URL(location, incoming.url);
  const headers = new Headers(incoming.headers);
  if (url.origin !== incoming.url.origin) headers.delete("authorization");
  const toGet = status === 303 || (status < 303 && incoming.method === "POST");
  if (!toGet) return { ...incoming, url, headers };
  headers.delete("content-type");
  headers.delete("content-length");
  return { ...incoming, url, headers, method: "GET", body: new Uint8Array() };
}

function withSignal(response: Response, signal: AbortSignal | undefined): Response {
  if (!signal || !response.body) return response;
  const { status, headers, url, redirected } = response;
  return withUrl(new Response(abortableBody(response.body, signal), { status, headers }), url, redirected);
}

function withUrl(response: Response, url: string, wasRedirected: boolean): Response {
  Object.defineProperty(response, "url", { value: url });
  Object.defineProperty(response, "redirected", { value: wasRedirected });
  return response;
}

async function followed(engine: Engine, first: Incoming, mode: string): Promise<Response> {
  let incoming = first;
  for (let hops = 0; hops <= MAX_REDIRECTS; hops++) {
    const response = await answered(engine, incoming);
    const location = response.headers.get("location");
    if (mode === "manual" || location === null || !REDIRECT_STATUSES.includes(response.status)) {
      return withUrl(response, incoming.url.href, hops > 0);
    }
    if (mode === "error") throw new TypeError("fetch failed: unexpected redirect");
    incoming = redirected(incoming, response.status, location);
  }
  throw new TypeError("fetch failed: redirect count exceeded");
}

/** Fetches from the authority as `fetch` would from Microsoft. */
export async function fetchInProcess(
  engine: Engine,
  input: string | URL | Request,
  init: RequestInit = {},
): Promise<Response> {
  const signal = init.signal ?? (isRequest(input) ? input.signal : undefined) ?? undefined;
  signal?.throwIfAborted();
  const request = toRequest(input, init);
  const mode = init.redirect ?? request.redirect;
  const exchange = async (): Promise<Response> => {
    const incoming = await readIncoming(request, () => signal ? [signal] : []);
    return await followed(engine, incoming, mode);
  };
  return withSignal(await abortable(exchange(), signal), signal);
}
