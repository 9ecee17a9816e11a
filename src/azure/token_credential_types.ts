/**
 * The shapes of `@azure/core-auth`, so that nothing of it is imported.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/javascript/api/@azure/core-auth/tokencredential | TokenCredential}
 */

/** A signal by its members: that of the platform, or of `@azure/abort-controller`. */
export interface AbortSignalLike {
  /** Whether the caller gave up. */
  readonly aborted: boolean;
  /** Adds a listener. */
  addEventListener(type: "abort", listener: (event: unknown) => void): void;
  /** Removes it. */
  removeEventListener(type: "abort", listener: (event: unknown) => void): void;
}

/** What Azure's clients say beside the scopes. */
export interface GetTokenOptions {
  /** Ends the caller's wait. */
  readonly abortSignal?: AbortSignalLike | undefined;
  /** How long to wait. */
  readonly requestOptions?: {
    /** In milliseconds; no limit for 0. */
    readonly timeout?: number | undefined;
  } | undefined;
  /** A claims challenge, JSON text. */
  readonly claims?: string | undefined;
  /** Whether the client answers claims challenges: continuous access evaluation. */
  readonly enableCae?: boolean | undefined;
  /** Another tenant, as the API's challenge names it. */
  readonly tenantId?: string | undefined;
  /** Not supported: a request with it is refused. */
  readonly proofOfPossessionOptions?: object | undefined;
}

/** A token, as Azure's clients take it. */
export interface AzureAccessToken {
  /** The token. */
  readonly token: string;
  /** When it ends, in milliseconds since the epoch. */
  readonly expiresOnTimestamp: number;
  /** When to ask for a newer one, in milliseconds since the epoch. */
  readonly refreshAfterTimestamp?: number;
  /** The token type. */
  readonly tokenType: "Bearer" | "pop";
}

/** What Azure's clients take as credential. */
export interface AzureTokenCredential {
  /**
   * Gets a token.
   *
   * @param scopes Scopes of one API.
   * @param options What the client says beside.
   * @returns The token; never `null`.
   * @throws as the method of the application does that gets it; {@linkcode ClientConfigurationError} for what cannot be honoured,
   * and {@linkcode NetworkError} `request_timeout` after `requestOptions.timeout`.
   */
  getToken(scopes: string | readonly string[], options?: GetTokenOptions): Promise<AzureAccessToken>;
}
