/**
 * One of the two Workers of a chaos run: an application over a store that misbehaves, and nothing of its own will.
 *
 * @module
 */
import { importJWK, type JWTPayload, SignJWT } from "jose";
import { ConfidentialClientApplication, TokenCache } from "../../mod.ts";
import { adapterOf, type Env, readCopy } from "./chaos_bindings.ts";
import { ChaosClock } from "./chaos_clock.ts";
import type { Reply } from "./chaos_issuer.ts";
import { type Answer, Operations } from "./chaos_operations.ts";
import { type Chance, chanceOf } from "./chaos_random.ts";
import { ChaosStore, type Place } from "./chaos_store.ts";
import {
  CLIENT_ID,
  type Command,
  type Entry,
  type Happening,
  HOST,
  ISSUER,
  type Message,
  type Question,
  type Scene,
  type Start,
  TENANT_ID,
  type When,
} from "./chaos_wire.ts";

export { TimedStoreObject } from "./chaos_bindings.ts";

/** A WebSocket, as workerd has it. */
interface Socket {
  accept(): void;
  send(text: string): void;
  addEventListener(type: "message", listener: (event: { data: string }) => void): void;
}

/** How long the issuer takes, there and back. */
const ISSUER_DELAY_MS = 200;

/** What is left when an isolate is thrown away: the data centre, and the way to the driver. */
class Worker implements Place {
  readonly clock: ChaosClock;
  readonly chance: Chance;
  readonly misses: Map<string, number> = new Map();
  rates: Place["rates"];
  readonly #scene: Scene;
  readonly #init: Command & { type: "init" };
  readonly #env: Env;
  readonly #send: (message: Message) => void;
  readonly #replies = new Map<number, (reply: unknown) => void>();
  #entries: Entry[] = [];
  #asked = 0;
  #names = 0;
  #isolate = 0;
  #app: ConfidentialClientApplication | undefined;
  #running = new Set<number>();

  constructor(init: Command & { type: "init" }, env: Env, send: (message: Message) => void) {
    this.#init = init;
    this.#scene = init.scene;
    this.rates = init.scene.rates;
    this.#env = env;
    this.#send = send;
    this.clock = new ChaosClock(init.nowMs);
    this.chance = chanceOf(init.seed, init.side);
    Date.now = () => this.clock.now();
    Math.random = () => this.chance.unit();
    this.log = this.log.bind(this);
    this.past = this.past.bind(this);
  }

  log(happening: Happening): void {
    this.#entries.push({ ...happening, ...this.#here });
  }

  get #here(): When {
    return { atMs: this.clock.now(), side: this.#init.side, isolate: this.#isolate };
  }

