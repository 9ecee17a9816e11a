/**
 * Asks what a token is good for, RFC 7662.
 *
 * @module
 */

import type { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import { AccessTokenError } from "../errors/access_token_error.ts";
import { refuse } from "../errors/errors.ts";
import type { HttpAnswer } from "../net/http_client.ts";
import { openSigned, readIntrospection } from "./introspection_answer.ts";
import { MAX_AGE_SECONDS, recallIntrospection, rememberIntrospection } from "./introspection_memory.ts";
import { operate, type Operation, type OperationRequest, optionalHint, requireToken } from "./operation.ts";
import type { TokenTypeHint } from "./revoke_token.ts";

/** What {@linkcode introspectToken} takes. */
export interface IntrospectTokenRequest extends OperationRequest {
  /** The token, as the caller of an API sent it. */
  readonly token: string;
  /** Where the authority looks first. */
  readonly tokenTypeHint?: TokenTypeHint | undefined;
  /** What the token must be for: the API's own name. One of them must be in `aud`; a token that does not say is refused. */
  readonly expectedAudience?: string | readonly string[] | undefined;
  /**
   * For how long what was said may count, in seconds, at most 60: for so long a token that was revoked is still let in. 0 asks each time.
   *
   * @default {60}
   */
  readonly maxAgeSeconds?: number | undefined;
  /** Whether the authority must sign its answer, RFC 9701. @default {false} */
  readonly signedResponse?: boolean | undefined;
}

/** A token that counts, and what the authority says of it. */
export interface ActiveToken {
  /** It counts. */
  readonly active: true;
  /** The scopes, separated by spaces. */
  readonly scope?: string;
  /** The client that it was issued to. */
  readonly client_id?: string;
  /** A name of the user, for people. */
  readonly username?: string;
  /** How it is used, such as `Bearer` or `DPoP`. */
  readonly token_type?: string;
  /** When it ends, in seconds since the epoch. */
  readonly exp?: number;
  /** When it was issued. */
  readonly iat?: number;
  /** When it begins to count. */
  readonly nbf?: number;
  /** Whose it is. */
  readonly sub?: string;
  /** What it is for. */
  readonly aud?: string | readonly string[];
  /** Who issued it. */
  readonly iss?: string;
  /** Its id. */
  readonly jti?: string;
  /** What it is bound to, RFC 7800: such a token is to be refused where its holder does not prove to have the key. */
  readonly cnf?: unknown;
  /** What else the authority says. */
  readonly [claim: string]: unknown;
}

/** A token that does not count: it is expired, revoked, unknown, or not for this API to see. */
export interface InactiveToken {
  /** It does not count. */
  readonly active: false;
}

const INSTEAD =
  "Microsoft has no introspection endpoint: validate the token, with AccessTokenValidator of ./validate";
const JWT_TYPE = "application/token-introspection+jwt";

function requireAge(maxAge: unknown): number {
  if (typeof maxAge === "number" && maxAge >= 0 && maxAge <= MAX_AGE_SECONDS) return maxAge;
  refuse("invalid_request", "maxAgeSeconds", `it must be a number from 0 to ${MAX_AGE_SECONDS}`);
}

function audiencesOf(expected: unknown): readonly string[] | undefined {
  if (expected === undefined) return undefined;
  const list: readonly unknown[] = Array.isArray(expected) ? [...expected] : [expected];
  const fits = list.length > 0 && list.every((one) => typeof one === "string" && one !== "");
  return fits
    ? list as string[]
    : refuse("invalid_request", "expectedAudience", "it must be a text, or some");
}

async function ask(
  operation: Operation,
  token: string,
  hint: string | undefined,
  signed: boolean,
): Promise<Readonly<Record<string, unknown>> | undefined> {
  let jwt: string | undefined;
  const read = ({ status, body, text }: HttpAnswer): Record<string, unknown> | undefined => {
    if (status !== 200 || typeof body !== "string" || text === "") return undefined;
    jwt = text;
    return {};
  };
  const form = [["token", token], ["token_type_hint", hint]] as const;
  const accept = signed ? JWT_TYPE : undefined;
  const json = await operation.send("introspection", form, (answer) => ({ ...answer }), { accept, read });
  if (signed && jwt === undefined) throw operation.unusable("it is not signed");
  return await readIntrospection(jwt === undefined ? json : await openSigned(jwt, operation), operation);
}

/**
 * Asks the authority what a token is good for: for tokens that are no JWT, or that must not count once they are revoked. Tokens of
 * other APIs count for the authority, too, so say what yours is called: `expectedAudience`.
 *
 * @param app The API's own application.
 * @param request The token.
 * @returns What the authority says of it; `active` tells whether it counts.
 * @throws {AccessTokenError} `access_token_audience_mismatch` for a token of another API.
 * @throws {ClientAuthError} `endpoints_resolution_error` where the authority has no such endpoint, as Microsoft's have not.
 * @throws {ServerError} where the authority refuses, or `invalid_response` for an answer that is not to be believed.
 * @throws {NetworkError} where it cannot be reached: an outage, to be answered with 503.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7662#section-2 | RFC 7662 section 2}
 */
export function introspectToken(
  app: ConfidentialClientApplication,
  request: IntrospectTokenRequest,
): Promise<ActiveToken | InactiveToken> {
  return operate(app, request, INSTEAD, async (operation) => {
    const { engine, correlationId } = operation;
    const token = requireToken(request.token, "token");
    const { signedResponse: signed = false, maxAgeSeconds = MAX_AGE_SECONDS } = request;
    const [maxAge, hint] = [requireAge(maxAgeSeconds), optionalHint(request.tokenTypeHint)];
    const audiences = audiencesOf(request.expectedAudience);
    let claims = await recallIntrospection(engine, token, signed, maxAge);
    if (claims === undefined) {
      const askedAtMs = engine.configuration.clock.now();
      claims = await ask(operation, token, hint, signed);
      if (claims === undefined) return { active: false };
      await rememberIntrospection(engine, token, signed, claims, askedAtMs);
    }
    const { aud } = claims;
    const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
    if (audiences === undefined || audiences.some((one) => named.includes(one))) return claims as ActiveToken;
    throw new AccessTokenError(
      "access_token_audience_mismatch",
      "Cannot let the request in: the token is for another API",
      { status: 401, error: "invalid_token" },
      correlationId,
    );
  });
}
