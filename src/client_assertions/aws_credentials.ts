/**
 * Where the keys come from that a request to AWS is signed with.
 *
 * @module
 */

import { refuse } from "../errors/errors.ts";
import { ask, membersOf, unusable } from "./ask.ts";
import type { AwsCredentials } from "./sigv4.ts";
import { requireFunction, type SourceSettings } from "./source_options.ts";

/**
 * The metadata services of an instance, of a task on ECS, and of a pod on EKS. R-004 wants https: these link-local addresses are
 * exceptions, because they have no other scheme and no packet to them leaves the machine. They are written here and can be
 * configured nowhere.
 */
const INSTANCE = "http://169.254.169.254/latest/";
const ECS = "http://169.254.170.2";
const EKS = "http://169.254.170.23/v1/credentials";

/** Keys from a place of the application's own, such as the environment of a Lambda function. */
export type AwsCredentialsProvider = () => AwsCredentials | Promise<AwsCredentials>;

/**
 * Where keys come from: a function; `"instance"` for the role of an EC2 instance, by IMDSv2; the variable
 * `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` of a task on ECS; or the text of the file that `AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE`
 * of a pod on EKS names.
 */
export type AwsCredentialsSource =
  | AwsCredentialsProvider
  | "instance"
  | { readonly containerPath: string }
  | { readonly readPodToken: () => string | Promise<string> };

/** Asks for keys. */
export type AwsKeys = (correlationId: string) => Promise<AwsCredentials>;

/** Visible ASCII: it goes into a header. */
const TEXT = /^[\x21-\x7e]{1,16384}$/;

/** Reads what a service or a function gave; nothing of it is repeated. */
function requireKeys(found: unknown, fail: () => Error): AwsCredentials {
  const { accessKeyId, secretAccessKey, sessionToken = "" } = Object(found) as Partial<AwsCredentials>;
  if (typeof secretAccessKey !== "string" || secretAccessKey === "" || sessionToken === null) throw fail();
  if (typeof accessKeyId !== "string" || !/^\w{1,128}$/.test(accessKeyId)) throw fail();
  if (sessionToken === "") return { accessKeyId, secretAccessKey };
  if (!TEXT.test(sessionToken)) throw fail();
  return { accessKeyId, secretAccessKey, sessionToken };
}

async function fromUrl(
  settings: SourceSettings,
  url: string,
  headers: Readonly<Record<string, string>>,
  correlationId: string,
): Promise<AwsCredentials> {
  const { text } = await ask(settings, { url, headers, correlationId });
  const { AccessKeyId, SecretAccessKey, Token } = membersOf(text);
  const keys = { accessKeyId: AccessKeyId, secretAccessKey: SecretAccessKey, sessionToken: Token };
  return requireKeys(keys, () => unusable(url, "sent no keys", correlationId));
}

/** IMDSv2: the PUT shows that whoever asks can do more than follow a link. Version 1 is never tried. */
async function fromInstance(settings: SourceSettings, correlationId: string): Promise<AwsCredentials> {
  const { text: session } = await ask(settings, {
    url: `${INSTANCE}api/token`,
    method: "PUT",
    headers: { "x-aws-ec2-metadata-token-ttl-seconds": "60" },
    correlationId,
  });
  if (!TEXT.test(session)) throw unusable(INSTANCE, "sent no session token", correlationId);
  const headers = { "x-aws-ec2-metadata-token": session };
  const url = `${INSTANCE}meta-data/iam/security-credentials/`;
  const role = (await ask(settings, { url, headers, correlationId })).text.trim();
  if (!/^[\w+=,.@-]{1,128}$/.test(role)) throw unusable(url, "sent no role", correlationId);
  return await fromUrl(settings, url + encodeURIComponent(role), headers, correlationId);
}

/**
 * Checks where keys come from; nothing is asked yet.
 *
 * @param source The option.
 * @param settings The source's settings.
 * @returns Asks for keys.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function awsKeys(source: AwsCredentialsSource, settings: SourceSettings): AwsKeys {
  if (typeof source === "function") {
    const fail = (): never =>
      refuse("invalid_option", "credentials", "the function must return { accessKeyId, secretAccessKey }");
    return async () => requireKeys(await source(), fail);
  }
  if (source === "instance") return (correlationId) => fromInstance(settings, correlationId);
  const { containerPath, readPodToken } = Object(source) as Record<string, unknown>;
  if (typeof containerPath === "string") {
    // Else it could change the host.
    if (!/^\/[\w./?=&-]{1,512}$/.test(containerPath) || containerPath.startsWith("//")) {
      refuse("invalid_option", "credentials.containerPath", "it must be a path");
    }
    return (correlationId) => fromUrl(settings, ECS + containerPath, {}, correlationId);
  }
  requireFunction(readPodToken, "credentials");
  return async (correlationId) => {
    const token = `${await (readPodToken as () => unknown)()}`.trim();
    if (!TEXT.test(token)) throw unusable(EKS, "needs the token of the pod", correlationId);
    return await fromUrl(settings, EKS, { authorization: token }, correlationId);
  };
}
