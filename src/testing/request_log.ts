/**
 * What arrived at an authority, without any secret.
 *
 * @module
 */
import type { FaultKind } from "./faults.ts";
import type { RequestKind } from "./router.ts";

/** One request that arrived. It never holds a secret, a token or a query string. */
export interface LoggedRequest {
  /** The HTTP method, in upper case. */
  readonly method: string;
  /** The host that the request was for, with its port if it is not the default one. */
  readonly host: string;
  /** The path, without the query. */
  readonly path: string;
  /** The endpoint; `"foreign"` is a host that is not Microsoft's, so the request was refused. */
  readonly kind: RequestKind;
  /** The client id that the request named. */
  readonly clientId?: string;
  /** The grant type that a token request named. */
  readonly grantType?: string;
  /** The tenant segment of the path, in lower case; `adfs` at AD FS. */
  readonly tenant?: string;
  /** The policy of Azure AD B2C, in lower case. */
  readonly policy?: string;
  /** The HTTP status of the answer; 0 if there is none, or none yet. */
  readonly status: number;
  /** The fault that was played. */
  readonly fault?: FaultKind;
  /** The correlation id that the request carried. */
  readonly correlationId?: string;
}

/** Which logged requests to count; each member given must match. */
export type RequestFilter = Partial<LoggedRequest>;

const MAX_FIELD_LENGTH = 200;

/** A bounded list of requests, oldest first. */
export class RequestLog {
  #entries: LoggedRequest[] = [];
  readonly #limit: number;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** A copy of what is in the log. */
  get entries(): readonly LoggedRequest[] {
    return this.#entries.map((entry) => ({ ...entry }));
  }

  /** Adds a request that has just arrived, and returns how to complete it. */
  begin(entry: Omit<LoggedRequest, "status">): (outcome: Pick<LoggedRequest, "status" | "fault">) => void {
    const logged = { ...entry, path: entry.path.slice(0, MAX_FIELD_LENGTH), status: 0 };
    this.#entries.push(logged);
    if (this.#entries.length > this.#limit) this.#entries.shift();
    return (outcome) => void Object.assign(logged, outcome);
  }

  /** How many requests match. */
  count(filter: RequestFilter): number {
    const wanted = Object.entries(filter) as [keyof LoggedRequest, unknown][];
    return this.#entries.filter((entry) => wanted.every(([name, value]) => entry[name] === value)).length;
  }

  /** Forgets all requests. */
  clear(): void {
    this.#entries = [];
  }
}

/** A value from a request, cut so that the log stays small. */
export function loggable(value: string | null | undefined): string | undefined {
  return value ? value.slice(0, MAX_FIELD_LENGTH) : undefined;
}
