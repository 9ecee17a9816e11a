/**
 * The Azure region whose endpoint app tokens are asked from.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/azure/virtual-machines/instance-metadata-service | Azure Instance Metadata Service}
 */

import type { Authority } from "../authority/authority.ts";
import { cloudOf } from "../authority/known_clouds.ts";
import { isRegion, regionalHost, requireRegion } from "../authority/region.ts";
import { ClientAuthError, refuse } from "../errors/errors.ts";
import { HttpClient } from "../net/http_client.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { SingleFlight } from "../store/single_flight.ts";
import type { Configuration } from "./configuration.ts";
import { toAuthError } from "./failure.ts";

/**
 * The one address that is asked over `http:`, and that no option changes: link-local, so that nothing but the machine's own host
 * answers, and Azure has no other. The answer is no more than a label before a Microsoft host.
 */
const METADATA_SERVICE = "http://169.254.169.254/metadata/instance/compute?api-version=2021-02-01";
const TIMEOUT_MS = 2_000;
/** How long a machine without an answer is not asked again. */
const PAUSE_MS = 300_000;

/** Finds the hosts that app tokens are asked from. */
export class AzureRegion {
  readonly #configuration: Configuration;
  readonly #flight: SingleFlight<void>;
  #region: string | undefined;
  #failedAtMs = -Infinity;

  /**
   * Makes a finder; nothing is sent yet.
   *
   * @param region The region; `undefined` asks the machine for it.
   * @param configuration The application's options.
   */
  constructor(region: string | undefined, configuration: Configuration) {
    this.#region = region;
    this.#configuration = configuration;
    this.#flight = new SingleFlight(configuration.clock);
  }

  /**
   * The host to ask.
   *
   * @param host The central host.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns The region's host; the central one where no region is known.
   */
  async hostFor(
    host: string,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<string> {
    const sinceMs = this.#configuration.clock.now() - this.#failedAtMs;
    if (this.#region === undefined && !(sinceMs >= 0 && sinceMs < PAUSE_MS)) {
      await this.#flight.run(
        "",
        { waitUntil, deadlineMs: TIMEOUT_MS + 1_000 },
        () => this.#find(correlationId),
      );
    }
    return this.#region === undefined ? host : regionalHost(host, this.#region);
  }

  /** Asks the machine. The global endpoint serves as well, so that no failure is the caller's. */
  async #find(correlationId: string): Promise<void> {
    const { clock, emit, fetch, maxBytes } = this.#configuration;
    const timeoutMs = { token: TIMEOUT_MS, metadata: TIMEOUT_MS };
    try {
      const { status, body } = await new HttpClient({ clock, emit, fetch, maxBytes, timeoutMs }).send({
        url: new URL(METADATA_SERVICE),
        purpose: "metadata",
        headers: { metadata: "true" },
        correlationId,
      });
      const { location } = Object(body);
      if (status !== 200 || !isRegion(location)) {
        const why = `Cannot find the Azure region: 169.254.169.254 did not name one (status ${status})`;
        throw new ClientAuthError("endpoints_resolution_error", why, correlationId);
      }
      this.#region = location;
    } catch (error) {
      this.#failedAtMs = clock.now();
      emit?.({ type: "region_unknown", error: toAuthError(error) });
    }
  }
}

/**
 * Checks the `azureRegion` option.
 *
 * @param setting The option.
 * @param configuration The other options, checked.
 * @returns The finder; `undefined` where regions are off.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function azureRegionOf(
  setting: string | boolean | undefined,
  configuration: Configuration,
): AzureRegion | undefined {
  if (setting === undefined || setting === false) return undefined;
  const region = setting === true ? undefined : requireRegion(setting, "azureRegion");
  const { kind, environment }: Authority = configuration.authority;
  if (kind !== "aad" || !cloudOf(environment)) {
    refuse(
      "invalid_option",
      "azureRegion",
      "only a Microsoft cloud has regions: leave it out for this authority",
    );
  }
  return new AzureRegion(region, configuration);
}
