/**
 * What is on the pages where a device's code is typed.
 *
 * @module
 */
import { buttons, described, formOf, type FormTarget, type Mishap, mishapOf } from "./form_parts.ts";
import { type Markup, markup } from "./html.ts";

/** The code that the device shows. */
export function codeView(target: FormTarget, userCode: string, mishap?: Mishap): Markup {
  const content = markup`<div class="field">
<label for="otc">Code</label>
<input class="code upper" id="otc" name="otc" value="${userCode}" autocomplete="off" autocapitalize="characters"
spellcheck="false" maxlength="64" required autofocus${described(mishap, "hint")}>
<p class="hint" id="hint">Only enter a code that your own device or app shows you now.</p>
</div>
${buttons("Next")}`;
  return markup`<h1>Enter the code</h1>
<p class="soft">It is on the device that you want to sign in on.</p>
${mishapOf(mishap)}${formOf(target, "code", content)}`;
}

/** What the question about a device shows. */
export interface ConfirmTexts {
  readonly appName: string;
  readonly username: string;
  readonly userCode: string;
}

/** The question that stops a person who was sent somebody else's code. */
export function confirmView(target: FormTarget, { appName, username, userCode }: ConfirmTexts): Markup {
  return markup`<h1>Are you trying to sign in to <bdi>${appName}</bdi>?</h1>
<p><bdi class="who">${username}</bdi></p>
<p>The device that shows the code <b>${userCode}</b> will be signed in as you. Only continue if you opened the app
on it yourself.</p>
${formOf(target, "confirm", buttons("Continue", "Cancel"))}`;
}

/** The device has its answer. */
export function deviceDoneView(appName: string): Markup {
  return markup`<p class="mark" aria-hidden="true">✓</p>
<h1>You are signed in</h1>
<p><b><bdi>${appName}</bdi></b> continues on your device. You may close this window.</p>`;
}

/** The device was refused. */
export function deviceDeclinedView(appName: string): Markup {
  return markup`<p class="mark bad" aria-hidden="true">✕</p>
<h1>The device was not signed in</h1>
<p><b><bdi>${appName}</bdi></b> was told that you declined. You may close this window.</p>`;
}
