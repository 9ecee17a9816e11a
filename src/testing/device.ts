/**
 * The device authorization grant: its endpoint, and what the device page does with a user code.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc8628#section-3 | RFC 8628 section 3}
 */
import type { AuthorizationRequest } from "./authorization_request.ts";
import { asksForAuthTime, grantFor } from "./user_grant.ts";
import { readClaims } from "./claims_request.ts";
import type { Device } from "./device_store.ts";
import { EntraError, missingParameter } from "./entra_error.ts";
import { type Exchange, jsonResponse } from "./exchange.ts";
import { readForm } from "./form.ts";
import { appOnPath, pathSegment } from "./path_client.ts";
import { asksForMfa, readScopes, splitScopes } from "./requested_scopes.ts";
import { noteApp, type UserSession } from "./sessions.ts";
import { tenantFor } from "./user_tenant.ts";

/** A device that waits for its user. */
export interface PendingDevice {
  /** The code that the user types, in upper case. */
  readonly userCode: string;
  /** What the device asks for, read like an authorization request; it has no redirect URI. */
  readonly request: AuthorizationRequest;
}

/** The path of the page where the code is typed. */
export const DEVICE_PAGE_PATH = "/common/oauth2/deviceauth";

/**
 * The device that shows this code; case, blanks and hyphens do not matter.
 *
 * @returns Absent if there is none, or it has expired, or it has had its answer
 */
export function findDevice(exchange: Exchange, userCode: string): PendingDevice | undefined {
  return exchange.services.devices.byUserCode(userCode);
}

function requireDevice(exchange: Exchange, userCode: string): Device {
  const device = exchange.services.devices.byUserCode(userCode);
  if (device) return device;
  const text = "Invalid verification code. It was typed wrong, has expired, or was used before.";
  throw new EntraError(400, "invalid_grant", 70018, text);
}

/** Lets the device sign in as the user of a session. Throws `EntraError` 70018 if no such device waits. */
export function approveDevice(exchange: Exchange, userCode: string, session: UserSession): void {
  const device = requireDevice(exchange, userCode);
  const { request } = device;
  noteApp(session, request.app, tenantFor(exchange, request.app, request.tenantSegment, session.user));
  const { app, scopes, place } = request;
  const grant = grantFor(exchange, app, session, scopes, asksForAuthTime(request), place);
  device.outcome = { grant };
}

/** Refuses the device. Throws `EntraError` 70018 if no such device waits. */
export function declineDevice(exchange: Exchange, userCode: string): void {
  requireDevice(exchange, userCode).outcome = "declined";
}

function readDeviceRequest(exchange: Exchange, form: ReadonlyMap<string, string>): AuthorizationRequest {
  const clientId = form.get("client_id");
  if (clientId === undefined) throw missingParameter("client_id");
  const scope = form.get("scope");
  if (scope === undefined) throw missingParameter("scope");
  const app = appOnPath(exchange, clientId);
  const scopes = splitScopes(scope);
  const { dialect, place } = exchange.route.shape ?? {};
  readScopes(exchange.services.directory, app, scopes, dialect);
  const claims = readClaims(form.get("claims"));
  return {
    clientId: app.clientId,
    app,
    tenantSegment: pathSegment(exchange),
    place,
    dialect,
    redirectUri: "",
    responseMode: "query",
    scopes,
    prompt: [],
    claims,
    needsMfa: asksForMfa(exchange.services.directory, app, scopes, claims, dialect),
    parameters: new URLSearchParams(),
  };
}

/** Answers a device authorization request. */
export function answerDeviceCode(exchange: Exchange): Response {
  const { devices } = exchange.services;
  const device = devices.add(readDeviceRequest(exchange, readForm(exchange)));
  const { dialect, base } = exchange.route.shape ?? {};
  const page = dialect ? `${base}/oauth2/deviceauth` : `${exchange.origin}${DEVICE_PAGE_PATH}`;
  const body = {
    user_code: device.userCode,
    device_code: device.deviceCode,
    verification_uri: page,
    ...(dialect ? { verification_url: page } : {}),
    expires_in: devices.lifetimeSeconds,
    interval: device.intervalSeconds,
    message:
      `To sign in, use a web browser to open the page ${page} and enter the code ${device.userCode} to ` +
      "authenticate.",
  };
  return jsonResponse(exchange, body, 200, { "cache-control": "no-store, no-cache", pragma: "no-cache" });
}
