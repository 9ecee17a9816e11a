/**
 * Markup from templates: whatever is put into one is escaped, unless it is markup already.
 *
 * @module
 */

/** Markup that is safe to put into a page. */
export interface Markup {
  readonly markup: string;
}

/** What a template takes; `undefined` and `false` leave nothing. */
export type Child = string | number | false | undefined | Markup | readonly Markup[];

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as it is written between tags and in quoted attributes. */
function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => ENTITIES[character] ?? "");
}

function rendered(child: Child): string {
  if (child === undefined || child === false) return "";
  if (typeof child === "string" || typeof child === "number") return escapeHtml(String(child));
  return "markup" in child ? child.markup : child.map(({ markup }) => markup).join("");
}

/**
 * A template; attributes in it must be quoted.
 *
 * It is not called `html`, as the formatter would then put blanks into it.
 */
export function markup(strings: TemplateStringsArray, ...children: readonly Child[]): Markup {
  const parts = strings.map((text, index) => text + rendered(children[index]));
  return { markup: parts.join("") };
}
