/**
 * What a loopback receiver takes for the answer. Run on Deno, Bun and Node.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { LoopbackReceiver } from "../../src/host/mod.ts";
import { formOf, type HostCase, parseResponse, portOf, post, requestText, send, wire } from "./host_http.ts";
import { AUTH_URI, CODE, GOOD, receiving, STATE } from "./host_scene.ts";

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
  ["percent-encoding garbage beside the answer does not spoil it", async () => {
    const received = await receiving(async (listener) => {
      assertEquals((await post(listener, `%zz=%&${GOOD}&x=%ff`)).status, 200);
    });
    assertEquals(new URLSearchParams(received).get("code"), CODE);
  }],
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
    const received = listener.receive({ authUri: AUTH_URI, state: STATE });
    await post(listener, "code=later&state=" + STATE);
    assertEquals(String(await received), `code=later&state=${STATE}`);
    await listener.close();
  }],
  ["two receivers at once each get their own answer", async () => {
    const receiver = new LoopbackReceiver({ openBrowser: () => {} });
    const [a, b] = [await receiver.open(), await receiver.open()];
    const received = [
      a.receive({ authUri: AUTH_URI, state: "state A" }),
      b.receive({ authUri: AUTH_URI, state: "state B" }),
    ];
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
  ["a page that is read slowly arrives whole, too", async () => {
    const success = `<p>$error $code</p>${"x".repeat(20_000_000)}</html>`;
    let page: Promise<string> | undefined;
    await receiving(async (listener) => {
      const { socket, ended } = await wire(portOf(listener), requestText(listener, formOf(GOOD)));
      page = ended;
      socket.pause();
      setTimeout(() => socket.resume(), 100);
    }, { templates: { success } });
    const { body } = parseResponse(await page!);
    assert(body === success, `${body.length} characters came`);
  }],
  ["an answer counts when its sender does not read the page", async () => {
    const received = await receiving(async (listener) => {
      const { socket } = await wire(portOf(listener), requestText(listener, formOf(GOOD)));
      socket.pause();
    });
    assertEquals(received, GOOD);
  }],
];
