/**
 * Reads a response's JSON, but not more of it than agreed.
 *
 * @module
 */

/** What a body turned out to be. */
export type BodyResult =
  | { readonly kind: "json"; readonly json: Readonly<Record<string, unknown>> }
  | { readonly kind: "unusable"; readonly reason: string }
  | { readonly kind: "too_large" };

/** Lets go of a body that nobody will read, so that its connection is free. */
export async function discard(response: Response): Promise<void> {
  try {
    await response.body?.cancel();
  } catch {
    // A body that is locked or broken holds no connection of ours.
  }
}

async function readText(response: Response, maxBytes: number): Promise<string | undefined> {
  const reader = response.body?.getReader();
  if (reader === undefined) return "";
  const decoder = new TextDecoder();
  let text = "";
  for (let bytes = 0;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    bytes += value.byteLength;
    if (bytes > maxBytes) {
      // Not awaited: a sender that floods may also refuse to stop.
      reader.cancel().catch(() => {});
      return undefined;
    }
    text += decoder.decode(value, { stream: true });
  }
}

/**
 * Reads a body as a JSON object.
 *
 * @param response The response; its body is read or cancelled in every case.
 * @param maxBytes The most bytes that are read, whatever `content-length` says.
 * @returns The object, or why there is none.
 */
export async function readJson(response: Response, maxBytes: number): Promise<BodyResult> {
  const type = (response.headers.get("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
  if (!/^application\/(?:[a-z0-9.+-]+\+)?json$/.test(type)) {
    await discard(response);
    return {
      kind: "unusable",
      reason: type === "" ? "it has no content type" : "its content type is not JSON",
    };
  }
  const text = await readText(response, maxBytes);
  if (text === undefined) return { kind: "too_large" };
  try {
    const json: unknown = JSON.parse(text);
    if (typeof json === "object" && json !== null && !Array.isArray(json)) {
      return { kind: "json", json: json as Record<string, unknown> };
    }
    return { kind: "unusable", reason: "its JSON is not an object" };
  } catch {
    // The parser's message quotes the text, which may hold a token.
    return { kind: "unusable", reason: "its body is not valid JSON" };
  }
}
