/**
 * A loopback receiver that waits for an answer with a known state.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { LoopbackReceiver, type LoopbackReceiverOptions } from "../../src/host/mod.ts";
import type { AuthCodeListener } from "../../src/request/auth_code_receiver.ts";
import { post, send } from "./host_http.ts";

/** The state that is waited for, and an answer with it. */
export const STATE = "test_state_67890";
export const CODE = "test_auth_code_12345";
export const GOOD: string = `code=${CODE}&state=${STATE}`;
export const AUTH_URI: string =
  `https://login.microsoftonline.com/common/oauth2/v2.0/authorize?state=${STATE}`;

/** Opens a listener that waits, runs the body, and returns what was received. */
export async function receiving(
  body: (listener: AuthCodeListener) => Promise<void>,
  options: LoopbackReceiverOptions = {},
): Promise<string> {
  const listener = await new LoopbackReceiver({ openBrowser: () => {}, ...options }).open();
  try {
    const received = listener.receive({ authUri: AUTH_URI, state: STATE });
    // Heard here too, so that a failing body is what the test reports.
    received.catch(() => {});
    await body(listener);
    return new URLSearchParams(await received).toString();
  } finally {
    await listener.close();
  }
}

/** Sends things that must not end the wait, then the answer; and proves that it is what was received. */
export async function stillReceives(
  body: (listener: AuthCodeListener) => Promise<void>,
  options: LoopbackReceiverOptions = {},
): Promise<void> {
  const received = await receiving(async (listener) => {
    await body(listener);
    const query = options.responseMode === "query";
    const { status } = await (query ? send(listener, { target: `/?${GOOD}` }) : post(listener, GOOD));
    assertEquals(status, 200);
  }, options);
  assertEquals(received, GOOD);
}
