/**
 * Signs a request to AWS, Signature Version 4, by Web Crypto.
 *
 * @module
 * @see {@link https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html | Signature Version 4}
 */

/** Keys of AWS. */
export interface AwsCredentials {
  /** The access key's id. */
  readonly accessKeyId: string;
  /** The secret access key. */
  readonly secretAccessKey: string;
  /** The session's token, which temporary keys come with. */
  readonly sessionToken?: string | undefined;
}

/** What is signed: a request to the root of a host, without a query. */
export interface AwsRequest {
  /** The method. */
  readonly method: string;
  /** The host. */
  readonly host: string;
  /** The headers beside those that signing adds, with names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The body. */
  readonly body: string;
}

/** What a signature is good for. */
export interface AwsScope {
  /** The region. */
  readonly region: string;
  /** The service, as `sts`. */
  readonly service: string;
}

function bytesOf(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

function hex(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, "0")).join("");
}

async function hash(text: string): Promise<string> {
  return hex(await crypto.subtle.digest("SHA-256", bytesOf(text)));
}

async function hmac(key: ArrayBuffer | Uint8Array<ArrayBuffer>, text: string): Promise<ArrayBuffer> {
  const imported = await crypto.subtle.importKey("raw", key, { name: "HMAC", hash: "SHA-256" }, false, [
    "sign",
  ]);
  return await crypto.subtle.sign("HMAC", imported, bytesOf(text));
}

/**
 * Signs a request.
 *
 * @param request The request.
 * @param scope What the signature is good for.
 * @param credentials The keys.
 * @param nowMs The time, in milliseconds since the epoch.
 * @returns The headers to send; the host's is for the runtime to add.
 */
export async function signAws(
  { method, host, headers, body }: AwsRequest,
  { region, service }: AwsScope,
  { accessKeyId, secretAccessKey, sessionToken }: AwsCredentials,
  nowMs: number,
): Promise<Record<string, string>> {
  const date = new Date(nowMs).toISOString().replace(/[:-]|\.\d{3}/g, "");
  const day = date.slice(0, 8);
  const sent = {
    ...headers,
    "x-amz-date": date,
    ...(sessionToken !== undefined && { "x-amz-security-token": sessionToken }),
  };
  const sorted = Object.entries({ ...sent, host }).sort(([a], [b]) => a < b ? -1 : 1);
  const signed = sorted.map(([name]) => name).join(";");
  const lines = sorted.map(([name, value]) => `${name}:${value.trim().replace(/ +/g, " ")}\n`).join("");
  const canonical = [method, "/", "", lines, signed, await hash(body)].join("\n");
  const scope = [day, region, service, "aws4_request"];
  let key: ArrayBuffer | Uint8Array<ArrayBuffer> = bytesOf(`AWS4${secretAccessKey}`);
  for (const step of scope) key = await hmac(key, step);
  const toSign = ["AWS4-HMAC-SHA256", date, scope.join("/"), await hash(canonical)].join("\n");
  const credential = [accessKeyId, ...scope].join("/");
  const signature = hex(await hmac(key, toSign));
  return {
    ...sent,
    authorization:
      `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`,
  };
}
