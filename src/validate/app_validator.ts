/**
 * Makes a validator that shares what an application knows.
 *
 * @module
 */

import { openApplication } from "../client/client_application.ts";
import type { ConfidentialClientApplication } from "../client/confidential_client_application.ts";
import { AccessTokenValidator } from "./access_token_validator.ts";
import type { AccessTokenValidatorOptions } from "./options.ts";
import { SHARED } from "./validator_parts.ts";

/**
 * Makes a validator. Where neither `authority` nor `oidcAuthority` is given, the tokens of the application's authority count,
 * and its keys, documents, clock, `fetch`, events and `allowedTenants` are used for what the options leave out. An application with
 * `instanceDiscovery` or `metadata` asks by its own options alone.
 *
 * @param options The options.
 * @returns The validator.
 * @throws {ClientConfigurationError} as the constructor of {@linkcode AccessTokenValidator} does.
 */
export function accessTokenValidatorOf(
  { app, ...options }: AccessTokenValidatorOptions & {
    readonly app?: ConfidentialClientApplication | undefined;
  },
): AccessTokenValidator {
  const shared = app && openApplication(app).engine;
  return new AccessTokenValidator(Object.assign(options, { [SHARED]: shared }));
}
