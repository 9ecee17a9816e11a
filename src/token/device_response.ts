/**
 * Reads the answer of a device authorization endpoint, RFC 8628 section 3.2.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import type { DeviceFlow } from "../request/user_requests.ts";

/** What counts where the answer does not say; RFC 8628's interval and MSAL Python's lifetime. */
const DEFAULTS = { interval: 5, expires_in: 1_800 };
/** The longest that either may be. */
const MAX_SECONDS = 86_400;

/** What an answer says. */
export type DeviceResponse =
  & Pick<
    DeviceFlow,
    "userCode" | "deviceCode" | "verificationUri" | "verificationUriComplete" | "message" | "intervalSeconds"
  >
  & { readonly expiresInSeconds: number };

/**
 * Reads an answer.
 *
 * @param json The body.
 * @returns The answer, or what is wrong with it.
 */
export function parseDeviceResponse(json: Readonly<Record<string, unknown>>): DeviceResponse | string {
  const text = (name: string): string | undefined => {
    const value = json[name];
    return typeof value === "string" && value !== "" && value.length <= 4_096 ? value : undefined;
  };
  const seconds = (name: "interval" | "expires_in"): number => {
    const value = Number(json[name] ?? DEFAULTS[name]);
    return value > 0 && value <= MAX_SECONDS ? Math.ceil(value) : DEFAULTS[name];
  };
  const [userCode, deviceCode] = [text("user_code"), text("device_code")];
  // Google's name, and that of Entra's first version.
  const verificationUri = text("verification_uri") ?? text("verification_url");
  if (userCode === undefined || deviceCode === undefined || verificationUri === undefined) {
    return "user_code, device_code or verification_uri is missing";
  }
  const complete = text("verification_uri_complete");
  // It is shown to be opened: nothing but a web page.
  if (![verificationUri, complete ?? verificationUri].every((uri) => /^https?:\/\/\S+$/.test(uri))) {
    return "verification_uri is no web page";
  }
  return {
    userCode,
    deviceCode,
    verificationUri,
    ...(complete !== undefined && { verificationUriComplete: complete }),
    message: text("message") ?? `To sign in, open ${verificationUri} and enter the code ${userCode}.`,
    intervalSeconds: seconds("interval"),
    expiresInSeconds: seconds("expires_in"),
  };
}

/**
 * Checks a flow that was kept somewhere.
 *
 * @param flow What the caller gave.
 * @returns The flow.
 * @throws {ClientConfigurationError} `invalid_request`.
 */
export function readDeviceFlow(flow: unknown): DeviceFlow {
  const given = Object(flow) as Partial<DeviceFlow>;
  const {
    version,
    deviceCode,
    clientId,
    authority,
    correlationId,
    scopes,
    claims,
    keyId,
    expiresAt,
    intervalSeconds,
  } = given;
  const texts = [deviceCode, clientId, authority, correlationId, claims ?? "", keyId ?? ""];
  const fits = version === 1 && texts.every((text) => typeof text === "string") && Array.isArray(scopes) &&
    scopes.every((scope) => typeof scope === "string") &&
    [expiresAt, intervalSeconds].every((number) => Number.isFinite(number) && (number as number) > 0);
  // A copy: the caller may change theirs while it is polled with.
  return fits
    ? { ...given, scopes: [...scopes] } as DeviceFlow
    : refuse("invalid_request", "flow", "it must be what initiateDeviceFlow gave");
}