  async past(key: string, atMs: number): Promise<{ value: string } | undefined> {
    const copy = await this.#ask({ ask: "past", key, atMs }) as string | null;
    const value = copy && await readCopy(this.#env, this, copy);
    return value ? { value } : undefined;
  }

  name(): string {
    return `${this.#init.side}.${++this.#names}`;
  }

  reply({ id, reply }: Command & { type: "reply" }): void {
    this.#replies.get(id)?.(reply);
    this.#replies.delete(id);
  }

  async run({ untilMs, starts }: Command & { type: "run" }): Promise<void> {
    const nowMs = this.clock.now();
    for (const start of starts) this.clock.setTimeout(() => this.#begin(start), start.atMs - nowMs);
    await this.clock.advance(untilMs);
    const { nextMs } = this.clock;
    this.#send({ type: "idle", log: this.#flush(), ...(nextMs !== undefined && { nextMs }) });
  }

  #begin({ id, operation }: Start): void {
    this.log({ what: "begun", id, operation });
    if (operation.kind === "restart") return this.#restart(id);
    const isolate = this.#isolate;
    this.#running.add(id);
    const operations = new Operations(this.#app ??= this.#make(), this.#scene, this.chance);
    const end = ({ outcome, kept }: Answer): void => {
      if (isolate !== this.#isolate) return;
      this.log({ what: "ended", id, outcome });
      kept.then(() => {
        if (isolate !== this.#isolate || !this.#running.delete(id)) return;
        this.log({ what: "saved", id });
      });
    };
    operations.perform(operation).then(end);
  }

  /** The application goes, with its memory and its timers; what it was about to do is never done. */
  #restart(id: number): void {
    for (const running of this.#running) this.log({ what: "abandoned", id: running });
    this.#running = new Set();
    this.clock.forget();
    this.#app = undefined;
    this.#isolate++;
    this.log({ what: "saved", id });
  }

  #make(): ConfidentialClientApplication {
    const { store: _, issuer, memoryEntries: maxEntries } = this.#scene;
    const store = new ChaosStore(adapterOf(this.#scene, this.#env, this), this);
    const isolate = this.#isolate;
    return new ConfidentialClientApplication({
      clientId: CLIENT_ID,
      clientCredential: "a secret of the client",
      ...(issuer === "reusable" ? { authority: `${HOST}/${TENANT_ID}` } : { oidcAuthority: ISSUER }),
      tokenCache: new TokenCache({ store, memory: { maxEntries } }),
      clock: this.clock,
      fetch: (url, init) => this.#fetch(String(url), init),
      onEvent: (event) => {
        if ("error" in event && isolate === this.#isolate) {
          this.log({ what: "event", type: event.type, code: event.error.code });
        }
      },
    });
  }

  async #fetch(url: string, init: RequestInit | undefined): Promise<Response> {
    const form = init?.method === "POST" ? `${init.body}` : undefined;
    await this.clock.sleep(this.chance.delayMs(ISSUER_DELAY_MS));
    const body = await this.#ask({ ask: "fetch", url, ...(form !== undefined && { form }) });
    await this.clock.sleep(this.chance.delayMs(ISSUER_DELAY_MS));
    const { status = 200, json, claims } = body as Reply;
    const idToken = claims && { id_token: await this.clock.real(() => this.#sign(claims)) };
    return Response.json({ ...json as object, ...idToken }, { status });
  }

  async #sign(claims: JWTPayload): Promise<string> {
    const key = await importJWK(this.#init.key, "RS256");
    return await new SignJWT(claims).setProtectedHeader({ alg: "RS256", kid: "k" }).sign(key);
  }

  #ask(question: Question): Promise<unknown> {
    return this.clock.real(() => {
      const id = ++this.#asked;
      const reply = new Promise((resolve) => void this.#replies.set(id, resolve));
      this.#send({ type: "ask", id, question, at: this.#here, log: this.#flush() });
      return reply;
    });
  }

  #flush(): Entry[] {
    const entries = this.#entries;
    this.#entries = [];
    return entries;
  }
}

function serve(socket: Socket, env: Env): void {
  let worker: Worker | undefined;
  const send = (message: Message): void => socket.send(JSON.stringify(message));
  addEventListener("unhandledrejection", (event) => {
    worker?.log({ what: "unhandled", reason: String((event as PromiseRejectionEvent).reason) });
  });
  socket.accept();
  socket.addEventListener("message", ({ data }) => {
    const command: Command = JSON.parse(data);
    if (command.type === "init") worker = new Worker(command, env, send);
    else if (command.type === "rates") worker!.rates = command.rates;
    else if (command.type === "reply") worker!.reply(command);
    else worker!.run(command).catch((error) => worker!.log({ what: "unhandled", reason: String(error) }));
  });
}

export default {
  fetch(_request: Request, env: Env): Response {
    // deno-lint-ignore no-explicit-any -- of workerd alone
    const [client, server] = Object.values(new (globalThis as any).WebSocketPair()) as [unknown, Socket];
    serve(server, env);
    return new Response(null, { status: 101, webSocket: client } as ResponseInit);
  },
};
