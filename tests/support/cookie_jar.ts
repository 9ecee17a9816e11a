/**
 * A browser's cookies for one site: it keeps and sends what browsers do, and refuses what they refuse.
 *
 * @module
 */
import { assert, assertMatch } from "@std/assert";
import type { HeaderList } from "../../src/web/sessions.ts";
import type { FakeClock } from "./fake_clock.ts";

/** A cookie in the jar. */
export interface JarCookie {
  readonly name: string;
  readonly value: string;
  /** The attributes, names in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
  readonly endsAtMs: number;
}

/** Takes a header apart, and checks what RFC 6265bis and R-191 say of every cookie. */
export function parseSetCookie(header: string, nowMs = 0): JarCookie {
  assertMatch(header, /^[\x21-\x7e ]+$/);
  assert(header.length <= 4_096, `R-133 a cookie of ${header.length} bytes`);
  const [pair = "", ...rest] = header.split("; ");
  assertMatch(pair, /^[\w.-]+=[\w.~-]*$/);
  const attributes = new Map(rest.map((one) => {
    const [name = "", value = ""] = one.split("=");
    return [name.toLowerCase(), value];
  }));
  const [name = "", value = ""] = pair.split("=");
  if (name.startsWith("__Host-")) {
    assert(attributes.has("secure") && !attributes.has("domain"), `R-130 ${header}`);
  }
  if (name.startsWith("__Secure-")) assert(attributes.has("secure"), header);
  if (attributes.get("samesite") === "None") assert(attributes.has("secure"), header);
  assert(attributes.has("httponly") && attributes.get("path") === "/", header);
  return { name, value, attributes, endsAtMs: nowMs + Number(attributes.get("max-age")) * 1000 };
}

/** A jar. */
export class CookieJar {
  readonly #clock: FakeClock;
  readonly #cookies = new Map<string, JarCookie>();

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** The cookies that are sent now. */
  get cookies(): JarCookie[] {
    return [...this.#cookies.values()].filter(({ endsAtMs }) => endsAtMs > this.#clock.now());
  }

  /** Takes what an answer sets. */
  take(headers: HeaderList): void {
    for (const [header, text] of headers) {
      assert(header === "set-cookie", header);
      const cookie = parseSetCookie(text, this.#clock.now());
      this.#cookies.set(`${cookie.name} ${cookie.attributes.get("domain") ?? ""}`, cookie);
    }
  }

  /** A request with these cookies, and what somebody else has put before and behind them. */
  request(before = "", behind = ""): Request {
    const own = this.cookies.map(({ name, value }) => `${name}=${value}`);
    return requestWith([before, ...own, behind].filter(Boolean).join("; "));
  }

  /** The same cookies in another browser. */
  copy(): CookieJar {
    const jar = new CookieJar(this.#clock);
    for (const [key, cookie] of this.#cookies) jar.#cookies.set(key, cookie);
    return jar;
  }
}

/** A request with this `Cookie` header. */
export function requestWith(cookie: string): Request {
  return new Request("https://app.example/", { headers: cookie === "" ? {} : { cookie } });
}
