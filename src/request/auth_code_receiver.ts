/**
 * How an answer to an authorization request reaches a program that is no web server.
 *
 * @module
 */

/** Receives the answer to an authorization request in place of a web server; `LoopbackReceiver` of `./host` is one. */
export interface AuthCodeReceiver {
  /**
   * Begins to listen.
   *
   * @param options The signal ends the opening; {@linkcode AuthCodeListener.receive} takes one of its own.
   */
  open(options: { readonly signal?: AbortSignal | undefined }): Promise<AuthCodeListener>;
}

/** A receiver that listens, for one answer. */
export interface AuthCodeListener {
  /** Where the authority has to send the user; it goes into the request as `redirect_uri`. */
  readonly redirectUri: string;
  /** How the answer has to come; it goes into the request as `response_mode`. */
  readonly responseMode: "query" | "form_post";
  /**
   * Sends the user to the authority, and waits for the answer.
   *
   * An answer with another `state` is somebody else's: the wait goes on.
   *
   * @param options The authorization request's URL and its state; how long to wait, and a signal to give up.
   * @returns The parameters of the answer that carries the state: the code, or the authority's error.
   */
  receive(options: AuthCodeWait): Promise<Readonly<Record<string, string>> | URLSearchParams>;
  /** Stops listening. A second call does nothing. */
  close(): Promise<void>;
}

/** What {@linkcode AuthCodeListener.receive} takes. */
export interface AuthCodeWait {
  /** The authorization request's URL, where the user has to go. */
  readonly authUri: string;
  /** The `state` in that URL. */
  readonly state: string;
  /** The longest wait in milliseconds; the receiver's own where absent. */
  readonly timeoutMs?: number | undefined;
  /** Ends the wait. */
  readonly signal?: AbortSignal | undefined;
}
