/**
 * Cookies that only this site's server reads.
 *
 * @module
 */

/** Reads and writes the cookies of one site. */
export class Cookies {
  readonly #isSecure: boolean;

  /** A site without TLS, which only loopback may be, cannot have `Secure` cookies. */
  constructor(site: URL) {
    this.#isSecure = site.protocol === "https:";
  }

  /** The cookies of a request whose names begin so, the oldest first. */
  list(request: Request, beginning: string): { readonly name: string; readonly value: string }[] {
    const pairs = (request.headers.get("cookie") ?? "").split(";").map((pair) => pair.trim().split("="));
    const own = pairs.map(([name = "", value = ""]) => ({ name: name.replace(/^__Host-/, ""), value }));
    return own.filter(({ name }) => name.startsWith(beginning));
  }

  /** One cookie of a request. */
  get(request: Request, name: string): string | undefined {
    return this.list(request, name).find((cookie) => cookie.name === name)?.value;
  }

  /** A `Set-Cookie` header; with no seconds left, it deletes. */
  set(name: string, value: string, maxAgeSeconds: number): [string, string] {
    // Of this prefix a browser takes none but from this very host.
    const [prefix, secure] = this.#isSecure ? ["__Host-", "; Secure"] : ["", ""];
    const rest = `Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure}`;
    return ["set-cookie", `${prefix}${name}=${value}; ${rest}`];
  }

  /** A `Set-Cookie` header that deletes. */
  delete(name: string): [string, string] {
    return this.set(name, "", 0);
  }
}
