/**
 * The device code grant: a device asks whether its user has signed in.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8628#section-3.5 | RFC 8628 section 3.5}
 */
import { NO_CLAIMS, readClaims } from "./claims_request.ts";
import type { App } from "./declared.ts";
import type { Device } from "./device_store.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { UserGrant } from "./grant_store.ts";
import { authenticatedClient, pathSegment } from "./path_client.ts";
import { requirePlace } from "./shapes/place.ts";
import { refreshTokenKey } from "./token_binding.ts";
import { plannedAnswer, writtenAnswer } from "./user_answer.ts";
import { tenantFor } from "./user_tenant.ts";

/** A device that is this much too early is not told to slow down, in milliseconds: clocks and timers differ. */
const LENIENCE_MS = 1_000;
const SLOW_DOWN_SECONDS = 5;

function findDevice(exchange: Exchange, client: App, form: ReadonlyMap<string, string>): Device {
  const deviceCode = form.get("device_code") ?? form.get("code");
  if (deviceCode === undefined) throw missingParameter("device_code");
  const device = exchange.services.devices.byDeviceCode(deviceCode);
  const named = "The provided value for the input parameter 'device_code' is not valid.";
  if (!device) throw new EntraError(400, "bad_verification_code", 70018, named);
  if (device.request.app !== client) {
    throw new EntraError(400, "invalid_grant", 700007, "The grant was issued for a different client id.");
  }
  if (device.expiresAtMs > exchange.services.clock.now()) return device;
  throw new EntraError(400, "expired_token", 70020, `${named} This device code has expired.`);
}

/** Refuses a device that asks too often, and from then on has it wait longer. */
function refuseHurry(exchange: Exchange, device: Device): void {
  const nowMs = exchange.services.clock.now();
  const dueMs = (device.polledAtMs ?? -Infinity) + device.intervalSeconds * 1000 - LENIENCE_MS;
  device.polledAtMs = nowMs;
  if (nowMs >= dueMs) return;
  device.intervalSeconds += SLOW_DOWN_SECONDS;
  throw new EntraError(400, "slow_down", 70016, "OAuth 2.0 device flow error. The device asks too often.");
}

function requireGrant(exchange: Exchange, device: Device): UserGrant {
  const { outcome } = device;
  if (typeof outcome === "object") return outcome.grant;
  if (outcome === "redeemed") {
    throw new EntraError(400, "invalid_grant", 54005, "The device code was already redeemed.");
  }
  if (outcome === "declined") {
    const text = "The user declined to sign in on the device.";
    throw new EntraError(400, "authorization_declined", 70017, text);
  }
  refuseHurry(exchange, device);
  const text = "OAuth 2.0 device flow error. Authorization is pending. Continue polling.";
  throw new EntraError(400, "authorization_pending", 70016, text);
}

/** Answers a request with a device code. */
export async function grantDeviceCode(
  exchange: Exchange,
  form: ReadonlyMap<string, string>,
): Promise<Record<string, unknown>> {
  const client = await authenticatedClient(exchange, form);
  // Nothing below waits for anything until the code is used up.
  const device = findDevice(exchange, client, form);
  requirePlace(exchange, device.request.place);
  const grant = requireGrant(exchange, device);
  const sent = form.get("claims");
  const { scopes } = grant;
  const answer = plannedAnswer(exchange, {
    grant,
    client,
    tenant: tenantFor(exchange, client, pathSegment(exchange), grant.user),
    claims: sent === undefined ? device.request.claims ?? NO_CLAIMS : readClaims(sent),
    nonce: undefined,
    clientInfo: form.get("client_info") === "1",
  }, scopes);
  device.outcome = "redeemed";
  const { grants } = exchange.services;
  const offline = scopes.includes("offline_access");
  const issued = offline
    ? grants.addRefreshToken(grant, client, refreshTokenKey(exchange, client))
    : undefined;
  return await writtenAnswer(exchange, answer, issued);
}
