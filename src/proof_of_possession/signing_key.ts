/**
 * The key that tokens are bound to.
 *
 * @module
 */

import { encodeBase64Url } from "../crypto/base64url.ts";
import { sha256 } from "../crypto/digest.ts";
import { refuse } from "../errors/errors.ts";

/** How a proof is signed, RFC 7518 section 3.1: P-256, or RSA of at least 2048 bits, each with SHA-256. */
export type ProofAlgorithm = "ES256" | "PS256" | "RS256";

/** A public key as a JWK without anything else, its members in the order of RFC 7638. */
export type PublicJwk = Readonly<Record<string, string>>;

/** What Web Crypto calls an algorithm: of the key, of a new one, and of a signature. */
interface Recipe {
  readonly name: string;
  readonly make: RsaHashedKeyGenParams | EcKeyGenParams;
  readonly sign: AlgorithmIdentifier | EcdsaParams | RsaPssParams;
  /** The JWK's members that count, in their order. */
  readonly members: readonly string[];
}

/** RSA 2048 takes some hundred milliseconds to make. */
function rsa(name: string, sign: AlgorithmIdentifier | RsaPssParams): Recipe {
  const publicExponent = new Uint8Array([1, 0, 1]);
  const make = { name, modulusLength: 2048, publicExponent, hash: "SHA-256" };
  return { name, make, sign, members: ["e", "kty", "n"] };
}

function recipeOf(algorithm: unknown): Recipe | undefined {
  if (algorithm === "RS256") return rsa("RSASSA-PKCS1-v1_5", { name: "RSASSA-PKCS1-v1_5" });
  if (algorithm === "PS256") return rsa("RSA-PSS", { name: "RSA-PSS", saltLength: 32 });
  const name = "ECDSA";
  const sign = { name, hash: "SHA-256" };
  const make = { name, namedCurve: "P-256" };
  return algorithm === "ES256" ? { name, make, sign, members: ["crv", "kty", "x", "y"] } : undefined;
}

/** A key that proofs are signed with. */
export interface ProofKey {
  /** How it signs. */
  readonly algorithm: ProofAlgorithm;
  /** The public key: `kty` with `crv`, `x` and `y`, or with `e` and `n`, and nothing else. */
  readonly jwk: PublicJwk;
  /** The public key's SHA-256 thumbprint, RFC 7638, as base64url. */
  readonly thumbprint: string;
  /**
   * Signs a compact JWS.
   *
   * @param header The header; `alg` is to be added.
   * @param payload The claims.
   * @returns The JWS.
   */
  sign(
    header: Readonly<Record<string, unknown>>,
    payload: Readonly<Record<string, unknown>>,
  ): Promise<string>;
}

/**
 * The thumbprint of a public key, RFC 7638.
 *
 * @param jwk The key's members that count, in their order, and no others.
 * @returns The SHA-256 thumbprint as base64url.
 */
export function thumbprintOf(jwk: PublicJwk): Promise<string> {
  return sha256(JSON.stringify(jwk));
}

/** A key pair of which nobody can take the private key. */
export class SigningKey implements ProofKey {
  /** How it signs. */
  readonly algorithm: ProofAlgorithm;
  /** The public key. */
  readonly jwk: PublicJwk;
  /** The public key's thumbprint. */
  readonly thumbprint: string;
  readonly #privateKey: CryptoKey;
  readonly #sign: Recipe["sign"];

  /** Joins what {@linkcode SigningKey.generate} and {@linkcode SigningKey.from} have found out. */
  constructor(
    algorithm: ProofAlgorithm,
    jwk: PublicJwk,
    thumbprint: string,
    privateKey: CryptoKey,
    sign: Recipe["sign"],
  ) {
    this.algorithm = algorithm;
    this.jwk = jwk;
    this.thumbprint = thumbprint;
    this.#privateKey = privateKey;
    this.#sign = sign;
  }

  /**
   * Makes a key pair.
   *
   * @param algorithm How it is to sign.
   * @returns The key.
   * @throws {ClientConfigurationError} `invalid_option`.
   */
  static async generate(algorithm: ProofAlgorithm): Promise<SigningKey> {
    const recipe = recipeOf(algorithm) ??
      refuse("invalid_option", "algorithm", "it must be ES256, PS256 or RS256");
    const pair = await crypto.subtle.generateKey(recipe.make, false, ["sign", "verify"]);
    return await SigningKey.from(pair as CryptoKeyPair, [algorithm]);
  }

