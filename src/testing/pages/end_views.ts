/**
 * What is on the pages that end a visit: errors, the way back to an app, signed out.
 *
 * @module
 */
import { buttons, hiddenInputs } from "./form_parts.ts";
import { type Markup, markup } from "./html.ts";

/** What is told about an error that cannot go back to the app. */
export interface ErrorDetails {
  /** Such as `AADSTS50011`. */
  readonly code: string;
  readonly text: string;
  readonly traceId: string;
  readonly correlationId: string;
  readonly timestamp: string;
}

/** An error that cannot go back to the app. */
export function errorView({ code, text, traceId, correlationId, timestamp }: ErrorDetails): Markup {
  return markup`<p class="mark bad" aria-hidden="true">!</p>
<h1>Cannot go on</h1>
<p role="alert">${code}: ${text}</p>
<dl>
<dt>Trace ID</dt><dd>${traceId}</dd>
<dt>Correlation ID</dt><dd>${correlationId}</dd>
<dt>Timestamp</dt><dd>${timestamp}</dd>
</dl>`;
}

/** Sends the form of a page as soon as it is there. */
export const SUBMIT_SCRIPT = "document.forms[0].submit()";

/** The answer to an app, as a form that {@linkcode SUBMIT_SCRIPT} sends. */
export function formPostView(redirectUri: string, parameters: URLSearchParams): Markup {
  return markup`<h1>Back to the app</h1>
<form method="post" action="${redirectUri}">${hiddenInputs(parameters)}
<p>If nothing happens, continue yourself.</p>
${buttons("Continue")}
</form>`;
}

function hiddenFrame(uri: string): Markup {
  return markup`
<iframe src="${uri}" title="Signing out of an app" sandbox="allow-scripts allow-same-origin"
tabindex="-1" aria-hidden="true"></iframe>`;
}

/** The person signed out. Hidden frames tell the apps. */
export function signedOutView(frames: readonly string[], onwards: string | undefined): Markup {
  const text = onwards === undefined
    ? markup`You may close this window.`
    : markup`You are taken back to the app. <a href="${onwards}">Go there now</a>`;
  return markup`<p class="mark" aria-hidden="true">✓</p>
<h1>You signed out</h1>
<p>${text}</p>${frames.map(hiddenFrame)}`;
}
