/**
 * Asks for a workload identity on Deno with the permissions that this process was given, and prints what came of it.
 *
 * @module
 */
import { workloadIdentity } from "../../src/host/mod.ts";
import { CONTEXT } from "../support/assertion_scene.ts";

const [file] = Deno.args;
const own = { AZURE_CLIENT_ID: "client", AZURE_TENANT_ID: "tenant", AZURE_FEDERATED_TOKEN_FILE: file };
try {
  const { clientCredential } = file ? workloadIdentity(own) : workloadIdentity();
  console.log((await clientCredential.clientAssertion(CONTEXT)).split(".").length);
} catch (error) {
  const { code, message } = error as { code?: string; message: string };
  console.log(`${code}: ${message}`);
}
