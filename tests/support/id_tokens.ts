/**
 * ID tokens signed in the test, the key set that they are held against, and a validator for each kind of authority.
 *
 * @module
 */
import { type CryptoKey, exportJWK, generateKeyPair, type JWK } from "jose";
import { parseAnyAuthority } from "../../src/authority/any_authority.ts";
import type { Authority } from "../../src/authority/authority.ts";
import { MetadataSource } from "../../src/authority/metadata.ts";
import type { IssuerMetadata } from "../../src/authority/provider_metadata.ts";
import { encodeBase64Url } from "../../src/crypto/base64url.ts";
import { JwksSource } from "../../src/jwt/jwks_source.ts";
import { DocumentCache } from "../../src/net/document_cache.ts";
import { HttpClient } from "../../src/net/http_client.ts";
import { createEmit, type MsalEvent } from "../../src/runtime/events.ts";
import { GuardedStore } from "../../src/store/guarded_store.ts";
import { MemoryStore } from "../../src/store/memory_store.ts";
import type { Store } from "../../src/store/store.ts";
import {
  type ExpectedIdToken,
  IdTokenValidator,
  type IdTokenValidatorOptions,
} from "../../src/token/id_token.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./scripted_fetch.ts";

export const CLIENT = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const HOME = "0f5b6a52-9c0e-4b8e-9a3e-2c6d8f1a7b90";
export const OTHER = "c4a1d5f7-3b2e-4f60-8d9c-1e2f3a4b5c6d";
export const MSA = "9188040d-6c67-4c5b-b112-36a304b66dad";
export const OID = "7d2f1c3e-5a4b-4c6d-8e9f-0a1b2c3d4e5f";
export const NONCE = "n-0S6_WzA2Mj";
export const CORRELATION = "5b2e8a0c-1d3f-4e6a-9b7c-8d0e1f2a3b4c";
export const TEMPLATE_ISSUER = "https://login.microsoftonline.com/{tenantid}/v2.0";
export const OIDC_ISSUER = "https://idp.example/realms/main";

/** Which authority was asked. */
export type Shape = "tenant" | "organizations" | "common" | "consumers";
export const SHAPES: readonly Shape[] = ["tenant", "organizations", "common", "consumers"];

/** How a key was made. */
export type KeyName = "main" | "other" | "ec" | "ec384" | "ed";

interface Pair {
  readonly privateKey: CryptoKey;
  readonly jwk: JWK;
}

const ALGORITHMS: Readonly<Record<KeyName, string>> = {
  main: "RS256",
  other: "RS256",
  ec: "ES256",
  ec384: "ES384",
  ed: "Ed25519",
};
const made = new Map<KeyName, Pair>();

/** A key pair, made once for each file: RSA takes its time. */
export async function keyPair(name: KeyName): Promise<Pair> {
  const known = made.get(name);
  if (known) return known;
  const { privateKey, publicKey } = await generateKeyPair(ALGORITHMS[name], { extractable: true });
  const pair = { privateKey, jwk: await exportJWK(publicKey) };
  made.set(name, pair);
  return pair;
}

const encoder = new TextEncoder();
export const encodeText = (text: string): string => encodeBase64Url(encoder.encode(text));
export const encodeJson = (value: unknown): string => encodeText(JSON.stringify(value));

const SIGNING: Readonly<Record<string, AlgorithmIdentifier | EcdsaParams>> = {
  RS256: { name: "RSASSA-PKCS1-v1_5" },
  ES256: { name: "ECDSA", hash: "SHA-256" },
  ES384: { name: "ECDSA", hash: "SHA-384" },
  Ed25519: { name: "Ed25519" },
};

/** Signs any text by the key's own algorithm, whatever the header says. */
export async function signParts(header: string, payload: string, name: KeyName = "main"): Promise<string> {
  const { privateKey } = await keyPair(name);
  const input = encoder.encode(`${header}.${payload}`);
  const signature = await crypto.subtle.sign(SIGNING[ALGORITHMS[name]]!, privateKey, input);
  return `${header}.${payload}.${encodeBase64Url(new Uint8Array(signature))}`;
}

/** Signs claims; `header` is laid over the usual one. */
export function signToken(
  claims: unknown,
  header: Readonly<Record<string, unknown>> = {},
  name: KeyName = "main",
): Promise<string> {
  const full = { typ: "JWT", alg: ALGORITHMS[name], kid: name, ...header };
  return signParts(encodeJson(full), encodeJson(claims), name);
}

/** The tenant whose users an authority signs in here. */
export function tenantOf(shape: Shape): string {
  return shape === "consumers" ? MSA : HOME;
}

/** The claims of a good token. */
export function goodClaims(shape: Shape, clock: FakeClock): Record<string, unknown> {
  const tid = tenantOf(shape);
  const now = Math.floor(clock.now() / 1000);
  return {
    ver: "2.0",
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    aud: CLIENT,
    exp: now + 3600,
    iat: now - 300,
    nbf: now - 300,
    name: "Jane",
    oid: OID,
    preferred_username: "jane@contoso.example",
    tid,
    nonce: NONCE,
  };
}

