/**
 * Plays a tenant in this process, so that the example runs without one. It does nothing where TENANT_ID is set.
 *
 * @module
 */
import { LocalAuthority } from "@msal-edge/msal/testing";

if (Deno.env.get("TENANT_ID") === undefined) {
  console.log("TENANT_ID is not set: a local authority plays Microsoft Entra ID and Graph in this process");
  const authority = new LocalAuthority();
  Deno.env.set("TENANT_ID", authority.defaults.tenantId);
  Deno.env.set("CLIENT_ID", authority.defaults.clientId);
  Deno.env.set("CLIENT_SECRET", authority.defaults.clientSecret);
  // The library looks the global fetch up at each call.
  globalThis.fetch = authority.fetch;
}
