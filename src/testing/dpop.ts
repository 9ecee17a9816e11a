/**
 * DPoP proofs, checked as an authorization server and an API check them.
 *
 * @module
 * @see {@link https://www.rfc-editor.org/rfc/rfc9449#section-4.3 | RFC 9449 section 4.3}
 */
import { base64url, decodeJwt, decodeProtectedHeader, type JWTPayload } from "jose";
import type { Clock } from "../runtime/clock.ts";
import { ExpiringMap } from "./expiring_map.ts";
import type { Incoming } from "./incoming.ts";
import type { BindingOptions, NonceOptions } from "./key_options.ts";
import { Nonces } from "./nonces.ts";
import { OAuthError } from "./oauth_error.ts";
import { PROOF_WINDOW_SECONDS, thumbprintOfSigner } from "./proof_key.ts";
import { sha256 } from "./token_parts.ts";

/** The header that a proof comes in. */
const HEADER = "dpop";
const MAX_PROOFS = 10_000;
const MAX_JTI_LENGTH = 256;

/** What a proof is checked against. */
interface ProofContext {
  readonly incoming: Incoming;
  readonly nonces: Nonces;
  /** The token that comes with it, at an API. */
  readonly accessToken?: string;
}

function refuse(text: string): OAuthError {
  return new OAuthError("invalid_dpop_proof", `The DPoP proof ${text}.`);
}

/** The claims, which nobody has signed yet as far as is known, and the thumbprint of who did. */
async function signedClaims(proof: string): Promise<{ claims: JWTPayload; jkt: string }> {
  try {
    const header = decodeProtectedHeader(proof);
    if (header.typ !== "dpop+jwt" || header.crit !== undefined) throw refuse("is of another type");
    const jkt = await thumbprintOfSigner(proof, header.alg, header.jwk);
    if (jkt !== undefined) return { claims: decodeJwt(proof), jkt };
  } catch (cause) {
    if (cause instanceof OAuthError) throw cause;
    throw refuse("is no JWT");
  }
  throw refuse("is not signed by the public key in its header, with an algorithm that is supported");
}

/** Strict, as a client should be: no query and no fragment, which RFC 9449 lets a server overlook. */
function isSameUrl(htu: unknown, url: URL): boolean {
  return htu === `${url.origin}${url.pathname}`;
}

/** What DPoP takes at one authority. */
export class Dpop {
  /** The nonces of the token endpoint. */
  readonly tokenNonces: Nonces;
  /** The nonces of the API. */
  readonly apiNonces: Nonces;
  readonly #clock: Clock;
  readonly #seen: ExpiringMap<true>;

  constructor(clock: Clock, options: NonceOptions) {
    this.tokenNonces = new Nonces(clock, options);
    this.apiNonces = new Nonces(clock, options);
    this.#clock = clock;
    this.#seen = new ExpiringMap(clock, MAX_PROOFS);
  }

  /** The thumbprint of the key of a request's proof; absent if it has none. Throws an `OAuthError`. */
  async thumbprint(context: ProofContext): Promise<string | undefined> {
    const proof = context.incoming.headers.get(HEADER);
    if (proof === null) return undefined;
    const { claims, jkt } = await signedClaims(proof);
    this.#requireRequest(claims, context.incoming);
    if (context.accessToken !== undefined) {
      const expected = base64url.encode(await sha256(context.accessToken));
      if (claims["ath"] !== expected) throw refuse("is for another access token: ath");
    }
    this.#requireNonce(claims, context.nonces);
    this.#requireFresh(claims, jkt);
    return jkt;
  }

  #requireRequest(claims: JWTPayload, { method, url }: Incoming): void {
    if (claims["htm"] !== method) throw refuse("is for another method: htm");
    if (!isSameUrl(claims["htu"], url)) throw refuse("is for another URL: htu");
    const { iat } = claims;
    const ageSeconds = this.#clock.now() / 1000 - (typeof iat === "number" ? iat : NaN);
    if (!(Math.abs(ageSeconds) <= PROOF_WINDOW_SECONDS)) throw refuse("is too old, or of the future: iat");
  }

  #requireNonce({ nonce }: JWTPayload, nonces: Nonces): void {
    if (!nonces.required || nonces.accepts(nonce)) return;
    const text = "The DPoP proof must contain the nonce of this answer.";
    throw new OAuthError("use_dpop_nonce", text, { "dpop-nonce": nonces.current() });
  }

  #requireFresh({ jti }: JWTPayload, jkt: string): void {
    if (typeof jti !== "string" || jti === "" || jti.length > MAX_JTI_LENGTH) throw refuse("has no jti");
    const key = `${jkt}.${jti}`;
    if (this.#seen.get(key)) throw refuse("was used before: jti");
    this.#seen.set(key, true, 2 * PROOF_WINDOW_SECONDS + 1);
  }
}

/** What the options say of DPoP; absent if it is off. */
export function dpopOf(clock: Clock, { dpop = false }: BindingOptions): Dpop | undefined {
  if (dpop === false) return undefined;
  return new Dpop(clock, dpop === true ? {} : dpop);
}
