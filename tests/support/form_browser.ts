/**
 * A browser without a screen: keeps cookies, reads forms out of pages, and posts them.
 *
 * @module
 */

/** A page, or a redirect, as it arrived. */
export interface Visited {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The first form of the page. */
  readonly form: PageForm | undefined;
  /** The heading, as text. */
  readonly heading: string;
  /** Where the answer redirects to. */
  readonly location: URL | undefined;
}

/** A form of a page. */
export interface PageForm {
  readonly action: string;
  /** What would be posted if nothing were typed and no button pressed. */
  readonly fields: Readonly<Record<string, string>>;
  /** The buttons that have a name. */
  readonly buttons: readonly { readonly name: string; readonly value: string; readonly text: string }[];
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
  "&amp;": "&",
};

/** Text as a browser shows it. */
export function unescaped(markup: string): string {
  return markup.replace(/<[^>]*>/g, "").replace(/&(lt|gt|quot|#39|amp);/g, (entity) => ENTITIES[entity]!);
}

function attribute(tag: string, name: string): string {
  return unescaped(new RegExp(` ${name}="([^"]*)"`).exec(tag)?.[1] ?? "");
}

function formIn(text: string): PageForm | undefined {
  const [, open, content] = /(<form[^>]*>)([^]*?)<\/form>/.exec(text) ?? [];
  if (open === undefined || content === undefined) return undefined;
  const inputs = content.match(/<input[^>]*>/g) ?? [];
  const fields = Object.fromEntries(inputs.map((tag) => [attribute(tag, "name"), attribute(tag, "value")]));
  const buttons = [...content.matchAll(/(<button[^>]* name=[^>]*>)([^]*?)<\/button>/g)].map((
    [, tag, inner],
  ) => ({
    name: attribute(tag!, "name"),
    value: attribute(tag!, "value"),
    text: unescaped(inner!),
  }));
  return { action: attribute(open, "action"), fields, buttons };
}

/** One browser. */
export class FormBrowser {
  /** The cookies that it keeps. */
  readonly cookies: Map<string, string> = new Map();
  readonly #answer: (request: Request) => Promise<Response>;
  #url = "";
  #page: Visited | undefined;

  /** @param answer The server, such as `authority.handler` */
  constructor(answer: (request: Request) => Promise<Response>) {
    this.#answer = answer;
  }

  /** The latest answer. */
  get page(): Visited {
    if (!this.#page) throw new Error("no page was visited");
    return this.#page;
  }

  /** Visits an address. */
  async open(url: string | URL, init: RequestInit = {}): Promise<Visited> {
    this.#url = String(url);
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join("; ");
    const headers = new Headers(init.headers);
    if (cookie !== "") headers.set("cookie", cookie);
    const response = await this.#answer(new Request(this.#url, { ...init, headers, redirect: "manual" }));
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    const text = await response.text();
    const location = response.headers.get("location");
    this.#page = {
      status: response.status,
      headers: response.headers,
      text,
      form: formIn(text),
      heading: unescaped(/<h1[^>]*>([^]*?)<\/h1>/.exec(text)?.[1] ?? ""),
      location: location === null ? undefined : new URL(location, this.#url),
    };
    return this.#page;
  }

  /** Posts the page's form with these fields; `undefined` leaves one out. */
  async submit(typed: Readonly<Record<string, string | undefined>> = {}): Promise<Visited> {
    const { form } = this.page;
    if (!form) throw new Error(`no form on the page "${this.page.heading}"`);
    const fields = Object.entries({ ...form.fields, ...typed }).filter((field) => field[1] !== undefined);
    return await this.post(
      new URL(form.action, this.#url),
      new URLSearchParams(fields as [string, string][]),
    );
  }

  /** Posts a form of one's own. */
  async post(url: string | URL, body: URLSearchParams): Promise<Visited> {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    return await this.open(url, { method: "POST", headers, body: String(body) });
  }

  #keep(line: string): void {
    const [, name = "", value = ""] = /^([^=;]+)=([^;]*)/.exec(line) ?? [];
    if (/; Max-Age=0/.test(line)) this.cookies.delete(name);
    else this.cookies.set(name, value);
  }
}
