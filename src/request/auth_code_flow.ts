/**
 * What an application keeps between the beginning of a sign-in and its answer.
 *
 * @module
 */

import { createSealer, type Sealer } from "../crypto/seal.ts";
import { ClientAuthError, refuse } from "../errors/errors.ts";
import type { ResponseMode } from "./authorization_request.ts";

/**
 * A sign-in that has begun. Plain JSON: keep it in the user's session, or sealed in a cookie, never in the URL. It is good
 * for one answer.
 */
export interface AuthCodeFlow {
  /** The version of this shape. */
  readonly version: 1;
  /** Where to send the browser; empty in a flow that was sealed. Good once where the sign-in was announced, RFC 9126. */
  readonly authUri: string;
  /** Until when the browser must have been sent there, in seconds since the epoch, where the sign-in was announced. */
  readonly authUriExpiresAt?: number;
  /** The name of the sign-in; the answer must hold it. */
  readonly state: string;
  /** What the ID token must hold the hash of. */
  readonly nonce: string;
  /** The PKCE verifier: with it a code is redeemed. */
  readonly codeVerifier: string;
  /** Where the answer goes. */
  readonly redirectUri: string;
  /** The scopes asked for, without those that are added. */
  readonly scopes: readonly string[];
  /** The client id that was used. */
  readonly clientId: string;
  /** The authority that was asked, its tenant included. */
  readonly authority: string;
  /** The issuer to expect, where it was known. */
  readonly issuer?: string;
  /** The claims challenge. */
  readonly claims?: string;
  /** How long ago the user may have proved who they are, in seconds. */
  readonly maxAge?: number;
  /** How the answer comes back. */
  readonly responseMode?: ResponseMode;
  /** The application's own text. */
  readonly appState?: string;
  /** The key of the `authScheme` that it began with: the same has to end it. */
  readonly keyId?: string;
  /** The `client-request-id` of the sign-in. */
  readonly correlationId: string;
  /** When the flow ends, in seconds since the epoch. */
  readonly expiresAt: number;
}

type Check = (value: unknown) => boolean;

const MAX_SEALED_CHARS = 3_800;
const isText: Check = (value) => typeof value === "string" && value !== "";

/** Each member and what it may be; their order is that of a sealed flow. A `?` stands before what may be absent. */
const MEMBERS: Readonly<Record<string, Check>> = {
  version: (value) => value === 1,
  state: isText,
  nonce: isText,
  codeVerifier: (value) => typeof value === "string" && /^[\w.~-]{43,128}$/.test(value),
  redirectUri: isText,
  scopes: (value) => Array.isArray(value) && value.every(isText),
  clientId: isText,
  authority: isText,
  correlationId: isText,
  expiresAt: Number.isFinite,
  "?issuer": isText,
  "?claims": isText,
  "?maxAge": (value) => Number.isSafeInteger(value) && value as number >= 0,
  "?responseMode": (value) => value === "query" || value === "form_post",
  "?appState": isText,
  "?keyId": isText,
};

function sealerOf(secret: string | readonly string[]): Sealer {
  return createSealer(secret, "auth code flow", "secret");
}

/**
 * Reads a flow that the application kept.
 *
 * @param value What it kept.
 * @returns A copy, free of anything else.
 * @throws {ClientConfigurationError} `invalid_request` for anything that is no flow.
 */
export function readAuthCodeFlow(value: unknown): AuthCodeFlow {
  try {
    // Every member is read once: what was checked is what is used.
    const given: Record<string, unknown> = { ...value as object };
    const flow: Record<string, unknown> = {};
    const fits = Object.entries({ ...MEMBERS, authUri: (uri: unknown) => typeof uri === "string" }).every(
      ([key, check]) => {
        const name = key.replace("?", "");
        const member = Array.isArray(given[name]) ? [...given[name]] : given[name];
        if (member === undefined) return key !== name;
        flow[name] = member;
        return check(member);
      },
    );
    if (fits) return flow as unknown as AuthCodeFlow;
  } catch {
    // A getter of somebody else's.
  }
  refuse("invalid_request", "flow", "it must be what initiateAuthCodeFlow returned, unchanged");
}

/**
 * Seals a flow for a cookie: nobody can read or change it. `authUri` is left out, so send the browser there first.
 *
 * @param flow The flow.
 * @param secret At least 32 random bytes as text; or several, of which the first seals.
 * @returns Letters, digits, `-`, `_` and `.`, at most 3800 of them.
 * @throws {ClientConfigurationError} for a flow that is none or too long, and for a secret that is none.
 */
export async function sealAuthCodeFlow(
  flow: AuthCodeFlow,
  secret: string | readonly string[],
): Promise<string> {
  const checked = readAuthCodeFlow(flow) as unknown as Readonly<Record<string, unknown>>;
  const list = Object.keys(MEMBERS).map((key) => checked[key.replace("?", "")]);
  const sealed = await sealerOf(secret).seal(JSON.stringify(list), "");
  if (sealed.length <= MAX_SEALED_CHARS) return sealed;
  refuse(
    "invalid_request",
    "flow",
    `sealed it has ${sealed.length} characters, too many for a cookie: shorten appState or claims, or keep it on the server`,
  );
}

/**
 * Opens a flow.
 *
 * @param sealed What the cookie holds.
 * @param secret The secret that it was sealed with, or several.
 * @returns The flow, its `authUri` empty.
 * @throws {ClientAuthError} `auth_flow_mismatch` for anything that was not sealed with one of these secrets.
 */
export async function openAuthCodeFlow(
  sealed: string,
  secret: string | readonly string[],
): Promise<AuthCodeFlow> {
  const text = await sealerOf(secret).open(sealed, "");
  if (text === undefined) {
    throw new ClientAuthError(
      "auth_flow_mismatch",
      "Cannot open the sign-in: it is missing, was changed, or was sealed with another secret",
    );
  }
  const list: unknown[] = JSON.parse(text);
  const names = Object.keys(MEMBERS).map((key) => key.replace("?", ""));
  const members = names.map((name, i) => [name, list[i] ?? undefined]);
  return readAuthCodeFlow({ ...Object.fromEntries(members), authUri: "" });
}
