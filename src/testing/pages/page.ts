/**
 * A page and its strict headers: nothing from elsewhere, no frame around it, no script but one, nothing kept.
 *
 * @module
 * @see {@link https://www.w3.org/TR/CSP3/ | Content Security Policy}
 */
import { base64url } from "jose";
import type { Exchange } from "../exchange.ts";
import { type Markup, markup } from "./html.ts";
import { STYLE } from "./style.ts";

/** What is on a page, and what it may reach. */
export interface Page {
  readonly title: string;
  readonly body: Markup;
  /** The name above the heading, such as the tenant's. */
  readonly place?: string | undefined;
  /** Default: 200. */
  readonly status?: number;
  /** The one script that may run. */
  readonly script?: string;
  /** Addresses, besides the page's own origin, where its forms may end up, redirects included. */
  readonly formTargets?: readonly string[];
  /** Addresses that it loads in hidden frames. */
  readonly frames?: readonly string[];
  /** Where it goes by itself after two seconds. */
  readonly onwards?: string | undefined;
  readonly cookies?: readonly string[];
}

async function hashSource(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  const hash = base64url.encode(new Uint8Array(digest)).replaceAll("-", "+").replaceAll("_", "/");
  return `'sha256-${hash}='`;
}

/** An address as a source expression: its origin, or its scheme where an origin cannot be written. */
export function sourceOf(address: string): string {
  const { protocol, host, origin } = new URL(address);
  // The grammar has no addresses in brackets, and apps' own schemes have no origin.
  return /^https?:$/.test(protocol) && !host.startsWith("[") ? origin : protocol;
}

async function policyOf({ script, formTargets = [], frames = [] }: Page): Promise<string> {
  const sources = (addresses: readonly string[]): string => [...new Set(addresses.map(sourceOf))].join(" ");
  return [
    "default-src 'none'",
    `style-src ${await hashSource(STYLE)}`,
    ...(script === undefined ? [] : [`script-src ${await hashSource(script)}`]),
    ...(frames.length > 0 ? [`frame-src ${sources(frames)}`] : []),
    `form-action 'self' ${sources(formTargets)}`.trim(),
    "frame-ancestors 'none'",
    "base-uri 'none'",
  ].join("; ");
}

/** A key, as a picture. */
const KEY =
  "M13 1a6 6 0 0 0-5.8 7.6L1 14.8V19h4v-2.5h2.5V14h2l1.4-1.4A6 6 0 1 0 13 1zm1.5 3a1.5 1.5 0 1 1 0 3 1.5 " +
  "1.5 0 0 1 0-3z";

function documentOf({ title, body, place = "Local authority", script, onwards }: Page): string {
  const refresh = onwards !== undefined && markup`
<meta http-equiv="refresh" content="2;url=${onwards}">`;
  const end = script !== undefined && markup`
<script>${{ markup: script }}</script>`;
  return markup`<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width,initial-scale=1">
<meta name="robots" content="noindex">${refresh}
<title>${title}</title>
<style>${{ markup: STYLE }}</style>
</head>
<body>
<main>
<p class="at"><svg width="20" height="20" viewBox="0 0 20 20" aria-hidden="true"><path d="${KEY}"/></svg>
<bdi>${place}</bdi></p>
${body}
</main>
<footer>A local authority for tests and demos. Never type a real password here.</footer>${end}
</body>
</html>`.markup;
}

/** The headers of every answer to a browser; nothing of it is kept, and no address is passed on. */
export function browserHeaders(exchange: Exchange, cookies: readonly string[] = []): Headers {
  const headers = new Headers({
    "cache-control": "no-store, no-cache",
    pragma: "no-cache",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "x-ms-request-id": exchange.traceId,
  });
  for (const cookie of cookies) headers.append("set-cookie", cookie);
  return headers;
}

/** Answers with a page. */
export async function pageResponse(exchange: Exchange, page: Page): Promise<Response> {
  const headers = browserHeaders(exchange, page.cookies);
  headers.set("content-type", "text/html; charset=utf-8");
  headers.set("content-security-policy", await policyOf(page));
  return new Response(documentOf(page), { status: page.status ?? 200, headers });
}
