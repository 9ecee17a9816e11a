/**
 * Makes what the endpoints of one authority share.
 *
 * @module
 */
import { systemClock } from "../runtime/clock.ts";
import { Consents } from "./consents.ts";
import { DeviceStore } from "./device_store.ts";
import { Directory } from "./directory.ts";
import { dpopOf } from "./dpop.ts";
import type { Services } from "./exchange.ts";
import { GrantStore } from "./grant_store.ts";
import { Nonces } from "./nonces.ts";
import type { LocalAuthorityOptions } from "./options.ts";
import { pushedRequestsOf } from "./pushed_request_store.ts";
import { Revocations } from "./revocations.ts";
import { SessionStore } from "./sessions.ts";
import { SigningKeys } from "./signing_keys.ts";

const DEFAULT_LIFETIME_SECONDS = 3599;
const DEFAULT_REFRESH_LIFETIME_SECONDS = 90 * 24 * 3600;

/** Reads the options; does nothing else. Throws a `TypeError` when a declaration is wrong. */
export function servicesOf(options: LocalAuthorityOptions): Services {
  const directory = new Directory(options);
  const clock = options.clock ?? systemClock;
  const refreshTokens = options.refreshTokens ?? {};
  return {
    directory,
    keys: new SigningKeys(),
    clock,
    sessions: new SessionStore(clock),
    grants: new GrantStore(clock, refreshTokens.lifetimeSeconds ?? DEFAULT_REFRESH_LIFETIME_SECONDS),
    devices: new DeviceStore(clock, options.deviceCode ?? {}),
    consents: new Consents(directory),
    revocations: new Revocations(),
    refreshTokens,
    tokenLifetimeSeconds: options.tokenLifetimeSeconds ?? DEFAULT_LIFETIME_SECONDS,
    refreshInSeconds: options.refreshInSeconds,
    dpop: dpopOf(clock, options),
    popNonces: new Nonces(clock, options.signedHttpRequests ?? {}),
    pushedRequests: pushedRequestsOf(clock, options),
    fetch: options.fetch ?? ((input, init) => fetch(input, init)),
  };
}
