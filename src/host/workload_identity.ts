/**
 * What the platform of a process says of who it is.
 *
 * @module
 */
import { open } from "node:fs/promises";
import { env } from "node:process";
import { githubActionsAssertion } from "../client_assertions/github_actions.ts";
import { kubernetesAssertion } from "../client_assertions/kubernetes.ts";
import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { ClientAuthError, nameOf, refuse } from "../errors/errors.ts";
import { codeOf } from "./file_fault.ts";

/** Variables of an environment; those of a process are. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Who a process is: options of a `ConfidentialClientApplication`. */
export interface WorkloadIdentity {
  /** The application (client) id. */
  readonly clientId: string;
  /** The authority, with its tenant. */
  readonly authority: string;
  /** The platform's assertion. */
  readonly clientCredential: { readonly clientAssertion: ClientAssertionProvider };
}

const PUBLIC_CLOUD = "https://login.microsoftonline.com/";
/** No assertion is longer, and what is no file could be endless. */
const MAX_BYTES = 16_384;

function readVariable(environment: Environment, name: string): string {
  try {
    return environment[name] ?? "";
  } catch {
    return refuse("invalid_option", "environment", `Deno may not read ${name}. Allow --allow-env=${name}`);
  }
}

function requireVariable(environment: Environment, name: string, help: string): string {
  return readVariable(environment, name) ||
    refuse("invalid_option", "environment", `${name} is not set: ${help}`);
}

/** The application and its authority, in the variables that Azure's libraries have agreed on. */
function identityOf(environment: Environment, help: string): Omit<WorkloadIdentity, "clientCredential"> {
  const clientId = requireVariable(environment, "AZURE_CLIENT_ID", help);
  const tenant = requireVariable(environment, "AZURE_TENANT_ID", help);
  const host = readVariable(environment, "AZURE_AUTHORITY_HOST") || PUBLIC_CLOUD;
  return { clientId, authority: `${host.replace(/\/*$/, "")}/${tenant}` };
}

/** Deno's own errors have a name for a missing permission, and no code. */
function reasonOf(error: unknown): string {
  const { name } = Object(error) as { readonly name?: unknown };
  if (name === "NotCapable" || name === "PermissionDenied") return ": Deno needs --allow-read for it";
  return ` (${codeOf(error) || nameOf(error)})`;
}

/** Reads the file as it is now: the kubelet puts another one in its place. */
async function readToken(path: string): Promise<string> {
  const name = "AZURE_FEDERATED_TOKEN_FILE";
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(new Uint8Array(MAX_BYTES + 1), 0, MAX_BYTES + 1, 0);
      return new TextDecoder().decode(buffer.subarray(0, bytesRead));
    } finally {
      await file.close();
    }
  } catch (error) {
    // Without the path, which is nobody's business; the variable tells it to whoever may know.
    const why = `Cannot get an assertion: the file of ${name} cannot be read`;
    throw new ClientAuthError("client_credential_failed", why + reasonOf(error));
  }
}

/**
 * Who a pod is, by AKS workload identity: its webhook sets `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`, `AZURE_FEDERATED_TOKEN_FILE` and
 * `AZURE_AUTHORITY_HOST`, and mounts the token. On Deno this needs `--allow-env` for the variables and `--allow-read` for the file.
 *
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { workloadIdentity } from "@msal-edge/msal/host";
 *
 * const app = new ConfidentialClientApplication(workloadIdentity());
 * ```
 *
 * @param environment The variables; those of the process where absent.
 * @returns Options; the file is read when a token is asked for, and again before what it held ends, or when that was refused.
 * @throws {ClientConfigurationError} `invalid_option`, with the name of the variable that is not set.
 */
export function workloadIdentity(environment: Environment = env): WorkloadIdentity {
  const help =
    "label the pod azure.workload.identity/use, and annotate its service account with the client id";
  const identity = identityOf(environment, help);
  const path = requireVariable(environment, "AZURE_FEDERATED_TOKEN_FILE", help);
  const clientAssertion = kubernetesAssertion({ readToken: () => readToken(path) });
  return { ...identity, clientCredential: { clientAssertion } };
}

/**
 * Who a job of GitHub Actions is. The workflow has `permissions: id-token: write`, and sets `AZURE_CLIENT_ID`, `AZURE_TENANT_ID`,
 * and `AZURE_AUTHORITY_HOST` outside the public cloud. The runner sets the rest.
 *
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { githubActions } from "@msal-edge/msal/host";
 *
 * const app = new ConfidentialClientApplication(githubActions());
 * ```
 *
 * @param environment The variables; those of the process where absent.
 * @returns Options; the runner is asked when a token is.
 * @throws {ClientConfigurationError} `invalid_option`, with the name of the variable that is not set.
 */
export function githubActions(environment: Environment = env): WorkloadIdentity {
  const identity = identityOf(environment, "set it in the workflow");
  const help = "set permissions: id-token: write for the job";
  const clientAssertion = githubActionsAssertion({
    requestUrl: requireVariable(environment, "ACTIONS_ID_TOKEN_REQUEST_URL", help),
    requestToken: requireVariable(environment, "ACTIONS_ID_TOKEN_REQUEST_TOKEN", help),
  });
  return { ...identity, clientCredential: { clientAssertion } };
}
