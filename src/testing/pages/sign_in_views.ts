/**
 * What is on the pages of a sign-in.
 *
 * @module
 */
import { MFA_CODE } from "../authorization.ts";
import type { User } from "../declared.ts";
import { buttons, described, formOf, type FormTarget, type Mishap, mishapOf } from "./form_parts.ts";
import { type Markup, markup } from "./html.ts";

function face(text: string): Markup {
  const [initial = ""] = text;
  return markup`<span class="face" aria-hidden="true">${initial.toUpperCase()}</span>`;
}

function accountRow({ id, name, username }: User): Markup {
  const text = markup`<span class="name"><bdi>${name}</bdi> <bdi>${username}</bdi></span>`;
  return markup`
<li><button name="user" value="${id}">${face(name || username)}${text}</button></li>`;
}

/** The words around a list of accounts. */
export interface AccountsTexts {
  readonly title: string;
  readonly purpose: Markup;
  /** What stands for none of the accounts. */
  readonly other: string;
}

/** The accounts that a person can choose from. */
export function accountsView(target: FormTarget, users: readonly User[], texts: AccountsTexts): Markup {
  const list = markup`<ul class="accounts">${users.map(accountRow)}
<li><button name="user" value="">${face("+")}<span class="name">${texts.other}</span></button></li>
</ul>`;
  return markup`<h1>${texts.title}</h1>
<p class="soft">${texts.purpose}</p>
${formOf(target, "account", list)}`;
}

/** What the page of user name and password shows. */
export interface PasswordTexts {
  readonly appName: string;
  readonly username: string;
  readonly mishap?: Mishap | undefined;
}

/** User name and password. */
export function passwordView(target: FormTarget, { appName, username, mishap }: PasswordTexts): Markup {
  const focus = markup` autofocus`;
  const content = markup`<div class="field">
<label for="username">User name</label>
<input id="username" name="username" value="${username}" inputmode="email" autocomplete="username"
autocapitalize="none" spellcheck="false" required${described(mishap)}${username === "" && focus}>
</div>
<div class="field">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password"
required${described(mishap)}${username !== "" && focus}>
</div>
${buttons("Sign in", "Cancel")}`;
  return markup`<h1>Sign in</h1>
<p class="soft">to continue to <bdi>${appName}</bdi></p>
${mishapOf(mishap)}${formOf(target, "password", content)}`;
}

/** The code of the second factor. */
export function mfaView(target: FormTarget, username: string, mishap?: Mishap): Markup {
  const content = markup`<div class="field">
<label for="code">Code</label>
<input class="code" id="code" name="code" inputmode="numeric" autocomplete="one-time-code" maxlength="12"
required autofocus${described(mishap, "hint")}>
<p class="hint" id="hint">Here the code is always ${MFA_CODE}.</p>
</div>
${buttons("Verify", "Cancel")}`;
  return markup`<h1>Enter the code</h1>
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

function scopeRow(scope: string): Markup {
  const text = MEANINGS.get(scope.toLowerCase()) ?? scope.slice(scope.lastIndexOf("/") + 1);
  return markup`
<li><bdi>${text}</bdi>${text !== scope && markup`<code>${scope}</code>`}</li>`;
}

/** What the page of permissions shows. */
export interface ConsentTexts {
  readonly appName: string;
  readonly username: string;
  readonly scopes: readonly string[];
}

/** What an app asks for. */
export function consentView(target: FormTarget, { appName, username, scopes }: ConsentTexts): Markup {
  return markup`<h1>Permissions requested</h1>
<p><bdi class="who">${username}</bdi></p>
<p><b><bdi>${appName}</bdi></b> would like to:</p>
<ul class="scopes">${scopes.map(scopeRow)}
</ul>
${formOf(target, "consent", buttons("Accept", "Cancel"))}`;
}
