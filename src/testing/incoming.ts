/**
 * A request as the authority reads it: its body in memory, and never more of it than is allowed.
 *
 * @module
 */

/** The largest request body that is read, in bytes. */
export const MAX_BODY_BYTES = 65_536;

/** A request that arrived on one of the two faces. */
export interface Incoming {
  readonly method: string;
  readonly url: URL;
  readonly headers: Headers;
  /** The body; absent if it was larger than {@linkcode MAX_BODY_BYTES}. */
  readonly body: Uint8Array<ArrayBuffer> | undefined;
  /** The signals that end waiting. A function, as Deno warns whoever only looks at the signal of a served request. */
  readonly signals: () => readonly AbortSignal[];
}

function joined(chunks: readonly Uint8Array[], length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.byteLength;
  }
  return bytes;
}

async function readBounded(
  body: ReadableStream<Uint8Array> | null | undefined,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (!body) return new Uint8Array();
  const reader = body.getReader();
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return joined(chunks, length);
    length += value.byteLength;
    if (length > MAX_BODY_BYTES) {
      await reader.cancel();
      return undefined;
    }
    chunks.push(value);
  }
}

/** Reads a request; a body that is too large is dropped, not read to its end. */
export async function readIncoming(request: Request, signals: Incoming["signals"]): Promise<Incoming> {
  return {
    method: request.method.toUpperCase(),
    url: new URL(request.url),
    headers: new Headers(request.headers),
    body: await readBounded(request.body),
    signals,
  };
}

/** The parameters of a form body; absent if the body is too large or is no form. */
export function formOf(incoming: Incoming): URLSearchParams | undefined {
  const type = incoming.headers.get("content-type")?.split(";", 1)[0]?.trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded" || incoming.body === undefined) return undefined;
  return new URLSearchParams(new TextDecoder().decode(incoming.body));
}
