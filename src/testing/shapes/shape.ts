/**
 * What an authority plays where it is asked: nothing in particular is a tenant of a workforce.
 *
 * @module
 */
import type { App, Resource, Tenant, User } from "../declared.ts";
import type { EntraError } from "../entra_error.ts";
import type { UserGrant } from "../grant_store.ts";
import type { SigningKey } from "../signing_keys.ts";
import type { AppTokenInput, IdTokenInput, UserTokenInput } from "../token_input.ts";
import type { Json } from "../token_parts.ts";

/** An error as it is answered. */
export interface Refusal {
  readonly status: number;
  readonly error: string;
  /** The code and the text. */
  readonly description: string;
}

/** An answer of the token endpoint, before it is written. */
export interface ShapedAnswer {
  readonly grant: UserGrant;
  /** The resource of the access token; absent if there is to be none. */
  readonly audience: string | undefined;
  /** The scopes that are answered. */
  readonly scopes: readonly string[];
  readonly clientInfo: boolean;
  readonly nowSeconds: number;
}

/** What is not as at Entra ID. */
export interface Dialect {
  /** The issuer of ID tokens. */
  readonly issuer: string;
  /** What a client assertion may be for. */
  readonly audiences: readonly string[];
  /** The grant types that there are. */
  readonly grants: readonly string[];
  /** Names of scopes that every resource has. */
  readonly commonScopes: readonly string[];
  /** Names of scopes that are of no resource. */
  readonly plainScopes: readonly string[];
  /** The algorithms of client assertions. */
  readonly assertionAlgorithms: readonly string[];
  /** Whether a client assertion must name its certificate by `x5t`. */
  readonly needsX5t: boolean;
  /** What a scope that is the client's own id stands for; absent if it stands for nothing. */
  readonly ownResource: ((app: App) => Resource) | undefined;
  /** What an access token is for if no resource is named; absent if there is no token then. */
  readonly defaultResource: Resource | undefined;
  /** The discovery document. */
  readonly document: () => Json;
  /** A key of the key set. */
  readonly jwk: (key: SigningKey) => Json;
  /** The header of all tokens. */
  readonly header: (key: SigningKey) => Json;
  /** The subject of tokens for a user. */
  readonly subject: (tenant: Tenant, user: User, app: App) => string;
  readonly idToken: (input: IdTokenInput) => Json;
  readonly userToken: (input: UserTokenInput) => Json;
  readonly appToken: (input: AppTokenInput) => Promise<Json>;
  /** The members of an answer for a user, over those that Entra ID writes; `undefined` leaves one out. */
  readonly userAnswer: (answer: ShapedAnswer, lifetimeSeconds: number) => Json;
  /** The same of an answer for an app. */
  readonly appAnswer: (audience: string, lifetimeSeconds: number, nowSeconds: number) => Json;
  /** An error as it is told. */
  readonly refusal: (failure: EntraError, correlationId: string, timestamp: string) => Refusal;
}

/** What a token is issued from, and by whom. */
export type Shaped<Input> = Input & {
  /** What is not as at Entra ID; absent if all is. */
  readonly dialect?: Dialect | undefined;
};

/** What is played. */
export interface Shape {
  readonly kind: "external" | "b2c" | "adfs";
  readonly tenant: Tenant;
  /** What names it in the path, in lower case. */
  readonly segment: string;
  /** The policy, in lower case. */
  readonly policy?: string;
  /** Where its endpoints are, without a slash at the end. */
  readonly base: string;
  /** The origin that issuers are derived from; absent if it is that of the request. */
  readonly issuerOrigin?: string;
  /** What grants are kept apart by; absent if a grant of Entra ID serves. */
  readonly place?: string;
  /** What is not as at Entra ID; absent for External ID, where all is. */
  readonly dialect?: Dialect;
}
