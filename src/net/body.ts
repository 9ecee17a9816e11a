/**
 * Reads a response's JSON, but not more of it than agreed.
 *
 * @module
 */

/** Lets go of a body that nobody will read, so that its connection is free; not waited for, whatever comes of it. */
export function discard(body: { cancel(): Promise<void> } | null | undefined): void {
  body?.cancel().catch(() => {});
}

/**
 * Reads a body as text.
 *
 * @param response The response.
 * @param maxBytes The most bytes that are read.
 * @param signal Ends the reading, too.
 * @returns The text; `undefined` where it is too large.
 */
export async function readText(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<string | undefined> {
  const reader = response.body?.getReader();
  // A fetch may ignore its signal; nobody waits for the rest then.
  signal.addEventListener("abort", () => discard(reader));
  const decoder = new TextDecoder();
  let text = "";
  let bytes = 0;
  for (;;) {
    const chunk = (await reader?.read())?.value;
    if (chunk === undefined) return text + decoder.decode();
    bytes += chunk.byteLength;
    if (bytes > maxBytes) {
      discard(reader);
      return undefined;
    }
    text += decoder.decode(chunk, { stream: true });
  }
}

/** A body that was read. */
export interface JsonBody {
  /** The object, or why there is none. */
  readonly body: Readonly<Record<string, unknown>> | string;
  /** Its text, as it was sent; to write a hostile object again may take for ever. */
  readonly text: string;
}

/**
 * Reads a body as a JSON object.
 *
 * @param response The response; its body is read or cancelled in every case.
 * @param maxBytes The most bytes that are read, whatever `content-length` says.
 * @param signal Ends the reading, too.
 * @returns The object and its text; why there is none; `undefined` for a body that is too large.
 */
export async function readJson(
  response: Response,
  maxBytes: number,
  signal: AbortSignal,
): Promise<JsonBody | undefined> {
  if (!/^\s*application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(response.headers.get("content-type") ?? "")) {
    discard(response.body);
    return { body: "its content type is not JSON", text: "" };
  }
  const text = await readText(response, maxBytes, signal);
  if (text === undefined) return undefined;
  try {
    const json: unknown = JSON.parse(text);
    const isObject = typeof json === "object" && json !== null && !Array.isArray(json);
    return { body: isObject ? json as Record<string, unknown> : "its JSON is not an object", text };
  } catch {
    // The parser's message quotes the text, which may hold a token.
    return { body: "its body is not valid JSON", text: "" };
  }
}
