/**
 * Takes a token back, RFC 7009.
 *
 * @module
 */

import type { ClientApplication } from "../client/client_application.ts";
import { forgetIntrospection } from "./introspection_memory.ts";
import { operate, type OperationRequest, optionalHint, requireToken } from "./operation.ts";

/** What kind of token it probably is; authorities may know others. */
export type TokenTypeHint = "access_token" | "refresh_token" | (string & Record<never, never>);

/** What {@linkcode revokeToken} takes. */
export interface RevokeTokenRequest extends OperationRequest {
  /** The token. */
  readonly token: string;
  /** Where the authority looks first. */
  readonly tokenTypeHint?: TokenTypeHint | undefined;
}

const INSTEAD = "Microsoft has no revocation endpoint. removeAccount forgets a user's tokens here, " +
  "and revokeSignInSessions of Microsoft Graph ends the user's sessions";

/**
 * Takes a token back. What the application's own cache has stays there: call `removeAccount` or `removeTokensForClient`, too.
 *
 * @param app The application that the token was issued to.
 * @param request The token.
 * @returns Nothing, also for a token that the authority does not know: either way it is good for nothing now.
 * @throws {ClientAuthError} `endpoints_resolution_error` where the authority has no such endpoint, as Microsoft's have not.
 * @throws {ServerError} where the authority refuses, with `error` such as `unsupported_token_type`. The token may still be good; after a
 * 503 call again, `retryAfterSeconds` later.
 * @throws {NetworkError} where it cannot be reached.
 * @see {@link https://www.rfc-editor.org/rfc/rfc7009#section-2 | RFC 7009 section 2}
 */
export function revokeToken(app: ClientApplication, request: RevokeTokenRequest): Promise<void> {
  return operate(app, request, INSTEAD, async ({ engine, send }) => {
    const token = requireToken(request.token, "token");
    const form = [["token", token], ["token_type_hint", optionalHint(request.tokenTypeHint)]] as const;
    try {
      await send("revocation", form, () => ({}), {
        isOneTime: true,
        // Section 2.2: the status says all, whatever the body holds.
        read: ({ status }) => status === 200 ? {} : undefined,
      });
    } finally {
      // Where no answer came, too: it may be done.
      await forgetIntrospection(engine, token);
    }
  });
}
