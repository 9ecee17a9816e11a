/**
 * The device authorization grant: its endpoint, and what the device page does with a user code.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8628 | RFC 8628}
 */
import type { AuthorizationRequest } from "./authorization.ts";
import type { Exchange } from "./exchange.ts";
import type { UserSession } from "./sessions.ts";

/** A device that waits for its user. */
export interface PendingDevice {
  /** The code that the user types, in upper case. */
  readonly userCode: string;
  /** What the device asks for, read like an authorization request; it has no redirect URI. */
  readonly request: AuthorizationRequest;
}

/**
 * The device that shows this code; case, blanks and hyphens do not matter.
 *
 * @returns Absent if there is none, or it has expired, or it has had its answer
 */
export function findDevice(_exchange: Exchange, _userCode: string): PendingDevice | undefined {
  throw new TypeError("Not written yet");
}

/** Lets the device sign in as the user of a session. */
export function approveDevice(_exchange: Exchange, _userCode: string, _session: UserSession): void {
  throw new TypeError("Not written yet");
}

/** Refuses the device. */
export function declineDevice(_exchange: Exchange, _userCode: string): void {
  throw new TypeError("Not written yet");
}
