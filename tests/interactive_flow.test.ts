/**
 * Sign-in through an injected receiver.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import type { AuthCodeReceiver, AuthCodeWait } from "../mod.ts";
import { failure } from "./support/app_fixture.ts";
import { type EntraDouble, entraDouble, HOME_ACCOUNT_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

interface Receiver extends AuthCodeReceiver {
  readonly log: string[];
  readonly waits: AuthCodeWait[];
}

/** A receiver whose user answers as a test says. */
function receiver(
  answer: (wait: AuthCodeWait) => Promise<Record<string, string>>,
  over: object = {},
): Receiver {
  const log: string[] = [];
  const waits: AuthCodeWait[] = [];
  return {
    log,
    waits,
    open: () => {
      log.push("open");
      return Promise.resolve({
        redirectUri: "http://localhost:53241",
        responseMode: "form_post" as const,
        receive: (wait: AuthCodeWait) => {
          log.push("receive");
          waits.push(wait);
          return answer(wait);
        },
        close: () => {
          log.push("close");
          return Promise.resolve();
        },
        ...over,
      });
    },
  };
}

/** A user who signs in. */
function willing(entra: EntraDouble) {
  return async ({ authUri, state }: AuthCodeWait): Promise<Record<string, string>> => {
    const nonce = new URL(authUri).searchParams.get("nonce");
    entra.next(await entra.answer({ nonce }));
    return { code: "a code", state };
  };
}

test("the receiver gets URL, state and limits, the code is redeemed, and the receiver is closed", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const taker = receiver(willing(entra));
  const result = await entra.settle(app.acquireTokenInteractive({
    scopes: ["User.Read"],
    receiver: taker,
    timeoutMs: 60_000,
    prompt: "select_account",
    extraScopesToConsent: ["Mail.Read"],
  }));
  assertEquals(result.account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(taker.log, ["open", "receive", "close"]);
  const [wait] = taker.waits;
  const sent = new URL(wait?.authUri ?? "").searchParams;
  assertEquals([sent.get("redirect_uri"), sent.get("response_mode")], [
    "http://localhost:53241",
    "form_post",
  ]);
  assertEquals([sent.get("state"), wait?.timeoutMs], [wait?.state, 60_000]);
  assertEquals(sent.get("scope"), "Mail.Read User.Read offline_access openid profile");
  const form = entra.posts[0]?.form;
  assertEquals(form?.get("scope"), "User.Read offline_access openid profile");
  assertEquals(form?.get("redirect_uri"), "http://localhost:53241");
  assertEquals(entra.posts[0]?.headers.get("x-client-current-telemetry"), "4|169,0|");
});

test("the receiver is closed whatever goes wrong, and its failure is told without its text", async () => {
  await eachRow(
    {
      "another state": [() => Promise.resolve({ code: "c", state: "x" }), "state_mismatch"],
      "an error": [
        ({ state }: AuthCodeWait) => Promise.resolve({ error: "access_denied", state }),
        "server_error",
      ],
      "a throw": [() => Promise.reject(new Error("secret text")), "unexpected_error"],
      "a token": [
        ({ state }: AuthCodeWait) => Promise.resolve({ code: "c", state, id_token: "x" }),
        "unexpected_token",
      ],
    } as Record<string, [(wait: AuthCodeWait) => Promise<Record<string, string>>, string]>,
    async ([answer, code]) => {
      const entra = entraDouble();
      const taker = receiver(answer);
      const error = await entra.refused(
        entra.public().acquireTokenInteractive({ scopes: ["User.Read"], receiver: taker }),
      );
      assertEquals(error.code, code);
      assert(!`${error.message}${JSON.stringify(error)}`.includes("secret text"));
      assertEquals(taker.log.at(-1), "close");
      assertEquals(entra.posts.length, 0);
    },
  );
});

test("what is wrong is refused before the receiver opens", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const taker = receiver(willing(entra));
  await eachRow({
    "no receiver": { scopes: ["User.Read"] },
    "a receiver that is none": { scopes: ["User.Read"], receiver: {} },
    "no time": { scopes: ["User.Read"], receiver: taker, timeoutMs: 0 },
    "a signal that is none": { scopes: ["User.Read"], receiver: taker, signal: {} },
    nothing: undefined,
  } as unknown as Record<string, never>, async (request) => {
    const error = await entra.refused(app.acquireTokenInteractive(request));
    assertEquals([error.name, error.code], ["ClientConfigurationError", "invalid_request"]);
  });
  assertEquals(taker.log, []);
});

test("a scope that is wrong is refused, and the receiver closed", async () => {
  const entra = entraDouble();
  const taker = receiver(willing(entra));
  const request = { scopes: ["openid"], receiver: taker };
  assertEquals((await entra.refused(entra.public().acquireTokenInteractive(request))).code, "invalid_scopes");
  assertEquals(taker.log.includes("receive"), false);
});

test("abort ends the sign-in: the receiver gets the signal", async () => {
  const entra = entraDouble();
  const controller = new AbortController();
  const taker = receiver(({ signal }) =>
    new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason)))
  );
  const call = entra.public().acquireTokenInteractive({
    scopes: ["User.Read"],
    receiver: taker,
    signal: controller.signal,
  });
  while (taker.waits.length === 0) await entra.clock.advance(0);
  controller.abort();
  assertEquals((await failure(call)).code, "request_aborted");
  assertEquals(taker.log, ["open", "receive", "close"]);
});

test("abort between two waits is not missed, though the receiver ignores signals", async () => {
  const entra = entraDouble();
  const controller = new AbortController();
  const taker = receiver(() => {
    controller.abort();
    return new Promise(() => {});
  });
  const request = { scopes: ["User.Read"], receiver: taker, signal: controller.signal };
  assertEquals(
    (await entra.refused(entra.public().acquireTokenInteractive(request))).code,
    "request_aborted",
  );
  assertEquals(taker.log.at(-1), "close");
});
