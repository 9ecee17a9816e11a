/**
 * How a loopback receiver ends, and what it then leaves behind: nothing. Run on Deno, Bun and Node.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { isAuthError } from "../../src/errors/auth_error.ts";
import { ClientAuthError, ClientConfigurationError } from "../../src/errors/errors.ts";
import { refusePort } from "../../src/host/loopback_server.ts";
import { LoopbackReceiver, type LoopbackReceiverOptions } from "../../src/host/mod.ts";
import type { AuthCodeListener } from "../../src/request/auth_code_receiver.ts";
import { FakeClock } from "../support/fake_clock.ts";
import { formOf, type HostCase, parseResponse, portOf, post, requestText, wire } from "./host_http.ts";

const STATE = "the secret state";
const wait = { authUri: `https://login.example/authorize?state=${encodeURIComponent(STATE)}`, state: STATE };

function open(options: LoopbackReceiverOptions = {}): Promise<AuthCodeListener> {
  return new LoopbackReceiver({ openBrowser: () => {}, ...options }).open();
}

/** Proves that a port can be had again. */
async function assertFree(port: number): Promise<void> {
  await (await open({ port })).close();
}

/** Proves that a wait ends with a code, without its state, and with its port free. */
async function assertEnds(
  listener: AuthCodeListener,
  received: Promise<unknown>,
  code: string,
): Promise<void> {
  const error = await assertRejects(() => received, ClientAuthError);
  assertEquals(error.code, code);
  assert(!`${error.stack} ${JSON.stringify(error)}`.includes(STATE));
  await assertFree(portOf(listener));
  await listener.close();
}

/** A signal that counts who listens to it. */
function countedSignal(): { signal: AbortSignal; abort(): void; count(): number } {
  const controller = new AbortController();
  const { signal } = controller;
  let count = 0;
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: unknown[]) => (count++, addEventListener.apply(signal, args as never));
  signal.removeEventListener = (
    ...args: unknown[]
  ) => (count--, removeEventListener.apply(signal, args as never));
  return { signal, abort: () => controller.abort(new Error("enough")), count: () => count };
}

