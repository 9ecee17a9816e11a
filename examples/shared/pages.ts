/**
 * The pages of the web application: what is put into them is text, and nothing in them runs.
 *
 * @module
 */

/** Markup that is safe to send. */
export interface Html {
  readonly html: string;
}

const ENTITIES: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Makes markup; every text that is put in is escaped. */
export function markup(strings: TemplateStringsArray, ...values: readonly (string | Html)[]): Html {
  const safe = values.map((value) =>
    typeof value === "string" ? value.replace(/[&<>"']/g, (found) => ENTITIES[found] ?? "") : value.html
  );
  return { html: String.raw({ raw: strings }, ...safe) };
}

const STYLE = `
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif }
body { margin: 0; min-height: 100svh; display: grid; place-items: center; background: light-dark(#f3f4f6, #15181d) }
main { box-sizing: border-box; width: min(28rem, 100vw - 2rem); margin: 1rem; padding: 2rem; border-radius: .75rem;
  background: light-dark(#fff, #20252d); box-shadow: 0 1px 4px #0003; overflow-wrap: anywhere }
h1 { margin: 0 0 .5rem; font-size: 1.5rem; line-height: 1.25 }
p, dl { margin: 0 0 1.25rem }
dt { color: light-dark(#57606c, #a3adba); font-size: .875rem }
dd { margin: 0 0 .5rem }
nav { display: flex; flex-wrap: wrap; gap: .75rem }
form { margin: 0 }
a, button { box-sizing: border-box; display: inline-grid; place-items: center; min-height: 2.75rem; padding: .5rem 1.25rem;
  border: 1px solid light-dark(#1d4f91, #8ab8f5); border-radius: .5rem; font: inherit; text-decoration: none; cursor: pointer;
  color: light-dark(#1d4f91, #8ab8f5); background: none }
.main { color: light-dark(#fff, #10151c); background: light-dark(#1d4f91, #8ab8f5) }
:focus-visible { outline: 3px solid light-dark(#d97706, #fbbf24); outline-offset: 2px }
`;

/** Makes the answers of a site whose forms lead to itself and to the authority. */
export class Pages {
  readonly #formTargets: string;

  constructor(authority: string) {
    this.#formTargets = `'self' ${new URL(authority).origin}`;
  }

  /** A page. */
  show(title: string, body: Html, status = 200): Response {
    const nonce = crypto.randomUUID();
    const { html } = markup`<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<style nonce="${nonce}">${{ html: STYLE }}</style>
<main>
<h1>${title}</h1>
${body}
</main>
</html>
`;
    const policy =
      `default-src 'none'; style-src 'nonce-${nonce}'; form-action ${this.#formTargets}; base-uri 'none'; frame-ancestors 'none'`;
    return new Response(html, {
      status,
      headers: [
        ["content-type", "text/html; charset=utf-8"],
        ["content-security-policy", policy],
        ["cache-control", "no-store"],
        // With `no-referrer` forms would be sent without their origin.
        ["referrer-policy", "same-origin"],
        ["x-content-type-options", "nosniff"],
      ],
    });
  }
}

/** Who is signed in, or nobody. */
export function homePage(
  user: { readonly name?: string | undefined; readonly username: string } | null,
): [string, Html] {
  if (user === null) {
    const body = markup`<p>Nobody is signed in here.</p>
<nav><a class="main" href="/auth/sign-in">Sign in</a></nav>`;
    return ["Welcome", body];
  }
  const body = markup`<p>You are signed in as ${user.username}.</p>
<nav><a class="main" href="/orders">Orders</a><a href="/invoices">Invoices</a><a href="/me">My profile</a>
<form method="post" action="/auth/switch-account"><button>Switch account</button></form>
<form method="post" action="/auth/sign-out"><button>Sign out</button></form></nav>`;
  return [`Hello ${user.name ?? user.username}`, body];
}

const PROFILE = { displayName: "Name", userPrincipalName: "User name", mail: "E-mail", id: "Object id" };

/** What Graph says of the user. */
export function profilePage(profile: Readonly<Record<string, unknown>>): [string, Html] {
  const rows = Object.entries(PROFILE).filter(([name]) => typeof profile[name] === "string").map(
    ([name, label]) => markup`<dt>${label}</dt><dd>${String(profile[name])}</dd>`.html,
  );
  return ["My profile", markup`<dl>${{ html: rows.join("\n") }}</dl>\n<nav><a href="/">Back</a></nav>`];
}

/** What the API answered. */
export function listPage(
  title: string,
  { for: whom, items }: { readonly for: string; readonly items: readonly string[] },
): [string, Html] {
  const rows = items.map((item) => markup`<li>${item}</li>`.html);
  return [
    title,
    markup`<p>For ${whom}</p>\n<ul>${{ html: rows.join("\n") }}</ul>\n<nav><a href="/">Back</a></nav>`,
  ];
}

/** Something that did not work, and how to go on. */
export function troublePage(title: string, text: string): [string, Html] {
  return [title, markup`<p>${text}</p>\n<nav><a class="main" href="/">Start page</a></nav>`];
}
