/**
 * Sends pages, with headers that close them.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import { ClientAuthError, nameOf } from "../errors/errors.ts";
import type { Emit } from "../runtime/events.ts";
import { CLOSED, headersOf } from "./answers.ts";
import type { WebPage } from "./options.ts";
import { pageMarkup } from "./page_markup.ts";
import type { HeaderList } from "./sessions.ts";

/** A page without what every page gets. */
export type PageContent = Omit<WebPage, "styleNonce">;

/** Draws a page instead of the library. */
export type RenderPage = (page: WebPage) => string | Promise<string>;

/**
 * Who may frame the page, and where its forms lead: browsers hold every redirect after a form against that, so a sign-out needs
 * all that the authority may pass it on to.
 */
function policyOf(nonce: string, hasForm: boolean, authority: string): string {
  const forms = hasForm ? `'self' https: ${authority}` : "'none'";
  return `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${forms}; base-uri 'none'; frame-ancestors 'none'`;
}

/** Sends pages. */
export class Pages {
  readonly #render: RenderPage | undefined;
  readonly #authority: string;
  readonly #emit: Emit | undefined;

  /**
   * Takes what pages need.
   *
   * @param render Draws them instead.
   * @param authority The authority's origin.
   * @param emit Is told of a `render` that throws.
   */
  constructor(render: RenderPage | undefined, authority: string, emit: Emit | undefined) {
    this.#render = render;
    this.#authority = authority;
    this.#emit = emit;
  }

  /**
   * Sends a page.
   *
   * @param request The request; one for the headers alone gets these.
   * @param content What the page says.
   * @param headers Cookies, and when to try again.
   * @returns The answer.
   */
  async show(request: Request, content: PageContent, headers: HeaderList = []): Promise<Response> {
    const styleNonce = encodeBase64Url(crypto.getRandomValues(new Uint8Array(16)));
    const isForm = content.action.method === "post";
    const body = request.method === "HEAD" ? null : await this.#draw({ ...content, styleNonce });
    return new Response(body, {
      status: content.status,
      headers: headersOf(
        CLOSED,
        [
          ["content-type", "text/html; charset=utf-8"],
          ["content-security-policy", policyOf(styleNonce, isForm, this.#authority)],
          ["x-frame-options", "DENY"],
          ["vary", "Cookie"],
        ],
        // Without a referrer old browsers send forms without their origin, too.
        isForm ? [["referrer-policy", "same-origin"]] : [],
        headers,
      ),
    });
  }

  async #draw(page: WebPage): Promise<string> {
    try {
      const drawn = await this.#render?.(page);
      if (typeof drawn === "string") return drawn;
      if (this.#render !== undefined) throw new TypeError();
    } catch (error) {
      const why = `Cannot draw a page: renderPage gave no text, or threw ${nameOf(error)}`;
      this.#emit?.({ type: "request_failed", error: new ClientAuthError("unexpected_error", why) });
    }
    return pageMarkup(page);
  }
}
