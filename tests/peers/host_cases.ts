/**
 * What a loopback receiver does while it listens: answers, and what is none. Run on Deno, Bun and Node.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LoopbackReceiver, type LoopbackReceiverOptions } from "../../src/host/mod.ts";
import type { AuthCodeListener } from "../../src/request/auth_code_receiver.ts";
import { formOf, type HostCase, parseResponse, portOf, post, requestText, send, wire } from "./host_http.ts";

const STATE = "test_state_67890";
const CODE = "test_auth_code_12345";
const GOOD = `code=${CODE}&state=${STATE}`;
const authUri = `https://login.microsoftonline.com/common/oauth2/v2.0/authorize?state=${STATE}`;

/** Opens a listener that waits, runs the body, and returns what was received. */
async function receiving(
  body: (listener: AuthCodeListener) => Promise<void>,
  options: LoopbackReceiverOptions = {},
): Promise<string> {
  const listener = await new LoopbackReceiver({ openBrowser: () => {}, ...options }).open();
  try {
    const received = listener.receive({ authUri, state: STATE });
    // Heard here too, so that a failing body is what the test reports.
    received.catch(() => {});
    await body(listener);
    return new URLSearchParams(await received).toString();
  } finally {
    await listener.close();
  }
}

/** Sends things that must not end the wait, then the answer; and proves that it is what was received. */
async function stillReceives(
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

/** The cases, in order. */
export const answerCases: readonly HostCase[] = [
  ["R2: port 0 is some free port, and the redirect URI names it", async () => {
    for (
      const [options, uri] of [
        [{}, /^http:\/\/localhost:\d+$/],
        [{ redirectHost: "127.0.0.1" }, /^http:\/\/127\.0\.0\.1:\d+$/],
        [{ path: "/auth/callback" }, /^http:\/\/localhost:\d+\/auth\/callback$/],
      ] as const
    ) {
      const listener = await new LoopbackReceiver(options).open();
      assert(uri.test(listener.redirectUri), listener.redirectUri);
      assert(portOf(listener) > 0);
      assertEquals(listener.responseMode, "form_post");
      await listener.close();
    }
  }],
  ["R7: a posted code is received, and the page says so without code or state", async () => {
    const received = await receiving(async (listener) => {
      const { status, headers, body } = await post(listener, `${GOOD}&session_state=s%2B1`);
      assertEquals([status, headers.get("content-type")], [200, "text/html; charset=utf-8"]);
      assertEquals([headers.get("cache-control"), headers.get("connection")], ["no-store", "close"]);
      assertStringIncludes(headers.get("content-security-policy")!, "default-src 'none'");
      assertStringIncludes(body, "close this window");
      assertEquals(Number(headers.get("content-length")), new TextEncoder().encode(body).byteLength);
      const all = body + JSON.stringify([...headers]);
      assert(!all.includes(CODE) && !all.includes(STATE), all);
    });
    assertEquals(received, `${GOOD}&session_state=s%2B1`);
  }],
  ["R8: a posted error is received, and the page shows it", async () => {
    const error = `error=access_denied&error_description=User+denied+access&state=${STATE}`;
    const received = await receiving(async (listener) => {
      const { status, body } = await post(listener, error);
      assertEquals(status, 400);
      assertStringIncludes(body, "User denied access");
      assert(!body.includes(STATE), body);
    });
    assertEquals(received, error);
  }],
  ["R4, R5, R10: an error's markup is escaped, by GET and by POST", async () => {
    const templates = { error: "<html>$error</html>" };
    const rows = {
      "<tag>foo</tag>": "&lt;tag&gt;foo&lt;/tag&gt;",
      "<script>alert('xss')</script>": "&lt;script&gt;alert(&#x27;xss&#x27;)&lt;/script&gt;",
    };
    for (const [error, escaped] of Object.entries(rows)) {
      const form = String(new URLSearchParams({ error, state: STATE }));
      for (const request of [{ target: `/?${form}` }, formOf(form)]) {
        const received = await receiving(async (listener) => {
          assertEquals((await send(listener, request)).body, `<html>${escaped}</html>`);
        }, { templates });
        assertEquals(new URLSearchParams(received).get("error"), error);
      }
    }
  }],
  [
    "R9: a wrong state is refused, and a stranger cannot end the wait",
    () =>
      stillReceives(async (listener) => {
        for (const bad of ["state=other", "", "state=", `state=${STATE}&state=${STATE}`, `state=${STATE}x`]) {
          for (const kind of ["code=evil", "error=evil&error_description=<b>evil</b>"]) {
            const { status, body } = await post(listener, `${kind}&${bad}`);
            assertEquals(status, 400);
            assert(!body.includes("evil") && !body.includes(STATE), body);
          }
        }
        assertEquals((await send(listener, { target: "/?error=access_denied&state=other" })).status, 400);
      }),
  ],
  [
    "a code by GET is not supported with form_post, and the wait goes on",
    () =>
      stillReceives(async (listener) => {
        const { status, body } = await send(listener, { target: `/?${GOOD}` });
        assertEquals(status, 400);
        assertStringIncludes(body, "not supported");
      }),
  ],
  [
    "with response mode query a GET is the answer, and a HEAD is not",
    () =>
      stillReceives(async (listener) => {
        const head = await send(listener, { method: "HEAD", target: `/?${GOOD}` });
        assertEquals([head.status, head.body], [200, ""]);
        assertEquals((await post(listener, GOOD)).status, 405);
      }, { responseMode: "query" }),
  ],
  ["neutral requests get neutral pages, and the wait goes on", () =>
    stillReceives(async (listener) => {
      const rows = { "/": 200, "/favicon.ico": 404, "/?x=%zz": 200, "//evil.example/": 404 };
      for (const [target, wanted] of Object.entries(rows)) {
        const { status, body } = await send(listener, { target });
        assertEquals(status, wanted, target);
        assert(!body.includes(STATE) && !body.includes("authorize"), body);
        const head = await send(listener, { method: "HEAD", target });
        assertEquals([head.status, head.body], [wanted, ""], target);
      }
      for (const method of ["PUT", "OPTIONS", "DELETE"]) {
        assertEquals((await send(listener, { method })).status, 405, method);
      }
    })],
  [
    "a POST of another type, an empty one and percent-encoding garbage are refused, and the wait goes on",
    () =>
      stillReceives(async (listener) => {
        const json = { method: "POST", headers: { "content-type": "application/json" }, body: "{}" };
        assertEquals((await send(listener, json)).status, 400);
        assertEquals((await send(listener, { method: "POST", body: GOOD })).status, 400);
        for (
          const body of [
            "",
            "%",
            "%zz%=%&&&==",
            "\u0000\uffff",
            "code",
            "code%",
            `code=%ff%fe&state=%${STATE}`,
          ]
        ) {
          assertEquals((await post(listener, body)).status, 400, body);
        }
      }),
  ],
  ["percent-encoding garbage beside the answer does not spoil it", async () => {
    const received = await receiving(async (listener) => {
      assertEquals((await post(listener, `%zz=%&${GOOD}&x=%ff`)).status, 200);
    });
    assertEquals(new URLSearchParams(received).get("code"), CODE);
  }],
  [
    "a body of 70 kB is refused with 413, a flood is cut, and the wait goes on",
    () =>
      stillReceives(async (listener) => {
        const { status, body } = await post(listener, `${GOOD}&x=${"y".repeat(70_000)}`);
        assertEquals(status, 413);
        assertStringIncludes(body, "too large");
        const type = "content-type: application/x-www-form-urlencoded";
        const head = `POST / HTTP/1.1\r\nhost: localhost\r\n${type}\r\ncontent-length: 9000000\r\n\r\n`;
        const { ended } = await wire(portOf(listener), head, "x".repeat(3_000_000));
        assertEquals(await ended, "");
        const large = `code=${"c".repeat(60_000)}&state=other`;
        assertEquals((await post(listener, large)).status, 400);
      }),
  ],
  ["a request for another host is refused (DNS rebinding)", () =>
    stillReceives(async (listener) => {
      const port = portOf(listener);
      for (const host of ["evil.example", `evil.example:${port}`, "localhost", `localhost:${port + 1}`]) {
        assertEquals(
          (await send(listener, { ...formOf(GOOD), headers: { ...formOf("").headers, host } })).status,
          421,
        );
      }
      const absolute = { ...formOf(GOOD), target: `http://localhost:${port}/` };
      assertEquals((await send(listener, absolute)).status, 421);
    })],
  ["what is no HTTP is refused, and the wait goes on", () =>
    stillReceives(async (listener) => {
      for (
        const text of [
          "\x16\x03\x01garbage\r\n\r\n",
          "GET / HTTP/1.1\r\n\r\n",
          "CONNECT x:80 HTTP/1.1\r\nhost: x\r\n\r\n",
        ]
      ) {
        const { status } = parseResponse(await (await wire(portOf(listener), text)).ended);
        assert(status === 400 || status === 0, `${status}`);
      }
    })],
  ["the cookies of other programs on localhost do not get in the way", async () => {
    const headers = { ...formOf("").headers, cookie: "a=b; ".repeat(8_000) };
    const received = await receiving(async (listener) => {
      assertEquals((await send(listener, { ...formOf(GOOD), headers })).status, 200);
    });
    assertEquals(received, GOOD);
  }],
  ["of two answers at once, and of one sent again, one counts", async () => {
    const received = await receiving(async (listener) => {
      const bodies = ["first", "second"].map((code) => post(listener, `code=${code}&state=${STATE}`));
      const pages = (await Promise.all(bodies)).map(({ body }) => body.includes("Sign-in received"));
      assertEquals(pages.sort(), [false, true]);
      const again = await post(listener, `code=third&state=${STATE}`);
      assertEquals([again.status, again.body.includes("Nothing here")], [200, true]);
    });
    assert(/^code=(first|second)&state=/.test(received), received);
  }],
  ["before receive() is called nothing is the answer", async () => {
    const listener = await new LoopbackReceiver({ openBrowser: () => {} }).open();
    assertStringIncludes((await post(listener, GOOD)).body, "Nothing here");
    const received = listener.receive({ authUri, state: STATE });
    await post(listener, "code=later&state=" + STATE);
    assertEquals(String(await received), `code=later&state=${STATE}`);
    await listener.close();
  }],
  ["two receivers at once each get their own answer", async () => {
    const receiver = new LoopbackReceiver({ openBrowser: () => {} });
    const [a, b] = [await receiver.open(), await receiver.open()];
    const received = [a.receive({ authUri, state: "state A" }), b.receive({ authUri, state: "state B" })];
    assertEquals((await post(a, "code=1&state=state+B")).status, 400);
    assertEquals((await post(b, "code=B&state=state+B")).status, 200);
    assertEquals((await post(a, "code=A&state=state+A")).status, 200);
    assertEquals((await Promise.all(received)).map(String), ["code=A&state=state+A", "code=B&state=state+B"]);
    await Promise.all([a.close(), b.close()]);
  }],
  ["the browser gets its whole page, however soon the listener is closed", async () => {
    for (let round = 0; round < 40; round++) {
      let page: Promise<{ body: string }> | undefined;
      const received = await receiving((listener) => {
        page = post(listener, GOOD);
        return Promise.resolve();
      });
      assertEquals(received, GOOD);
      assertStringIncludes((await page!).body, "</html>");
    }
  }],
  ["an answer counts when its sender does not read the page", async () => {
    const received = await receiving(async (listener) => {
      const { socket } = await wire(portOf(listener), requestText(listener, formOf(GOOD)));
      socket.pause();
    });
    assertEquals(received, GOOD);
  }],
];
