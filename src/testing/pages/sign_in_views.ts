/**
 * What is on the pages of a sign-in.
 *
 * @module
 */
import type { User } from "../declared.ts";
import { html, type Markup } from "./html.ts";

/** Where a form goes, and what it carries. */
export interface FormTarget {
  readonly action: string;
  readonly hidden: Readonly<Record<string, string>>;
}

/** What went wrong at the last try. */
export interface Mishap {
  readonly code?: number | undefined;
  readonly text: string;
}

/** A form with its hidden fields; `step` says which form it was. */
export function formOf({ action, hidden }: FormTarget, step: string, content: Markup): Markup {
  const fields = Object.entries({ ...hidden, step }).map(([name, value]) =>
    html`
      <input type="hidden" name="${name}" value="${value}">
    `
  );
  return html`<form method="post" action="${action}">${fields}
${content}
</form>`;
}

/** The message about what went wrong; inputs refer to it by its id. */
export function mishapOf(mishap: Mishap | undefined): Markup | undefined {
  return mishap && html`
    <p class="error" id="error" role="alert">${mishap.text}${mishap.code !== undefined && html`
      <span>(AADSTS${mishap.code})</span>
    `}</p>
  `;
}

/** The attributes that tie an input to the message. */
export function invalid(mishap: Mishap | undefined, describedBy?: string): Markup {
  const ids = [mishap && "error", describedBy].filter((id) => id !== undefined).join(" ");
  return html`${
    mishap && html`
      aria-invalid="true"
    `
  }${
    ids !== "" && html`
      aria-describedby="${ids}"
    `
  }`;
}

/** The two buttons that forms end with. */
export function buttons(yes: string, no?: string): Markup {
  return html`<div class="buttons">
<button class="main">${yes}</button>${
    no !== undefined && html`
      <button name="decision" value="cancel" formnovalidate>${no}</button>
    `
  }
</div>`;
}

function face({ name, username }: User): Markup {
  const [initial = ""] = name || username;
  return html`<span class="face" aria-hidden="true">${initial.toUpperCase()}</span>`;
}

/** The accounts that a person can choose from. */
export function accountsView(
  target: FormTarget,
  users: readonly User[],
  { title, purpose, other }: { title: string; purpose: Markup; other: string },
): Markup {
  const rows = users.map((user) =>
    html`
      <li><button name="user" value="${user.id}">${face(user)}<span class="name"><bdi>${user
        .name}</bdi> <bdi>${user.username}</bdi></span></button></li>
    `
  );
  const list = html`<ul class="accounts">${rows}
<li><button name="user" value=""><span class="face" aria-hidden="true">+</span><span class="name">${other}</span></button></li>
</ul>`;
  return html`<h1>${title}</h1>
<p class="soft">${purpose}</p>
${formOf(target, "account", list)}`;
}

/** User name and password. */
export function passwordView(
  target: FormTarget,
  { appName, username, mishap }: { appName: string; username: string; mishap?: Mishap | undefined },
): Markup {
  const focus = html`
    autofocus
  `;
  const content = html`
    <div class="field">
      <label for="username">User name</label>
      <input id="username" name="username" value="${username}" autocomplete="username" autocapitalize="none"
        spellcheck="false" inputmode="email" required${invalid(mishap)}${username === "" && focus}>
    </div>
    <div class="field">
      <label for="password">Password</label>
      <input id="password" name="password" type="password" autocomplete="current-password"
        required${invalid(mishap)}${username !== "" && focus}>
    </div>
    ${buttons("Sign in", "Cancel")}
  `;
  return html`<h1>Sign in</h1>
<p class="soft">to continue to <bdi>${appName}</bdi></p>
${mishapOf(mishap)}${formOf(target, "password", content)}`;
}

/** The code of the second factor. */
export function mfaView(
  target: FormTarget,
  { username, mishap }: { username: string; mishap?: Mishap | undefined },
): Markup {
  const content = html`
    <div class="field">
      <label for="code">Code</label>
      <input class="code" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12"
        required autofocus${invalid(mishap, "hint")}>
      <p class="hint" id="hint">Here the code is always 000000.</p>
    </div>
    ${buttons("Verify", "Cancel")}
  `;
  return html`<h1>Enter the code</h1>
<p><bdi class="who">${username}</bdi></p>
<p class="soft">The app asks for more than a password. Enter the code that your authenticator shows.</p>
${mishapOf(mishap)}${formOf(target, "mfa", content)}`;
}

/** What well-known scopes let an app do. */
const MEANINGS: ReadonlyMap<string, string> = new Map([
  ["openid", "Know who you are"],
  ["profile", "See your name and user name"],
  ["email", "See your email address"],
  ["offline_access", "Keep its access while you are away"],
  ["user.read", "Read your profile"],
  ["https://graph.microsoft.com/user.read", "Read your profile"],
]);

/** What an app asks for. */
export function consentView(
  target: FormTarget,
  { appName, username, scopes }: { appName: string; username: string; scopes: readonly string[] },
): Markup {
  const rows = scopes.map((scope) => {
    const short = scope.slice(scope.lastIndexOf("/") + 1);
    const meaning = MEANINGS.get(scope.toLowerCase());
    return html`
      <li><bdi>${meaning ?? short}</bdi>${(meaning ?? short) !== scope && html`<code>${scope}</code>`}</li>
    `;
  });
  return html`<h1>Permissions requested</h1>
<p><bdi class="who">${username}</bdi></p>
<p><b><bdi>${appName}</bdi></b> would like to:</p>
<ul class="scopes">${rows}
</ul>
${formOf(target, "consent", buttons("Accept", "Cancel"))}`;
}
