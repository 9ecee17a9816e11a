/**
 * Sends the same requests over and over on open connections, with as little work of its own as there can be.
 *
 * @module
 */

const decoder = new TextDecoder();

/** A connection that sends one request after the other. */
class Line {
  readonly #connection: Deno.Conn;
  readonly #buffer = new Uint8Array(65_536);

  constructor(connection: Deno.Conn) {
    this.#connection = connection;
  }

  /** Sends a request; answers with the head and the length of what came back. */
  async ask(request: Uint8Array): Promise<{ head: string; length: number }> {
    for (let sent = 0; sent < request.length;) sent += await this.#connection.write(request.subarray(sent));
    for (let length = 0, total = Infinity, head = "";;) {
      const read = await this.#connection.read(this.#buffer.subarray(length));
      if (read === null) throw new Error("the server closed the connection");
      length += read;
      if (head === "") {
        const text = decoder.decode(this.#buffer.subarray(0, length));
        const end = text.indexOf("\r\n\r\n");
        if (end < 0) continue;
        head = text.slice(0, end);
        total = end + 4 + Number(/content-length: *(\d+)/i.exec(head)?.[1] ?? 0);
      }
      if (length >= total) return { head, length };
    }
  }

  close(): void {
    this.#connection.close();
  }
}

/** A server to send requests to. */
export class Load {
  readonly #host: string;
  readonly #lines: Line[];

  private constructor(host: string, lines: Line[]) {
    this.#host = host;
    this.#lines = lines;
  }

  /** Opens connections. */
  static async open(port: number, connections: number): Promise<Load> {
    const open = () => Deno.connect({ hostname: "127.0.0.1", port });
    const lines = await Promise.all(Array.from({ length: connections }, async () => new Line(await open())));
    return new Load(`127.0.0.1:${port}`, lines);
  }

  /**
   * Sends requests on all connections for a time.
   *
   * @param path The route.
   * @param tokens The tokens to bring, in turns.
   * @param milliseconds For how long.
   * @returns Answers in a second.
   */
  async rate(path: string, tokens: readonly string[], milliseconds: number): Promise<number> {
    const encoder = new TextEncoder();
    const requests = tokens.map((token) =>
      encoder.encode(`GET ${path} HTTP/1.1\r\nhost: ${this.#host}\r\nauthorization: Bearer ${token}\r\n\r\n`)
    );
    let answers = 0;
    const start = performance.now();
    await Promise.all(this.#lines.map(async (line) => {
      while (performance.now() - start < milliseconds) {
        const { head } = await line.ask(requests[answers++ % requests.length]!);
        if (!head.startsWith("HTTP/1.1 200")) throw new Error(`${path}: ${head.split("\r\n", 1)[0]}`);
      }
    }));
    return answers / (performance.now() - start) * 1_000;
  }

  /** Closes the connections. */
  close(): void {
    for (const line of this.#lines) line.close();
  }
}
