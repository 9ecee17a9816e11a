/**
 * What the demo runs against: a local authority on loopback, a clock that is moved forward, and new applications.
 *
 * @module
 */
import {
  allowInsecureLoopback,
  AuthError,
  type Clock,
  ConfidentialClientApplication,
  PublicClientApplication,
  systemClock,
} from "@msal-edge/msal";
import { LocalAuthority, type LocalAuthorityServer } from "@msal-edge/msal/testing";
import { demand } from "./demo_table.ts";

/** An hour, in milliseconds. */
export const HOUR_MS = 3_600_000;

let skippedMs = 0;

/** The clock of the applications and of the authority. */
export const clock: Clock = { ...systemClock, now: () => Date.now() + skippedMs };

/** Moves the clock forward. */
export function skip(durationMs: number): void {
  skippedMs += durationMs;
}

/** Issues tokens for a day, with `refresh_in` after half of it, as Entra does to some applications. */
export const authority: LocalAuthority = new LocalAuthority({
  clock,
  tokenLifetimeSeconds: 24 * 3600,
  dpop: true,
});

/** Where the authority listens. */
export const server: LocalAuthorityServer = await authority.serve(Deno);

/** What applications do after they have answered. */
export const background: Promise<unknown>[] = [];

const { tenantId, clientId, clientSecret, publicClientId } = authority.defaults;
const options = {
  authority: `${server.origin}/${tenantId}`,
  clock,
  waitUntil: (promise: Promise<unknown>) => void background.push(promise),
  [allowInsecureLoopback]: true,
};

/** A new application with an empty cache: what every fresh process or isolate starts with. */
export function coldApplication(secret: string = clientSecret): ConfidentialClientApplication {
  // Its APIs may refuse a token and ask for claims.
  return new ConfidentialClientApplication({
    ...options,
    clientId,
    clientCredential: secret,
    clientCapabilities: ["cp1"],
  });
}

/** A new application on a device, which has no secret. */
export function coldDevice(): PublicClientApplication {
  return new PublicClientApplication({ ...options, clientId: publicClientId });
}

/** The error that a call fails with. */
export async function failureOf(call: Promise<unknown>): Promise<AuthError> {
  const error = await call.then(() => undefined, (reason: unknown) => reason);
  demand(error instanceof AuthError, "the call did not fail with an AuthError");
  return error;
}
