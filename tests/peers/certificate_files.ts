/**
 * Keys, certificates and PFX files, made by openssl while the tests run.
 *
 * @module
 */

/** A key with its certificate, and what openssl says of them. */
export interface MadeCertificate {
  /** PKCS#8 as PEM. */
  readonly key: string;
  /** The certificate as PEM, then its issuers. */
  readonly chain: readonly string[];
  /** The public key as PEM. */
  readonly publicKey: string;
  /** The fingerprints as hex. */
  readonly sha1: string;
  readonly sha256: string;
  /** The chain as base64 of what openssl writes as DER. */
  readonly der: readonly string[];
}

/** Which files to make of a certificate: arguments of `openssl pkcs12 -export`. */
const PFX_FILES: Readonly<Record<string, readonly string[]>> = {
  modern: [],
  sha1Mac: ["-macalg", "sha1"],
  sha512Mac: ["-macalg", "sha512", "-keypbe", "AES-128-CBC", "-certpbe", "AES-192-CBC"],
  iterations: ["-iter", "20000"],
  noMac: ["-nomac"],
  openCertificates: ["-certpbe", "NONE"],
  legacy: ["-legacy"],
  tripleDes: ["-keypbe", "PBE-SHA1-3DES", "-certpbe", "PBE-SHA1-3DES", "-macalg", "sha1"],
};

/** The passphrase of every file, which goes through the shell of an example and openssl's own reading of UTF-8. */
export const PASSPHRASE = "Grüße hush €";

/** A folder of openssl's, removed in the end. */
export class OpenSsl implements AsyncDisposable {
  readonly #folder: string;
  #count = 0;

  constructor(folder: string) {
    this.#folder = folder;
  }

  static async start(): Promise<OpenSsl> {
    return new OpenSsl(await Deno.makeTempDir({ prefix: "certificates" }));
  }

  /** Runs openssl, or a whole command line in a shell, and returns what it prints. */
  async run(
    args: readonly string[] | string,
    input: string | Uint8Array = "",
  ): Promise<Uint8Array<ArrayBuffer>> {
    const [command, rest] = typeof args === "string"
      ? ["bash", ["-euo", "pipefail", "-c", args]]
      : ["openssl", [...args]];
    const io = { stdin: "piped", stdout: "piped", stderr: "piped" } as const;
    const env = { PASSPHRASE, LC_ALL: "C.UTF-8" };
    const child = new Deno.Command(command, { args: rest, cwd: this.#folder, env, ...io }).spawn();
    const writer = child.stdin.getWriter();
    // A command that reads nothing closes its end.
    await writer.write(typeof input === "string" ? new TextEncoder().encode(input) : input).catch(() => {});
    await writer.close().catch(() => {});
    const { success, stdout, stderr } = await child.output();
    if (!success) throw new Error(`openssl ${args}: ${new TextDecoder().decode(stderr)}`);
    return stdout as Uint8Array<ArrayBuffer>;
  }

  /** The same, as text. */
  async text(args: readonly string[] | string, input: string | Uint8Array = ""): Promise<string> {
    return new TextDecoder().decode(await this.run(args, input));
  }

  /** Writes a file, and returns its name. */
  async file(contents: string | Uint8Array): Promise<string> {
    const name = `file${++this.#count}`;
    const bytes = typeof contents === "string" ? new TextEncoder().encode(contents) : contents;
    await Deno.writeFile(`${this.#folder}/${name}`, bytes);
    return name;
  }

  /** Makes a key: `rsa:3072` or `ec:P-256`. */
  async key(kind: string): Promise<string> {
    const [type, size] = kind.split(":");
    const options = type === "rsa" ? `rsa_keygen_bits:${size}` : `ec_paramgen_curve:${size}`;
    return await this.text(["genpkey", "-quiet", "-algorithm", type!, "-pkeyopt", options]);
  }

  /** Makes a certificate of a key: its own issuer, or issued by another one. */
  async certificate(key: string, subject: string, issuer?: MadeCertificate): Promise<MadeCertificate> {
    const own = ["-key", await this.file(key), "-subj", `/CN=${subject}`, "-days", "30"];
    const by = issuer
      ? ["-CA", await this.file(issuer.chain[0]!), "-CAkey", await this.file(issuer.key)]
      : [];
    const pem = await this.text(["req", "-x509", ...own, ...by]);
    const fingerprint = async (hash: string): Promise<string> => {
      const line = await this.text(["x509", "-noout", "-fingerprint", `-${hash}`], pem);
      return line.split("=")[1]!.trim().replaceAll(":", "");
    };
    const der = await this.run(["x509", "-outform", "DER"], pem);
    return {
      key,
      chain: [pem, ...issuer?.chain ?? []],
      publicKey: await this.text(["pkey", "-pubout"], key),
      sha1: await fingerprint("sha1"),
      sha256: await fingerprint("sha256"),
      der: [base64(der), ...issuer?.der ?? []],
    };
  }

  /** Makes a PFX file with the issuers in the wrong order. */
  async pfx(
    { key, chain: [own, ...issuers] }: MadeCertificate,
    options: readonly string[] = [],
  ): Promise<Uint8Array> {
    const files = ["-inkey", await this.file(key), "-in", await this.file(own!)];
    const others = issuers.length > 0 ? ["-certfile", await this.file(issuers.toReversed().join(""))] : [];
    const out = await this.file("");
    await this.run([
      "pkcs12",
      "-export",
      ...files,
      ...others,
      "-passout",
      "env:PASSPHRASE",
      "-out",
      out,
      ...options,
    ]);
    return await Deno.readFile(`${this.#folder}/${out}`);
  }

  /** Makes the files of each kind, as base64. */
  async pfxFiles(certificate: MadeCertificate): Promise<Readonly<Record<string, string>>> {
    const files: Record<string, string> = {};
    for (const [name, options] of Object.entries(PFX_FILES)) {
      files[name] = base64(await this.pfx(certificate, options));
    }
    return files;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#folder, { recursive: true });
  }
}

/** Bytes as base64. */
export function base64(bytes: Uint8Array): string {
  return bytes.toBase64();
}
