/**
 * What the environment says of the Azure region.
 *
 * @module
 */
import { isRegion, requireRegion } from "../authority/region.ts";
import { refuse } from "../errors/errors.ts";

/** Variables by their names. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Joins what the application was set to with the environment's variables, by the rules of MSAL Python.
 *
 * @param setting What the application was set to.
 * @param environment The variables.
 * @returns What to give to the option.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function regionSetting(
  setting: string | boolean | undefined,
  environment: Environment,
): string | boolean | undefined {
  if (setting === undefined) {
    const forced = read("MSAL_FORCE_REGION", environment);
    return forced === undefined ? undefined : requireRegion(forced, "MSAL_FORCE_REGION");
  }
  if (setting !== true) return setting;
  const region = read("REGION_NAME", environment);
  return isRegion(region) ? region : true;
}

function read(name: string, environment: Environment): string | undefined {
  try {
    return environment[name];
  } catch {
    return refuse("invalid_option", name, `Deno may not read it. Allow --allow-env=${name}`);
  }
}
