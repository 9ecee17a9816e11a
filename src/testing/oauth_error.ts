/**
 * Errors of what other OpenID providers do and Entra ID does not: they have no AADSTS code.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc6749#section-5.2 | RFC 6749 section 5.2}
 */
/** An error that is thrown by an endpoint and answered as JSON. */
export class OAuthError extends Error {
  readonly status: number;
  /** The OAuth error code. */
  readonly error: string;
  /** Headers that the answer has besides. */
  readonly headers: Readonly<Record<string, string>>;

  constructor(error: string, text: string, headers: Readonly<Record<string, string>> = {}, status = 400) {
    super(text);
    this.name = "OAuthError";
    this.status = status;
    this.error = error;
    this.headers = headers;
  }
}