/** The key set of an authority. */
export async function keySet(shape: Shape): Promise<{ keys: Record<string, unknown>[] }> {
  const [main, other] = [(await keyPair("main")).jwk, (await keyPair("other")).jwk];
  const issuer = shape === "tenant" || shape === "consumers"
    ? TEMPLATE_ISSUER.replace("{tenantid}", tenantOf(shape))
    : TEMPLATE_ISSUER;
  const entra = { use: "sig", cloud_instance_name: "microsoftonline.com", issuer };
  return {
    keys: [
      { ...main, ...entra, kid: "main", x5t: "main" },
      { ...main, ...entra, kid: "foreign", issuer: TEMPLATE_ISSUER.replace("{tenantid}", OTHER) },
      {
        ...main,
        ...entra,
        kid: "foreign-host",
        issuer: `https://login.microsoftonline.us/${tenantOf(shape)}/v2.0`,
      },
      { ...main, ...entra, kid: "cloud", cloud_instance_name: "microsoftonline.us" },
      { ...other, ...entra, kid: "wrong" },
      { ...main, ...entra, kid: "encryption", use: "enc" },
      { ...main, ...entra, kid: "operations", key_ops: ["encrypt"] },
      { ...main, ...entra, kid: "rs512", alg: "RS512" },
      { ...main, ...entra, kid: "private", d: "AQAB" },
      { kty: "oct", k: "c2VjcmV0", kid: "symmetric" },
      { ...main, ...entra, kid: "twice" },
      { ...other, ...entra, kid: "twice" },
      { ...main, kid: "plain" },
      { ...main, kid: "blank", issuer: "  ", cloud_instance_name: "" },
    ],
  };
}

/** A validator and all around it. */
export interface TokenFixture {
  readonly clock: FakeClock;
  readonly requests: readonly RecordedRequest[];
  readonly events: MsalEvent[];
  readonly jwks: JwksSource;
  readonly metadata: MetadataSource;
  readonly validator: IdTokenValidator;
}

/** What a fixture is made with. */
export interface FixtureOptions extends Partial<IdTokenValidatorOptions> {
  readonly clock?: FakeClock;
  readonly store?: Store;
  readonly secret?: string | undefined;
  readonly knownAuthorities?: readonly string[];
  readonly insecureLoopback?: boolean;
  readonly maxMetadataBytes?: number;
}

export const entra = (tenant: string): Authority =>
  parseAnyAuthority({ authority: `https://login.microsoftonline.com/${tenant}` }, false);
export const oidc: Authority = parseAnyAuthority({ oidcAuthority: OIDC_ISSUER }, false);

/** Makes a fixture whose requests are answered by a function. */
export function tokenFixture(
  authority: Authority,
  respond: (request: RecordedRequest) => Answer,
  {
    clock = new FakeClock(),
    store,
    secret = "secret",
    insecureLoopback = false,
    maxMetadataBytes = 2 ** 18,
    ...options
  }: FixtureOptions = {},
): TokenFixture {
  const { fetch, requests } = scriptedFetch(respond);
  const events: MsalEvent[] = [];
  const emit = createEmit((event) => void events.push(event));
  const timeoutMs = { token: 10_000, metadata: 5_000 };
  const maxBytes = { token: 2 ** 20, metadata: maxMetadataBytes };
  const http = new HttpClient({ fetch, clock, timeoutMs, maxBytes });
  const guarded = new GuardedStore(store ?? new MemoryStore({ clock }), "httpCache", clock, () => {});
  const cache = new DocumentCache(guarded, clock, secret === "" ? undefined : secret, CLIENT);
  const jwks = new JwksSource(http, cache, { clock, emit, timeoutMs });
  const metadata = new MetadataSource(authority, http, cache, { clock, emit, timeoutMs, insecureLoopback });
  const validator = new IdTokenValidator({ clientId: CLIENT, authority, jwks, clock, ...options });
  return { clock, requests, events, jwks, metadata, validator };
}

/** A fixture for one of Entra's authorities, its key set served. */
export async function entraFixture(
  shape: Shape,
  options: FixtureOptions = {},
): Promise<TokenFixture & { expected: ExpectedIdToken; claims: Record<string, unknown> }> {
  const asked = shape === "tenant" ? HOME : shape;
  const document = await keySet(shape);
  const one = tokenFixture(entra(asked), () => jsonResponse(document), options);
  const issuer: IssuerMetadata = await one.metadata.issuer(asked, CORRELATION, undefined);
  return { ...one, expected: { issuer, tenant: asked, nonce: NONCE }, claims: goodClaims(shape, one.clock) };
}

/** The code of the error that a promise rejects with; `"accepted"` where it does not. */
export async function codeOf(promise: Promise<unknown>): Promise<string> {
  return await promise.then(() => "accepted", (error) => error.code ?? `no AuthError: ${error}`);
}
