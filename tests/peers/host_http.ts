/**
 * HTTP by hand against a loopback receiver, as no browser would send it.
 *
 * @module
 */
import { connect, type Socket } from "node:net";
import type { AuthCodeListener } from "../../src/request/auth_code_receiver.ts";

/** A case that every runtime runs. */
export type HostCase = readonly [name: string, body: () => Promise<void>];

/** An answer, taken apart. */
export interface RawResponse {
  /** 0 where the connection ended without an answer. */
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/** The port of a listener. */
export function portOf({ redirectUri }: AuthCodeListener): number {
  return Number(new URL(redirectUri).port);
}

/** A connection, and what has come over it. */
export interface Wire {
  readonly socket: Socket;
  /** Everything that came, once the connection has ended. */
  readonly ended: Promise<string>;
}

/** Connects, and sends these bytes as they are. */
export function wire(port: number, ...chunks: string[]): Promise<Wire> {
  return wireTo("127.0.0.1", port, ...chunks);
}

/** Connects to another address than the receiver's. */
export function wireTo(address: string, port: number, ...chunks: string[]): Promise<Wire> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, address);
    let text = "";
    const ended = new Promise<string>((resolve) => socket.once("close", () => resolve(text)));
    socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
    socket.on("error", reject);
    socket.once("connect", () => {
      for (const chunk of chunks) socket.write(chunk);
      resolve({ socket, ended });
    });
  });
}

/** What a request may change. */
export interface RawRequest {
  readonly method?: string;
  readonly target?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** Sends one request, and reads until the server ends the connection. */
export async function send(listener: AuthCodeListener, request: RawRequest): Promise<RawResponse> {
  const { ended } = await wire(portOf(listener), requestText(listener, request));
  return parseResponse(await ended);
}

/** The text of a request. */
export function requestText(listener: AuthCodeListener, request: RawRequest): string {
  const { method = "GET", target = "/", body = "" } = request;
  const headers = { host: new URL(listener.redirectUri).host, ...request.headers };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  if (body) lines.push(`content-length: ${new TextEncoder().encode(body).byteLength}`);
  return `${method} ${target} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`;
}

/** Posts a form, as the authority's page makes the browser do. */
export function post(listener: AuthCodeListener, body: string): Promise<RawResponse> {
  return send(listener, formOf(body));
}

/** A form to send. */
export function formOf(body: string): RawRequest {
  return { method: "POST", body, headers: { "content-type": "application/x-www-form-urlencoded" } };
}

/** Takes an answer apart. */
export function parseResponse(text: string): RawResponse {
  const [head = "", ...rest] = text.split("\r\n\r\n");
  const [first = "", ...lines] = head.split("\r\n");
  const headers = new Headers(lines.map((line) => line.split(/: */, 2) as [string, string]));
  return { status: Number(first.split(" ")[1] ?? 0), headers, body: rest.join("\r\n\r\n") };
}
