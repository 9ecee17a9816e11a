/**
 * What tests of assertion sources ask with, and what platforms answer.
 *
 * @module
 */
import type { CredentialContext } from "../../mod.ts";
import type { AssertionSourceOptions, ClientAssertionProvider } from "../../src/client_assertions/mod.ts";
import { encodeBase64Url } from "../../src/crypto/base64url.ts";
import {
  AUTHORITY,
  CLIENT_ID,
  CORRELATION_ID,
  failure,
  settle,
  TENANT,
  TOKEN_ENDPOINT,
} from "./app_fixture.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Answer, type RecordedRequest, type ScriptedFetch, scriptedFetch } from "./scripted_fetch.ts";

/** What a source's function is told. */
export const CONTEXT: CredentialContext = {
  clientId: CLIENT_ID,
  authority: AUTHORITY,
  authorityType: "aad",
  tenantId: TENANT,
  tokenEndpoint: TOKEN_ENDPOINT,
  correlationId: CORRELATION_ID,
};

/** A JWT that nobody signed. */
export function assertionOf(claims: Record<string, unknown>): string {
  const part = (value: unknown): string => encodeBase64Url(new TextEncoder().encode(JSON.stringify(value)));
  return [part({ alg: "RS256", typ: "JWT" }), part(claims), "c2ln"].join(".");
}

/** A source with everything around it. */
export interface SourceScene {
  readonly clock: FakeClock;
  readonly http: ScriptedFetch;
  readonly options: Required<Pick<AssertionSourceOptions, "fetch" | "clock">>;
  /** A JWT that ends so many seconds from now. */
  token(seconds: number, name?: string): string;
  /** Gets an assertion. */
  get(source: ClientAssertionProvider, context?: Partial<CredentialContext>): Promise<string>;
  /** The error of one that cannot be got. */
  refused(
    source: ClientAssertionProvider,
    context?: Partial<CredentialContext>,
  ): ReturnType<typeof failure>;
}

/** Makes a scene. */
export function sourceScene(script: Answer[] | ((request: RecordedRequest) => Answer) = []): SourceScene {
  const clock = new FakeClock();
  const http = scriptedFetch(script);
  const get: SourceScene["get"] = (source, context) =>
    settle(clock, Promise.resolve(source({ ...CONTEXT, ...context })));
  return {
    clock,
    http,
    options: { fetch: http.fetch, clock },
    token: (seconds, name = "a") => assertionOf({ name, exp: clock.now() / 1000 + seconds }),
    get,
    refused: (source, context) => failure(get(source, context)),
  };
}

/** An answer in plain text, a new response for each request. */
export function textAnswer(text: string, headers: Record<string, string> = {}, status = 200): () => Response {
  return () => new Response(text, { status, headers });
}
