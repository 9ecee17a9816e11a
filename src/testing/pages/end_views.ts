/**
 * What is on the pages that end a visit: errors, the way back to an app, signed out.
 *
 * @module
 */
import { html, type Markup } from "./html.ts";

/** What is told about an error that cannot go back to the app. */
export interface ErrorDetails {
  readonly code: number;
  readonly text: string;
  readonly traceId: string;
  readonly correlationId: string;
  readonly timestamp: string;
}

/** An error that cannot go back to the app. */
export function errorView({ code, text, traceId, correlationId, timestamp }: ErrorDetails): Markup {
  return html`
    <p class="mark bad" aria-hidden="true">!</p>
    <h1>Cannot go on</h1>
    <p role="alert">AADSTS${code}: ${text}</p>
    <dl>
      <dt>Trace ID</dt>
      <dd>${traceId}</dd>
      <dt>Correlation ID</dt>
      <dd>${correlationId}</dd>
      <dt>Timestamp</dt>
      <dd>${timestamp}</dd>
    </dl>
  `;
}

/** Sends the form of a page as soon as it is there. */
export const SUBMIT_SCRIPT = "document.forms[0].submit()";

/** The answer to an app, as a form that {@linkcode SUBMIT_SCRIPT} sends. */
export function formPostView(redirectUri: string, parameters: URLSearchParams): Markup {
  const fields = [...parameters].map(([name, value]) =>
    html`
      <input type="hidden" name="${name}" value="${value}">
    `
  );
  return html`<h1>Back to the app</h1>
<form method="post" action="${redirectUri}">${fields}
<p>If nothing happens, continue yourself.</p>
<div class="buttons">
<button class="main" autofocus>Continue</button>
</div>
</form>`;
}

/** Nobody is signed in any more. Hidden frames tell the apps. */
export function signedOutView(frames: readonly string[], onwards: string | undefined): Markup {
  const hidden = frames.map((uri) =>
    html`
      <iframe src="${uri}" title="Signing out of an app" sandbox="allow-scripts allow-same-origin"
        tabindex="-1" aria-hidden="true"></iframe>
    `
  );
  const text = onwards === undefined
    ? html`<p>You may close this window.</p>`
    : html`<p>You are taken back to the app. <a href="${onwards}">Go there now</a></p>`;
  return html`<p class="mark" aria-hidden="true">✓</p>
<h1>You signed out</h1>
${text}${hidden}`;
}
