/**
 * What the forms of the pages are made of.
 *
 * @module
 */
import { type Markup, markup } from "./html.ts";

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

/** Hidden inputs. */
export function hiddenInputs(fields: Iterable<readonly [name: string, value: string]>): readonly Markup[] {
  return [...fields].map(([name, value]) =>
    markup`
<input type="hidden" name="${name}" value="${value}">`
  );
}

/** A form with its hidden fields; `step` says which form it was. */
export function formOf({ action, hidden }: FormTarget, step: string, content: Markup): Markup {
  return markup`<form method="post" action="${action}">${hiddenInputs(Object.entries({ ...hidden, step }))}
${content}
</form>`;
}

/** The message about what went wrong; inputs refer to it by its id. */
export function mishapOf(mishap: Mishap | undefined): Markup | undefined {
  const code = mishap?.code !== undefined && markup` <span>(AADSTS${mishap.code})</span>`;
  return mishap && markup`<p class="error" id="error" role="alert">${mishap.text}${code}</p>
`;
}

/** The attributes that tie an input to the message, and to its hint. */
export function described(mishap: Mishap | undefined, hint?: string): Markup {
  const ids = [mishap && "error", hint].filter((id) => id !== undefined).join(" ");
  const by = ids !== "" && markup` aria-describedby="${ids}"`;
  return markup`${mishap && markup` aria-invalid="true"`}${by}`;
}

/** The buttons that forms end with. */
export function buttons(yes: string, no?: string): Markup {
  const cancel = no !== undefined && markup`
<button name="decision" value="cancel" formnovalidate>${no}</button>`;
  return markup`<div class="buttons">
<button class="main">${yes}</button>${cancel}
</div>`;
}
