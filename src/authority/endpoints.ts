/**
 * Endpoints that follow from an authority, without asking anybody.
 *
 * @module
 */

import type { ProviderEndpoints } from "./provider_metadata.ts";

/**
 * The endpoints as all of Microsoft's services name them.
 *
 * @param at What they have in common, without a slash at its end.
 * @returns The endpoints.
 */
export function endpointsAt(at: string): ProviderEndpoints {
  return {
    authorization: `${at}/authorize`,
    token: `${at}/token`,
    deviceAuthorization: `${at}/devicecode`,
    endSession: `${at}/logout`,
  };
}
