/**
 * A load over HTTP/1.1 that costs little itself: a few connections, each with one request after the other.
 *
 * @module
 */

/** What is asked again and again. */
export interface Load {
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
}

const HEAD_END = "\r\n\r\n";
const CONNECTIONS = 16;

/** Sends so many requests, and gives how many were answered in a second. Any answer but 200 is an error. */
export async function requestsPerSecond(load: Load, requests: number): Promise<number> {
  const connections = await Promise.all(
    Array.from({ length: CONNECTIONS }, () => Deno.connect({ hostname: "127.0.0.1", port: load.port })),
  );
  try {
    const start = performance.now();
    const each = Math.ceil(requests / CONNECTIONS);
    await Promise.all(connections.map((connection) => askOften(connection, load, each)));
    return each * CONNECTIONS / (performance.now() - start) * 1000;
  } finally {
    for (const connection of connections) connection.close();
  }
}

async function askOften(connection: Deno.Conn, { path, headers, port }: Load, times: number): Promise<void> {
  const lines = Object.entries({ host: `127.0.0.1:${port}`, ...headers }).map(([name, value]) =>
    `${name}: ${value}`
  );
  const request = new TextEncoder().encode([`GET ${path} HTTP/1.1`, ...lines].join("\r\n") + HEAD_END);
  const buffer = new Uint8Array(65_536);
  for (let i = 0; i < times; i++) {
    let sent = 0;
    while (sent < request.length) sent += await connection.write(request.subarray(sent));
    await readAnswer(connection, buffer, path);
  }
}

/** Reads one answer, whose length is told or whose body comes in chunks. */
async function readAnswer(connection: Deno.Conn, buffer: Uint8Array, path: string): Promise<void> {
  let text = "";
  while (true) {
    const read = await connection.read(buffer);
    if (read === null) throw new Error(`${path}: the connection was closed`);
    text += new TextDecoder("latin1").decode(buffer.subarray(0, read));
    const head = text.indexOf(HEAD_END);
    if (head < 0) continue;
    if (!text.startsWith("HTTP/1.1 200")) throw new Error(`${path}: ${text.slice(0, 200)}`);
    const length = /content-length: (\d+)/i.exec(text.slice(0, head))?.[1];
    const isDone = length === undefined
      ? text.endsWith(`0${HEAD_END}`)
      : text.length >= head + HEAD_END.length + Number(length);
    if (isDone) return;
  }
}
