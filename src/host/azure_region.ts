/**
 * The Azure region that a process runs in, as its environment says.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/azure/app-service/reference-app-settings | REGION_NAME on App Service}
 */
import { env } from "node:process";
import { type Environment, regionSetting } from "./region_setting.ts";

/**
 * What to give to the `azureRegion` option, by the variables that the other MSAL libraries know:
 *
 * - a region or `false` stays what it is, whatever the environment says;
 * - nothing becomes the region in `MSAL_FORCE_REGION`, or stays nothing: no region;
 * - `true` becomes the region in `REGION_NAME`, which Azure App Service and Functions set, so that the machine need not be
 *   asked. Without one, or with a name such as `East US 2` that is none, it stays `true`.
 *
 * @example
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { azureRegion } from "@msal-edge/msal/host";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: () => Promise.resolve("from your vault"),
 *   azureRegion: azureRegion(true),
 * });
 * ```
 *
 * @param setting What the application was set to.
 * @param environment The variables. @default {the process's}
 * @returns What to give to the option.
 * @throws {ClientConfigurationError} `invalid_option` for a `MSAL_FORCE_REGION` that is no region, if only empty; and where Deno
 * may not read a variable.
 */
export function azureRegion(
  setting?: string | boolean | undefined,
  environment: Environment = env,
): string | boolean | undefined {
  return regionSetting(setting, environment);
}
