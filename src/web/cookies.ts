/**
 * Cookies of this site: how they are named, read, set and deleted.
 *
 * @module
 */

import { ClientAuthError, refuse } from "../errors/errors.ts";
import type { HeaderList } from "./sessions.ts";

/** How cookies are set. */
export interface CookieSettings {
  /** What the names begin with, behind the browser's own `__Host-`. */
  readonly prefix: string;
  /** `false` on `http://localhost` alone: names have no `__Host-` then, because browsers take that for https only. */
  readonly secure: boolean;
  /** A domain, which makes the cookies weaker. */
  readonly domain?: string | undefined;
  /** For cookies that say nothing else. */
  readonly sameSite: "Lax" | "Strict";
}

/** What a cookie may say for itself. */
export interface CookieAttributes {
  /** Where it is sent. `"None"` makes it `Secure` on `http://localhost`, too: browsers take it in no other way. */
  readonly sameSite?: "Lax" | "Strict" | "None" | undefined;
}

/** What is set with a cookie. */
export interface SetCookieOptions extends CookieAttributes {
  /** For how long browsers keep it. */
  readonly maxAgeSeconds: number;
}

/** More cookies of one name than this are not looked at. */
const MAX_CANDIDATES = 4;
/** More names than this are not told. */
const MAX_NAMES = 64;
/** A name that is neither a `__Host-` of its own nor holds anything that ends a name. */
const PREFIX = /^(?!__)[\w-]{1,32}$/;
/** A name, and no address: browsers take no domain for those. */
const DOMAIN = /^(?!.*\.\d+$)(?=.{3,253}$)[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63})+$/i;
/** What a cookie's name and value may be made of, less than RFC 6265 allows. */
const PLAIN = /^[\w.~-]*$/;

/** Cookies of this site; every one is `HttpOnly` with `Path=/`. */
export class Cookies {
  /** The same for cookies that have no domain in any case: those of a sign-in. */
  readonly hostOnly: Cookies;
  readonly #settings: CookieSettings;

  /**
   * Checks the settings.
   *
   * @param settings How cookies are set.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  constructor(settings: CookieSettings) {
    const { prefix, secure, domain, sameSite } = settings;
    if (!PREFIX.test(prefix)) {
      refuse("invalid_option", "cookies.prefix", "it must be up to 32 letters, digits, _ and -");
    }
    if (sameSite !== "Lax" && sameSite !== "Strict") {
      refuse("invalid_option", "cookies.sameSite", 'it must be "Lax" or "Strict"');
    }
    if (domain !== undefined && !(secure && DOMAIN.test(domain))) {
      refuse(
        "invalid_option",
        "cookies.domain",
        "it must be a domain such as example.com, and the site's https",
      );
    }
    this.#settings = { prefix, secure, domain, sameSite };
    this.hostOnly = domain === undefined ? this : new Cookies({ prefix, secure, sameSite });
  }

  /**
   * A cookie's full name.
   *
   * @param name The name, without what all names begin with.
   */
  nameOf(name: string): string {
    const { prefix, secure, domain } = this.#settings;
    return `${secure ? domain === undefined ? "__Host-" : "__Secure-" : ""}${prefix}.${name}`;
  }

  /**
   * Reads a cookie. What browsers send for one name may be several: each has to be tried.
   *
   * @param request The request.
   * @param name The name.
   * @param isKnown Tells values that need not be looked at once more, which takes longer than all the rest.
   * @returns The values, in order, four at most; of those only that we may have set.
   */
  all(request: Request, name: string, isKnown?: (value: string) => boolean): readonly string[] {
    const header = request.headers.get("cookie") ?? "";
    const wanted = `${this.nameOf(name)}=`;
    const values: string[] = [];
    for (let at = header.indexOf(wanted); at >= 0 && values.length < MAX_CANDIDATES;) {
      const end = header.indexOf(";", at);
      const stop = end < 0 ? header.length : end;
      const value = header.slice(at + wanted.length, stop).trimEnd();
      if (isFirst(header, at) && value !== "" && (isKnown?.(value) || PLAIN.test(value))) values.push(value);
      at = header.indexOf(wanted, stop);
    }
    return values;
  }

  /**
   * Names of cookies that a request brought.
   *
   * @param request The request.
   * @param beginning What the names begin with.
   * @returns The names as {@linkcode Cookies.all} takes them, 64 at most, each once.
   */
  namesBeginning(request: Request, beginning: string): readonly string[] {
    const header = request.headers.get("cookie") ?? "";
    const own = this.nameOf("");
    const wanted = own + beginning;
    const names = new Set<string>();
    for (let at = header.indexOf(wanted); at >= 0 && names.size < MAX_NAMES;) {
      const end = header.indexOf(";", at);
      const stop = end < 0 ? header.length : end;
      const pair = header.slice(at + own.length, stop);
      const name = pair.slice(0, Math.max(0, pair.indexOf("=")));
      if (isFirst(header, at) && name !== "" && PLAIN.test(name)) names.add(name);
      at = header.indexOf(wanted, stop);
    }
    return [...names];
  }

  /**
   * Sets a cookie.
   *
   * @param name The name.
   * @param value Letters, digits, `-`, `_`, `.` and `~`.
   * @param options For how long, and where it is sent.
   * @returns The header.
   */
  set(name: string, value: string, options: SetCookieOptions): readonly ["set-cookie", string] {
    const { domain } = this.#settings;
    return this.#header(this.nameOf(name), value, options, domain === undefined ? "" : `; Domain=${domain}`);
  }

  /**
   * Deletes a cookie, with the attributes that it was set with; with a domain that without one, too.
   *
   * @param name The name.
   * @param attributes What it was set with.
   * @returns The headers.
   */
  delete(name: string, attributes: CookieAttributes = {}): HeaderList {
    const gone = { ...attributes, maxAgeSeconds: 0 };
    const own = this.set(name, "", gone);
    if (this.hostOnly === this) return [own];
    return [own, this.#header(this.nameOf(name), "", gone, ""), ...this.hostOnly.delete(name, attributes)];
  }

  #header(
    name: string,
    value: string,
    { maxAgeSeconds, sameSite = this.#settings.sameSite }: SetCookieOptions,
    domain: string,
  ): readonly ["set-cookie", string] {
    if (!PLAIN.test(name + value)) {
      throw new ClientAuthError("unexpected_error", "Cannot set a cookie: its name or value is not plain");
    }
    const secure = this.#settings.secure || sameSite === "None" ? "; Secure" : "";
    const maxAge = Math.max(0, Math.floor(maxAgeSeconds));
    return [
      "set-cookie",
      `${name}=${value}; Max-Age=${maxAge}; Path=/${domain}; HttpOnly${secure}; SameSite=${sameSite}`,
    ];
  }
}

/** Whether a cookie begins here: else it is the end of another one's name, or part of a value. */
function isFirst(header: string, at: number): boolean {
  let before = at - 1;
  while (header[before] === " " || header[before] === "\t") before--;
  return before < 0 || header[before] === ";";
}
