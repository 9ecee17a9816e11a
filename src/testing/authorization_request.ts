/**
 * What an authorization request says, and what may happen to it.
 *
 * @module
 */
import type { App } from "./declared.ts";
import type { Dialect } from "./shapes/shape.ts";

/** How the answer of the authorization endpoint travels. */
export type ResponseMode = "query" | "fragment" | "form_post";

/** Where an answer goes, error answers included. */
export interface AnswerTarget {
  readonly redirectUri: string;
  readonly responseMode: ResponseMode;
  readonly state?: string;
}

/** An authorization request that was read and checked. */
export interface AuthorizationRequest extends AnswerTarget {
  /** The client id, in lower case. */
  readonly clientId: string;
  readonly app: App;
  /** The tenant segment of the path: a tenant's id, or `common`, `organizations`, `consumers`. */
  readonly tenantSegment: string;
  /** Where what is granted serves, if nowhere else. */
  readonly place?: string | undefined;
  /** What is not as at Entra ID; absent if all is. */
  readonly dialect?: Dialect | undefined;
  /** The scopes as they were asked for. */
  readonly scopes: readonly string[];
  readonly nonce?: string;
  readonly codeChallenge?: string;
  /** `login`, `select_account`, `consent`, `create`; `none` stands alone. */
  readonly prompt: readonly string[];
  readonly loginHint?: string;
  readonly domainHint?: string;
  /** In seconds. */
  readonly maxAge?: number;
  readonly claims?: Readonly<Record<string, unknown>>;
  /** Whether the claims, or a resource, ask for multi-factor authentication. */
  readonly needsMfa: boolean;
  /** The parameters as they came, to carry through the forms. */
  readonly parameters: URLSearchParams;
}

/** An error that goes back to the client. Where nothing may be redirected, an `EntraError` is thrown. */
export class RedirectableError extends Error {
  /** The OAuth error code. */
  readonly error: string;
  /** The AADSTS number. */
  readonly code: number;
  /** Where the error goes. */
  readonly target: AnswerTarget;

  constructor(target: AnswerTarget, error: string, code: number, text: string) {
    super(text);
    this.name = "RedirectableError";
    this.error = error;
    this.code = code;
    this.target = target;
  }
}

/** What a browser has to go through next. */
export type SignInStep = "password" | "mfa" | "consent" | "approve";

/** What happened a moment ago in the same sign-in, so that `prompt` does not ask for it again. */
export interface JustDone {
  /** The password was entered. */
  readonly signedIn?: boolean;
  /** An account was picked. */
  readonly picked?: boolean;
  /** Consent was given. */
  readonly consented?: boolean;
}
