/**
 * What the browser shows when it comes back: templates, and the headers around them.
 *
 * @module
 */

/** A page that is sent. */
export interface Page {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * The texts of the pages, each HTML where it begins with `<`, else plain text.
 *
 * `$name` and `${name}` stand for a value, which is escaped in HTML; `$$` for a dollar. Scripts never run.
 */
export interface ReceiverTemplates {
  /** Shown when a code has come. It has no placeholder: the code is nobody's business. */
  readonly success?: string | undefined;
  /** Shown when the authority refused: `$error`, `$error_description`, `$error_uri`. */
  readonly error?: string | undefined;
  /** Shown for an answer to another request. It has no placeholder: whoever sent it chose the values. */
  readonly mismatch?: string | undefined;
}

/** The name of a page. */
export type PageName =
  | keyof ReceiverTemplates
  | "waiting"
  | "unsupported"
  | "invalid"
  | "tooLarge"
  | "misdirected";

const STYLE =
  "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;display:grid;min-height:90vh;place-items:center}" +
  "main{max-width:30rem;padding:1.5rem;overflow-wrap:anywhere}h1{font-size:1.5rem}:root{color-scheme:light dark}";

function html(title: string, ...paragraphs: string[]): string {
  const text = paragraphs.map((paragraph) => `<p>${paragraph}</p>`).join("");
  return `<!doctype html><html lang="en"><head><meta charset="utf-8">` +
    `<meta name="viewport" content="width=device-width,initial-scale=1"><title>${title}</title>` +
    `<style>${STYLE}</style></head><body><main><h1>${title}</h1>${text}</main></body></html>`;
}

const BACK = "You can close this window and go back to the application.";

function defaultTemplate(name: PageName): string {
  switch (name) {
    case "success":
      return html("Sign-in received", BACK);
    case "error":
      return html("Sign-in failed", "$error_description", "<small>$error $error_uri</small>", BACK);
    case "mismatch":
      return html("Not this sign-in", "This answer belongs to another sign-in. Use the newest window.");
    case "waiting":
      return html("Nothing here", "This address waits for a sign-in that goes on in another window.");
    case "unsupported":
      return "An answer in the address is not supported: response_mode has to be form_post.";
    case "invalid":
      return "Invalid POST request: a form with code or error is expected.";
    case "tooLarge":
      return "Invalid POST request: it is too large.";
    case "misdirected":
      return "This request is for another host, or in a form that is not expected here.";
  }
}

const HEADERS: Readonly<Record<string, string>> = {
  "cache-control": "no-store",
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; " +
    "form-action 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "connection": "close",
};

/**
 * Makes a page.
 *
 * @param name Which one.
 * @param templates The application's own texts.
 * @param values What the placeholders stand for.
 */
export function renderPage(
  name: PageName,
  templates: ReceiverTemplates,
  values: Readonly<Record<string, string>> = {},
): Page {
  const own: Partial<Record<PageName, string | undefined>> = templates;
  const template = own[name] ?? defaultTemplate(name);
  const isHtml = template.trimStart().startsWith("<");
  const body = fill(template, values, isHtml ? escapeHtml : (text) => text);
  const type = `text/${isHtml ? "html" : "plain"}; charset=utf-8`;
  return { headers: { ...HEADERS, "content-type": type }, body };
}

/** In one pass, so that a value never becomes a placeholder; a name that is not known stays as it is. */
function fill(
  template: string,
  values: Readonly<Record<string, string>>,
  escape: (text: string) => string,
): string {
  return template.replace(/\$(?:\$|(\w+)|\{(\w+)\})/g, (whole, plain?: string, braced?: string) => {
    const name = plain ?? braced;
    if (name === undefined) return "$";
    return Object.hasOwn(values, name) ? escape(values[name]!) : whole;
  });
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#x27;",
};

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character]!);
}
