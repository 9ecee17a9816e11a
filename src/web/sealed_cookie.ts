/**
 * Cookies that only the application can read and make, in several parts where one is too small.
 *
 * @module
 */

import { CacheError } from "../errors/errors.ts";
import type { CookieAttributes, Cookies, SetCookieOptions } from "./cookies.ts";
import type { OpenedTexts } from "./opened_texts.ts";
import { SealedTexts } from "./sealed_texts.ts";
import type { HeaderList } from "./sessions.ts";

/** What browsers keep of a cookie, its name and its attributes together. */
const MAX_COOKIE_BYTES = 4_096;
/** What browsers send, and servers take. */
const MAX_PARTS = 8;
const MAX_TOTAL_BYTES = 16_384;
/** The text's last characters, part of its tag, tell whose part a part is. */
const MARK_CHARS = 12;

/** What a cookie held. */
export interface OpenedCookie<T> {
  /** What was accepted. */
  readonly value: T;
  /** Whether it was sealed with another secret than the first. */
  readonly isOld: boolean;
}

/** Sealed cookies of one purpose: those of another purpose, name or secret are not seen (R-132). */
export class SealedCookie {
  readonly #cookies: Cookies;
  readonly #texts: SealedTexts;

  /**
   * Makes the sealers; keys are derived at the first use.
   *
   * @param cookies The cookies.
   * @param secret One secret, or several, newest first.
   * @param label The purpose.
   * @param opened Where what was opened is remembered, for cookies that come with every request.
   * @throws {ClientConfigurationError} `invalid_option` for a secret that is missing, short or an example (R-175).
   */
  constructor(cookies: Cookies, secret: string | readonly string[], label: string, opened?: OpenedTexts) {
    this.#cookies = cookies;
    this.#texts = new SealedTexts(secret, `cookie ${label}`, opened);
  }

  /**
   * Reads a cookie.
   *
   * @param request The request.
   * @param name The cookie's name.
   * @returns What was written, of the first that opens; `undefined` for none.
   */
  async read(request: Request, name: string): Promise<unknown | undefined> {
    return (await this.open(request, name, (value) => value))?.value;
  }

  /**
   * Reads a cookie of a certain form.
   *
   * @param request The request.
   * @param name The cookie's name.
   * @param accept Tells what a value is; `undefined` where it is none, so that the next is tried.
   * @returns The first that opens and is accepted.
   */
  async open<T>(
    request: Request,
    name: string,
    accept: (value: unknown) => T | undefined | Promise<T | undefined>,
  ): Promise<OpenedCookie<T> | undefined> {
    const place = this.#cookies.nameOf(name);
    for (const text of this.#candidates(request, name)) {
      const opened = await this.#texts.open(text, place);
      const value = opened && await accept(opened.value);
      if (opened !== undefined && value !== undefined) return { value, isOld: opened.isOld };
    }
    return undefined;
  }

  /**
   * Writes a cookie, in parts where it has to be, and deletes parts that the request brought of a longer one.
   *
   * @param request The request that is answered.
   * @param name The cookie's name.
   * @param value Plain JSON.
   * @param options For how long, and where it is sent.
   * @returns The headers.
   * @throws {CacheError} `value_too_large` for more than 16 KiB.
   */
  async write(
    request: Request,
    name: string,
    value: unknown,
    options: SetCookieOptions,
  ): Promise<HeaderList> {
    const sealed = await this.#texts.seal(value, this.#cookies.nameOf(name));
    const headers = this.#inParts(name, sealed, options);
    const total = headers.reduce((sum, [, text]) => sum + text.length, 0);
    if (headers.length > MAX_PARTS || total > MAX_TOTAL_BYTES) {
      const why =
        `it would take more than ${MAX_TOTAL_BYTES} bytes. Name fewer sessionClaims, or keep sessions on the server: sessionStore`;
      throw new CacheError("value_too_large", `Cannot set the cookie ${this.#cookies.nameOf(name)}: ${why}`);
    }
    const isPart = headers.length > 1;
    const stale = this.#present(request, name)
      .filter((one) => one !== name && (!isPart || Number(one.slice(-1)) >= headers.length));
    // A whole one is read first. The browser may have one that it did not send: to answers that another site began.
    if (isPart) stale.push(name);
    return [...headers, ...stale.flatMap((one) => this.#cookies.delete(one, options))];
  }

  /**
   * Deletes a cookie and all its parts.
   *
   * @param request The request that is answered.
   * @param name The cookie's name.
   * @param attributes What it was set with.
   * @returns The headers.
   */
  clear(request: Request, name: string, attributes: CookieAttributes = {}): HeaderList {
    return [...new Set([name, ...this.#present(request, name)])]
      .flatMap((one) => this.#cookies.delete(one, attributes));
  }

  /**
   * Whether a request brought such a cookie, or a part of one; whether it opens is not tried.
   *
   * @param request The request.
   * @param name The cookie's name.
   */
  isIn(request: Request, name: string): boolean {
    return this.#present(request, name).length > 0;
  }

  /** The names of a cookie and its parts that a request brought, on whichever domain. */
  #present(request: Request, name: string): string[] {
    const names = [this.#cookies, this.#cookies.hostOnly]
      .flatMap((cookies) => cookies.namesBeginning(request, name));
    return [...new Set(names)].filter((one) => one === name || /^\.[0-7]$/.test(one.slice(name.length)));
  }

  /** One cookie, or several; the first says how many. */
  #inParts(name: string, sealed: string, options: SetCookieOptions): HeaderList {
    const whole = this.#cookies.set(name, sealed, options);
    if (whole[1].length <= MAX_COOKIE_BYTES) return [whole];
    const mark = sealed.slice(-MARK_CHARS);
    const empty = this.#cookies.set(`${name}.0`, `99~${mark}~`, options)[1].length;
    const room = MAX_COOKIE_BYTES - empty;
    const count = Math.ceil(sealed.length / room);
    return Array.from({ length: count }, (_, i) => {
      const part = sealed.slice(i * room, (i + 1) * room);
      return this.#cookies.set(`${name}.${i}`, `${i === 0 ? `${count}~` : ""}${mark}~${part}`, options);
    });
  }

  /** The texts that may be sealed ones: whole cookies, then parts that belong together. */
  *#candidates(request: Request, name: string): Generator<string> {
    const place = this.#cookies.nameOf(name);
    yield* this.#cookies.all(request, name, (text) => this.#texts.knows(text, place));
    for (const first of this.#cookies.all(request, `${name}.0`)) {
      const [, count, mark, part] = /^([2-8])~([\w.-]{12})(~[\w.-]+)$/.exec(first) ?? [];
      if (mark === undefined) continue;
      let text: string | undefined = part?.slice(1);
      for (let i = 1; i < Number(count) && text !== undefined; i++) {
        const next = this.#cookies.all(request, `${name}.${i}`).find((one) => one.startsWith(`${mark}~`));
        text = next === undefined ? undefined : text + next.slice(mark.length + 1);
      }
      if (text?.endsWith(mark)) yield text;
    }
  }
}