  /**
   * Takes a key pair of the application's own.
   *
   * @param keyPair The pair.
   * @param algorithms How it may sign.
   * @returns The key.
   * @throws {ClientConfigurationError} `invalid_option`, its `option` being `keyPair`.
   */
  static async from(keyPair: CryptoKeyPair, algorithms: readonly ProofAlgorithm[]): Promise<SigningKey> {
    const { privateKey, publicKey } = Object(keyPair) as Partial<CryptoKeyPair>;
    const algorithm = algorithms.find((one) => fits(privateKey, recipeOf(one) as Recipe));
    if (algorithm === undefined || privateKey === undefined) {
      fail(`it must be a CryptoKeyPair for ${algorithms.join(" or ")}, RSA keys of 2048 bits or more`);
    }
    // whoever runs code here later must not carry the key away.
    if (privateKey.extractable) fail("privateKey must not be extractable: import it with extractable false");
    const recipe = recipeOf(algorithm) as Recipe;
    const jwk = await publicJwk(publicKey, recipe);
    const key = new SigningKey(algorithm, jwk, await thumbprintOf(jwk), privateKey, recipe.sign);
    return await key.#isPair(recipe) ? key : fail("publicKey is not that of privateKey");
  }

  /**
   * Signs a compact JWS.
   *
   * @param header The header; `alg` is added.
   * @param payload The claims.
   * @returns The JWS.
   */
  async sign(
    header: Readonly<Record<string, unknown>>,
    payload: Readonly<Record<string, unknown>>,
  ): Promise<string> {
    const signed = [{ alg: this.algorithm, ...header }, payload]
      .map((part) => encode(new TextEncoder().encode(JSON.stringify(part)))).join(".");
    return `${signed}.${encode(await this.#signature(signed))}`;
  }

  async #signature(text: string): Promise<Uint8Array<ArrayBuffer>> {
    const data = new TextEncoder().encode(text);
    return new Uint8Array(await crypto.subtle.sign(this.#sign, this.#privateKey, data));
  }

  /** A proof by one key that names another is refused everywhere: better here. */
  async #isPair({ make, sign }: Recipe): Promise<boolean> {
    const text = this.thumbprint;
    const key = await crypto.subtle.importKey("jwk", { ...this.jwk }, make, true, ["verify"]);
    return await crypto.subtle.verify(sign, key, await this.#signature(text), new TextEncoder().encode(text));
  }
}

function fail(why: string): never {
  refuse("invalid_option", "keyPair", why);
}

function fits(key: CryptoKey | undefined, { name, make }: Recipe): key is CryptoKey {
  const { type, usages, algorithm } = Object(key) as Partial<CryptoKey>;
  const { hash, modulusLength = 0, namedCurve, ...given } = Object(algorithm) as {
    name?: string;
    hash?: { name?: string };
    modulusLength?: number;
    namedCurve?: string;
  };
  const isStrong = "namedCurve" in make
    ? namedCurve === make.namedCurve
    : hash?.name === "SHA-256" && modulusLength >= make.modulusLength;
  return given.name === name && isStrong && type === "private" && Boolean(usages?.includes("sign"));
}

/** The public members alone, whatever key it was taken for. */
async function publicJwk(key: CryptoKey | undefined, { members }: Recipe): Promise<PublicJwk> {
  if (Object(key).type !== "public") fail("publicKey is no public key");
  try {
    const exported = await crypto.subtle.exportKey("jwk", key as CryptoKey) as Record<string, unknown>;
    const pairs = members.map((name) => [name, exported[name]] as const);
    if (pairs.every(([, value]) => typeof value === "string")) return Object.fromEntries(pairs) as PublicJwk;
  } catch {
    // What it was is said below.
  }
  fail("publicKey must be extractable, and of the same kind as privateKey");
}

/** Three thousand bytes at a time: a token may be long. */
function encode(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; at += 3_000) text += encodeBase64Url(bytes.subarray(at, at + 3_000));
  return text;
}
