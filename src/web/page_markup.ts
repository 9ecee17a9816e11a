/**
 * The library's own pages: what is put into them is text, and nothing in them runs.
 *
 * @module
 */

import type { WebPage } from "./options.ts";

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text as markup. */
function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (found) => ENTITIES[found] as string);
}

// Two colours of everything; each pair has a contrast of 7 and more.
const STYLE =
  `:root{color-scheme:light dark;--ink:#16191d;--dim:#4a525c;--paper:#fff;--back:#eef0f3;--key:#1b4a8a;--on:#fff}
@media(prefers-color-scheme:dark){:root{--ink:#f0f2f5;--dim:#b4bcc6;--paper:#20252c;--back:#14171b;--key:#9cc3f7;--on:#10151c}}
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1rem/1.5 system-ui,sans-serif;color:var(--ink);background:var(--back)}
main{box-sizing:border-box;width:min(32rem,100vw - 2rem);margin:1rem 0;padding:2rem;border-radius:.75rem;background:var(--paper);overflow-wrap:anywhere}
h1{margin:0 0 .75rem;font-size:1.5rem;line-height:1.25}
p{margin:0 0 1.25rem}
small{display:block;margin-top:1.5rem;font-size:.875rem;color:var(--dim)}
a,button{box-sizing:border-box;display:inline-block;min-height:2.75rem;padding:.6rem 1.25rem;border:1px solid transparent;border-radius:.5rem;font:inherit;line-height:1.4;text-decoration:none;cursor:pointer;color:var(--on);background:var(--key)}
a:focus-visible,button:focus-visible{outline:3px solid var(--key);outline-offset:3px}
@media(forced-colors:active){a,button{border-color:currentColor}}`;

/** The way on: a link, or a button where something is done by it. */
function wayOn({ label, href, method }: WebPage["action"]): string {
  const [text, target] = [escaped(label), escaped(href)];
  return method === "post"
    ? `<form method="post" action="${target}"><button>${text}</button></form>`
    : `<a href="${target}">${text}</a>`;
}

/**
 * Draws a page.
 *
 * @param page What it says.
 * @returns The markup.
 */
export function pageMarkup({ title, text, reference, action, styleNonce }: WebPage): string {
  const note = reference === undefined ? "" : `\n<small>Reference: ${escaped(reference)}</small>`;
  return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}</title>
<style nonce="${escaped(styleNonce)}">${STYLE}</style>
</head>
<body>
<main>
<h1>${escaped(title)}</h1>
<p>${escaped(text)}</p>
${wayOn(action)}${note}
</main>
</body>
</html>
`;
}
