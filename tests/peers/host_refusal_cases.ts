/**
 * What a loopback receiver does not take for the answer: the wait goes on. Run on Deno, Bun and Node.
 *
 * @module
 */
import { assert, assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import {
  formOf,
  type HostCase,
  parseResponse,
  portOf,
  post,
  requestText,
  send,
  wire,
  wireTo,
} from "./host_http.ts";
import { GOOD, STATE, stillReceives } from "./host_scene.ts";

/** The cases, in order. */
export const refusalCases: readonly HostCase[] = [
  [
    "R9: a wrong state is refused, and a stranger cannot end the wait",
    () =>
      stillReceives(async (listener) => {
        // Its template has no placeholder: what it would show is a stranger's choice.
        for (const bad of ["state=other", "", "state=", `state=${STATE}&state=${STATE}`, `state=${STATE}x`]) {
          for (const kind of ["code=evil", "error=evil&error_description=<b>evil</b>"]) {
            const { status, body } = await post(listener, `${kind}&${bad}`);
            assertEquals(status, 400);
            assert(!body.includes("evil") && !body.includes(STATE), body);
          }
        }
        // What it would show is a stranger's choice.
        const { status, body } = await send(listener, { target: "/?error=evil&state=other" });
        assertEquals([status, body], [400, "<p>$error $state</p>"]);
      }, { templates: { mismatch: "<p>$error $state</p>" } }),
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
  ["a body that is cut off is no answer, and the wait goes on", () =>
    stillReceives(async (listener) => {
      for (const cut of [1, 10, GOOD.length]) {
        const { socket, ended } = await wire(
          portOf(listener),
          requestText(listener, formOf(GOOD)).slice(0, -cut),
        );
        await new Promise((resolve) => setTimeout(resolve, 20));
        socket.destroy();
        await ended;
      }
    })],
  ["only 127.0.0.1 is listened on", () =>
    stillReceives(async (listener) => {
      await assertRejects(() => wireTo("127.0.0.2", portOf(listener)), Error, "ECONNREFUSED");
    })],
];
