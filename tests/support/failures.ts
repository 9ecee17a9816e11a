/**
 * Every way in which a refresh can fail.
 *
 * @module
 */
import { FakeClock } from "./fake_clock.ts";
import { jsonResponse } from "./scripted_fetch.ts";
import { type Bench, bench, refusal, type Reply, silence, tokenServer } from "./token_server.ts";

const HTML = { "content-type": "text/html" };

/** What the token endpoint may answer instead of a token. */
export const FAILURES: Readonly<Record<string, Reply>> = {
  "network": () => Promise.reject(new TypeError("connection reset")),
  "no answer": silence,
  "body that never ends": () =>
    new Response(new ReadableStream(), { headers: { "content-type": "application/json" } }),
  "500": refusal(500),
  "503 with Retry-After": refusal(503, { error: "temporarily_unavailable" }, { "retry-after": "120" }),
  "429": refusal(429, { error: "too_many" }, { "retry-after": "7" }),
  "400 foo (A25)": refusal(400, { error: "foo" }),
  "400 invalid_client": refusal(400, { error: "invalid_client", error_codes: [7000222] }),
  "400 interaction_required": refusal(400, { error: "interaction_required", suberror: "basic_action" }),
  "401": refusal(401, { error: "invalid_client" }),
  "404 without JSON": () => new Response("gone", { status: 404 }),
  "400 with HTML": () => new Response("<html>", { status: 400, headers: HTML }),
  "200 with HTML": () => new Response("<html>", { headers: HTML }),
  "200 without a token": refusal(200, { token_type: "Bearer", expires_in: 3600 }),
  "200 with an error": refusal(200, { error: "invalid_grant" }),
  "200 with another token type": refusal(200, { token_type: "mac", access_token: "x", expires_in: 3600 }),
  "200 with half an object": () =>
    new Response('{"access_token": "x', { headers: { "content-type": "application/json" } }),
  "redirect": () => new Response(null, { status: 302, headers: { location: "https://evil.example/" } }),
  "flood": () => jsonResponse({ access_token: "x".repeat(2_000_000), token_type: "Bearer" }),
};

/** How the credential may fail. */
export const CREDENTIAL_FAILURES: Readonly<Record<string, () => string | Promise<string>>> = {
  "throws": () => {
    throw new Error("the vault is down");
  },
  "rejects": () => Promise.reject(new Error("the vault is down")),
  "throws no error": () => {
    throw "the vault is down";
  },
  "gives nothing": () => "",
  "never answers": () => new Promise<string>(() => {}),
};

/** An application that has `AT 1` in its cache, got by an answer with these members; its `refresh_in` has passed. */
export async function primed(
  body: Record<string, unknown>,
  options: Parameters<typeof bench>[0] = {},
): Promise<Bench> {
  const made = bench({ clock: new FakeClock(), ...options }, tokenServer(body));
  await made.ask();
  if (typeof body.refresh_in === "number") await made.clock.advance(1000 * Math.max(body.refresh_in, 0));
  made.events.length = 0;
  return made;
}

/** The same, its credential a function that fails after the first token. */
export async function primedVault(
  body: Record<string, unknown>,
  fault: () => string | Promise<string>,
): Promise<Bench> {
  let calls = 0;
  return await primed(body, { clientCredential: () => calls++ === 0 ? "a good secret" : fault() });
}
