/**
 * Plays a tenant in this process, so that the example runs without one. It does nothing where TENANT_ID is set.
 *
 * @module
 */
import process from "node:process";
import { LocalAuthority } from "@msal-edge/msal/testing";

if (process.env.TENANT_ID === undefined) {
  console.log("TENANT_ID is not set: a local authority plays Microsoft Entra ID and Graph in this process");
  const authority = new LocalAuthority();
  process.env.TENANT_ID = authority.defaults.tenantId;
  process.env.CLIENT_ID = authority.defaults.clientId;
  process.env.CLIENT_SECRET = authority.defaults.clientSecret;
  // The library looks the global fetch up at each call.
  globalThis.fetch = authority.fetch as typeof fetch;
}
