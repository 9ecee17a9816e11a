/**
 * Devices that wait for their users.
 *
 * @module
 */
import type { Clock } from "../runtime/clock.ts";
import type { AuthorizationRequest } from "./authorization_request.ts";
import { ExpiringMap } from "./expiring_map.ts";
import type { UserGrant } from "./grant_store.ts";
import type { DeviceCodeOptions } from "./options.ts";
import { opaque } from "./token_parts.ts";

/** What has become of a device's request. */
export type DeviceOutcome = "pending" | "declined" | "redeemed" | { readonly grant: UserGrant };

/** A device that waits. */
export interface Device {
  readonly deviceCode: string;
  readonly userCode: string;
  readonly request: AuthorizationRequest;
  readonly expiresAtMs: number;
  outcome: DeviceOutcome;
  intervalSeconds: number;
  polledAtMs: number | undefined;
}

const MAX_DEVICES = 1_000;
/** Letters and digits that are not taken for one another; 32, so that a byte picks one without bias. */
const ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
const USER_CODE_LENGTH = 9;
/** How long it is still known that a code has expired, in seconds. */
const MEMORY_SECONDS = 3600;

function makeUserCode(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(USER_CODE_LENGTH));
  return [...bytes].map((byte) => ALPHABET[byte & 31]).join("");
}

/** The devices of one authority. */
export class DeviceStore {
  /** How long the user has, in seconds. */
  readonly lifetimeSeconds: number;
  readonly #intervalSeconds: number;
  readonly #clock: Clock;
  readonly #byDeviceCode: ExpiringMap<Device>;
  readonly #byUserCode: ExpiringMap<Device>;

  constructor(clock: Clock, { intervalSeconds = 5, lifetimeSeconds = 900 }: DeviceCodeOptions) {
    this.lifetimeSeconds = lifetimeSeconds;
    this.#intervalSeconds = intervalSeconds;
    this.#clock = clock;
    this.#byDeviceCode = new ExpiringMap(clock, MAX_DEVICES);
    this.#byUserCode = new ExpiringMap(clock, MAX_DEVICES);
  }

  /** Makes the codes of a device. */
  add(request: AuthorizationRequest): Device {
    const device: Device = {
      deviceCode: `1.D${opaque(48)}`,
      userCode: makeUserCode(),
      request,
      expiresAtMs: this.#clock.now() + this.lifetimeSeconds * 1000,
      outcome: "pending",
      intervalSeconds: this.#intervalSeconds,
      polledAtMs: undefined,
    };
    this.#byDeviceCode.set(device.deviceCode, device, this.lifetimeSeconds + MEMORY_SECONDS);
    this.#byUserCode.set(device.userCode, device, this.lifetimeSeconds);
    return device;
  }

  /** The device with this secret; also one that has expired a short while ago. */
  byDeviceCode(deviceCode: string): Device | undefined {
    return this.#byDeviceCode.get(deviceCode);
  }

  /** The device that shows this code and still waits; case, blanks and hyphens do not matter. */
  byUserCode(userCode: string): Device | undefined {
    const device = this.#byUserCode.get(userCode.replaceAll(/[\s-]/g, "").toUpperCase());
    return device?.outcome === "pending" ? device : undefined;
  }
}
