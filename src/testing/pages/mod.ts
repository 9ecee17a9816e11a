/**
 * The pages that a browser sees.
 *
 * @module
 */
import type { Exchange } from "../exchange.ts";

function notYet(): Response {
  return new Response(null, { status: 501 });
}

/** Answers the authorization endpoint. */
export function answerAuthorize(_exchange: Exchange): Response | Promise<Response> {
  return notYet();
}

/** Answers the page where a device's code is typed. */
export function answerDevicePage(_exchange: Exchange): Response | Promise<Response> {
  return notYet();
}

/** Answers the sign-out page. */
export function answerLogout(_exchange: Exchange): Response | Promise<Response> {
  return notYet();
}