/** The cases, in order. */
export const endingCases: readonly HostCase[] = [
  ["R3: a busy port is an error that names it, and its holder goes on", async () => {
    const first = await open();
    const port = portOf(first);
    const error = await assertRejects(
      () => open({ port }),
      ClientConfigurationError,
      `127.0.0.1:${port} is in use`,
    );
    assertEquals([error.code, error.option], ["invalid_option", "port"]);
    const received = first.receive(wait);
    await post(first, `code=c&state=${encodeURIComponent(STATE)}`);
    assertEquals(new URLSearchParams(await received).get("code"), "c");
    await first.close();
    await assertFree(port);
  }],
  ["a port that cannot be had is an error that names it", () => {
    const rows: readonly [error: unknown, why: string][] = [
      [
        Object.assign(new Error("listen EACCES: secret"), { code: "EACCES" }),
        "may not listen on 127.0.0.1:80.",
      ],
      [
        Object.assign(new Error("secret"), { code: "EADDRNOTAVAIL" }),
        "127.0.0.1:80 cannot be listened on (EADDRNOTAVAIL)",
      ],
      [new TypeError("secret"), "127.0.0.1:80 cannot be listened on (TypeError)"],
      [Object.assign(new Error("secret"), { code: "secret" }), "127.0.0.1:80 cannot be listened on (Error)"],
    ];
    for (const [thrown, why] of rows) {
      const error = assertThrows(() => refusePort(80, thrown), ClientConfigurationError, why);
      assert(!error.message.includes("secret"), error.message);
    }
    return Promise.resolve();
  }],
  ["an aborted signal opens nothing", async () => {
    const signal = AbortSignal.abort(new Error("enough"));
    const receiver = new LoopbackReceiver();
    const error = await assertRejects(() => receiver.open({ signal }), ClientAuthError);
    assertEquals([error.code, (error.cause as Error).message], ["request_aborted", "enough"]);
    const busy = await open();
    const port = portOf(busy);
    // No port was tried.
    const early = await assertRejects(() => new LoopbackReceiver({ port }).open({ signal }), ClientAuthError);
    assertEquals(early.code, "request_aborted");
    await busy.close();
    const later = new AbortController();
    const opening = new LoopbackReceiver({ port }).open({ signal: later.signal });
    later.abort();
    assertEquals((await assertRejects(() => opening, ClientAuthError)).code, "request_aborted");
    await assertFree(port);
  }],
  ["an abort before, and during, the wait ends it and frees the port", async () => {
    const early = await open();
    let opened = 0;
    const signal = AbortSignal.abort();
    await assertEnds(early, early.receive({ ...wait, signal }), "request_aborted");
    const listener = await open({ openBrowser: () => void opened++ });
    const counted = countedSignal();
    const received = listener.receive({ ...wait, signal: counted.signal });
    received.catch(() => {});
    assertEquals([opened, counted.count()], [1, 1]);
    await post(listener, "code=c&state=other");
    counted.abort();
    await assertEnds(listener, received, "request_aborted");
    assertEquals(counted.count(), 0);
  }],
  ["an abort after the answer changes nothing, and the signal is let go", async () => {
    const listener = await open();
    const counted = countedSignal();
    const received = listener.receive({ ...wait, signal: counted.signal });
    await post(listener, `code=c&state=${encodeURIComponent(STATE)}`);
    assertEquals(new URLSearchParams(await received).get("code"), "c");
    counted.abort();
    assertEquals(counted.count(), 0);
    await listener.close();
  }],
  ["the wait ends after five minutes, and leaves no timer", async () => {
    const clock = new FakeClock();
    const listener = await open({ clock });
    const received = listener.receive(wait);
    received.catch(() => {});
    await clock.advance(299_999);
    assertEquals((await post(listener, "code=c&state=other")).status, 400);
    await clock.advance(1);
    const error = await assertRejects(() => received, ClientAuthError, "within 300 s");
    assertEquals([error.code, clock.pending], ["interaction_timeout", 0]);
    await assertFree(portOf(listener));
  }],
  ["a deadline of the call wins over that of the receiver, and Infinity is none", async () => {
    const clock = new FakeClock();
    const short = await open({ clock, timeoutMs: Infinity });
    const received = short.receive({ ...wait, timeoutMs: 1_000 });
    received.catch(() => {});
    await clock.advance(1_000);
    await assertEnds(short, received, "interaction_timeout");
    const endless = await open({ clock, timeoutMs: 1 });
    const answer = endless.receive({ ...wait, timeoutMs: Infinity });
    assertEquals(clock.pending, 0);
    await post(endless, `code=c&state=${encodeURIComponent(STATE)}`);
    assertEquals(new URLSearchParams(await answer).get("code"), "c");
    await endless.close();
  }],
  ["the runtime's own timer ends the wait, too", async () => {
    const listener = await open({ timeoutMs: 20 });
    await assertEnds(listener, listener.receive(wait), "interaction_timeout");
  }],
  ["close() ends the wait and every connection, and can be called again", async () => {
    const listener = await open();
    const received = listener.receive(wait);
    received.catch(() => {});
    const keepAlive = requestText(listener, { headers: { connection: "keep-alive" } });
    const wires = [
      await wire(portOf(listener)),
      await wire(portOf(listener), "GET / HT"),
      await wire(portOf(listener), requestText(listener, formOf("code=c")).slice(0, -2)),
      await wire(portOf(listener), keepAlive),
    ];
    assertEquals(parseResponse(await wires.pop()!.ended).headers.get("connection"), "close");
    await Promise.all([listener.close(), listener.close()]);
    // On Bun the system keeps a connection to itself until something is sent over it; it ends then.
    for (const { socket } of wires) socket.write("x");
    await Promise.all(wires.map(({ ended }) => ended));
    await assertEnds(listener, received, "request_aborted");
  }],
  ["a listener waits once, and not when it is closed", async () => {
    const listener = await open();
    const received = listener.receive(wait);
    assertEquals(
      (await assertRejects(() => listener.receive(wait), ClientConfigurationError)).code,
      "invalid_request",
    );
    await post(listener, `code=c&state=${encodeURIComponent(STATE)}`);
    await received;
    await assertRejects(() => listener.receive(wait), ClientConfigurationError, "waits once");
    await listener.close();
    const closed = await open();
    await closed.close();
    await assertRejects(() => closed.receive(wait), ClientConfigurationError, "closed");
  }],
  ["a wait for nothing that can come is refused before the browser opens", async () => {
    let opened = 0;
    const listener = await open({ openBrowser: () => void opened++ });
    const rows: readonly Record<string, unknown>[] = [
      { authUri: "javascript:alert(1)" },
      { authUri: "file:///etc/passwd" },
      { authUri: "-a" },
      { authUri: "" },
      { authUri: undefined },
      { state: "" },
      { state: undefined },
      { timeoutMs: 0 },
      { timeoutMs: NaN },
    ];
    for (const row of rows) {
      const error = await assertRejects(
        () => listener.receive({ ...wait, ...row } as never),
        ClientConfigurationError,
      );
      assertEquals([error.code, error.option], ["invalid_request", Object.keys(row)[0]]);
    }
    assertEquals(opened, 0);
    await listener.close();
  }],
  ["slow connections are ended, and do not keep the answer out", async () => {
    const listener = await open();
    const received = listener.receive(wait);
    const port = portOf(listener);
    const form = requestText(listener, formOf(`code=slow&state=${encodeURIComponent(STATE)}`));
    const slow = await Promise.all([wire(port, "GET / HTTP/1.1\r\nhost: "), wire(port, form.slice(0, -3))]);
    const drip = setInterval(() => slow[0]!.socket.write("x"), 200);
    try {
      const ends = await Promise.all(slow.map(({ ended }) => ended));
      for (const end of ends) assert(/^$|^HTTP\/1\.1 408 /.test(end), end);
    } finally {
      clearInterval(drip);
    }
    assertEquals((await post(listener, `code=c&state=${encodeURIComponent(STATE)}`)).status, 200);
    assertStringIncludes(String(await received), "code=c");
    await listener.close();
  }],
  ["everything that is thrown is an error of the library", async () => {
    const listener = await open();
    const error = await assertRejects(() => listener.receive({ ...wait, authUri: "x" }));
    assertEquals(isAuthError(error), true);
    await listener.close();
  }],
];
