/**
 * Answers that are no pages.
 *
 * @module
 */

import type { HeaderList } from "./sessions.ts";

/** Every answer of the handlers has these: nothing of a sign-in is kept, guessed or passed on. */
export const CLOSED: HeaderList = [
  ["cache-control", "private, no-store"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
];

/** Makes headers of lists; of one name the last counts, but for cookies. */
export function headersOf(...lists: readonly HeaderList[]): Headers {
  const headers = new Headers();
  for (const [name, value] of lists.flat()) {
    if (name === "set-cookie") headers.append(name, value);
    else headers.set(name, value);
  }
  return headers;
}

/**
 * Sends the browser on with a GET, whatever it came with.
 *
 * @param location Where to.
 * @param headers Cookies.
 */
export function redirect(location: string, headers: HeaderList = []): Response {
  return new Response(null, { status: 303, headers: headersOf(CLOSED, [["location", location]], headers) });
}

/**
 * An answer for programs.
 *
 * @param status The status.
 * @param body What it says.
 * @param headers More headers.
 */
export function json(
  status: number,
  body: Readonly<Record<string, unknown>>,
  headers: HeaderList = [],
): Response {
  const type: HeaderList = [["content-type", "application/json"]];
  return new Response(JSON.stringify(body), { status, headers: headersOf(CLOSED, type, headers) });
}

/**
 * An answer without anything in it.
 *
 * @param status The status.
 * @param headers More headers.
 */
export function empty(status: number, headers: HeaderList = []): Response {
  return new Response(null, { status, headers: headersOf(CLOSED, headers) });
}
