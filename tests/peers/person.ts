/**
 * A person at a browser: types what the pages of an identity provider ask for, and goes where they lead.
 *
 * @module
 */
import { FormBrowser, type Visited } from "../support/form_browser.ts";

/** More pages than any sign-in has. */
const MAX_PAGES = 20;

/** What the person knows, by the names of the forms' fields. */
export type Knowledge = Readonly<Record<string, string>>;

/** Somebody with a browser of their own. */
export class Person {
  /** The browser. */
  readonly browser: FormBrowser;
  readonly #knows: Knowledge;

  /**
   * @param knows What is typed into fields of these names
   * @param send Sends what the browser sends; the network where absent
   */
  constructor(knows: Knowledge, send: (request: Request) => Promise<Response> = (request) => fetch(request)) {
    this.#knows = knows;
    this.browser = new FormBrowser(send);
  }

  /** Walks through a sign-in, to the request that the browser would then make to the app. */
  async signIn(url: string | URL): Promise<Request> {
    const request = await this.#walk(url);
    if (request) return request;
    throw new Error(`the pages ended at "${this.browser.page.heading}" with ${this.browser.page.status}`);
  }

  /** Walks to the last page, which has no form. */
  async finish(url: string | URL): Promise<Visited> {
    const request = await this.#walk(url);
    if (!request) return this.browser.page;
    throw new Error(`the pages led away, to ${new URL(request.url).origin}`);
  }

  async #walk(url: string | URL): Promise<Request | undefined> {
    const { origin } = new URL(url);
    let page = await this.browser.open(url);
    for (let pages = 0; pages < MAX_PAGES; pages++) {
      const { location, form } = page;
      if (location) {
        if (location.origin !== origin) return new Request(location);
        page = await this.browser.open(location);
      } else if (form) {
        const action = new URL(form.action, origin);
        if (action.origin !== origin) {
          return new Request(action, { method: "POST", body: new URLSearchParams(form.fields) });
        }
        page = await this.browser.submit(this.#typed(form.fields));
      } else return undefined;
    }
    throw new Error(`the pages do not end: ${page.heading}`);
  }

  #typed(fields: Knowledge): Knowledge {
    return Object.fromEntries(Object.entries(this.#knows).filter(([name]) => name in fields));
  }
}
