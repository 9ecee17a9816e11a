/**
 * The driver's end of a chaos Worker: one thing is asked at a time, and answered before the other Worker moves.
 *
 * @module
 */
import type { Command, Entry, Init, Message, Question, Start, When } from "./chaos_wire.ts";

/** Answers what a Worker asks. */
export type Respond = (question: Question, at: When) => Promise<unknown>;

/** A slice takes milliseconds, also on a busy machine. */
const STUCK_MS = 30_000;

/** Fails where a Worker does not do something. */
async function inTime(what: string, promise: Promise<unknown>): Promise<void> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain until the Worker ${what}`)), STUCK_MS);
  });
  await Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** One of the Workers. */
export class Party {
  /** When something happens there next, if nothing is begun before. */
  nextMs: number | undefined;
  /** What is to begin there, the first first. */
  readonly starts: Start[] = [];
  readonly #socket: WebSocket;
  readonly #respond: Respond;
  readonly #take: (entry: Entry) => void;
  #idle: ReturnType<typeof Promise.withResolvers<void>> | undefined;

  private constructor(socket: WebSocket, respond: Respond, take: (entry: Entry) => void) {
    this.#socket = socket;
    this.#respond = respond;
    this.#take = take;
    socket.onmessage = ({ data }) => this.#receive(JSON.parse(data));
    socket.onclose = () => this.#idle?.reject(new Error("the Worker is gone"));
  }

  /** Opens the way to a Worker. */
  static async open(
    origin: string,
    init: Init,
    respond: Respond,
    take: (entry: Entry) => void,
  ): Promise<Party> {
    const socket = new WebSocket(origin.replace("http", "ws"));
    await inTime("answers", new Promise((resolve) => void (socket.onopen = resolve)));
    const party = new Party(socket, respond, take);
    party.tell({ type: "init", ...init });
    return party;
  }

  /** When something happens there next. */
  get dueMs(): number {
    return Math.min(this.nextMs ?? Infinity, this.starts[0]?.atMs ?? Infinity);
  }

  /** Lets the Worker go on until a moment. */
  async run(untilMs: number): Promise<void> {
    const later = this.starts.findIndex(({ atMs }) => atMs > untilMs);
    const starts = this.starts.splice(0, later < 0 ? this.starts.length : later);
    const idle = this.#idle = Promise.withResolvers<void>();
    this.tell({ type: "run", untilMs, starts });
    await inTime("goes on", idle.promise);
  }

  /** Adds what is to begin. */
  start(start: Start): void {
    this.starts.push(start);
    this.starts.sort((a, b) => a.atMs - b.atMs);
  }

  tell(command: Command): void {
    this.#socket.send(JSON.stringify(command));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => void (this.#socket.onclose = resolve));
    this.#socket.close();
    await inTime("goes", closed);
  }

  async #receive(message: Message): Promise<void> {
    try {
      message.log.forEach(this.#take);
      if (message.type === "idle") {
        this.nextMs = message.nextMs;
        return this.#idle?.resolve();
      }
      const reply = await this.#respond(message.question, message.at);
      this.tell({ type: "reply", id: message.id, reply });
    } catch (error) {
      this.#idle?.reject(error);
    }
  }
}
