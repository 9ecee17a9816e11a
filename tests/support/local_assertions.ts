/**
 * An authority that takes assertions, and assertions that are written and signed by hand.
 *
 * @module
 */
import { CompactSign } from "jose";
import { LocalAuthority, type LocalAuthorityOptions } from "../../src/testing/mod.ts";
import { FakeClock } from "./fake_clock.ts";
import { type MadeCertificate, signingKeyOf } from "./made_certificates.ts";
import { type Changes, CONTOSO, FABRIKAM, type Json } from "./user_scene.ts";

/** The client that proves itself. */
export const CLIENT_ID = "0f1e2d3c-4b5a-4968-8776-655443322110";
/** The endpoint that is asked. */
export const TOKEN_ENDPOINT: string = `https://login.microsoftonline.com/${CONTOSO.id}/oauth2/v2.0/token`;
/** What an assertion says it is. */
export const JWT_BEARER = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

/** What is changed of an assertion; a member that is `undefined` is left out. */
export interface AssertionChanges {
  readonly header?: Json;
  readonly claims?: Json;
  /** The algorithm that it is signed with, whatever the header says. */
  readonly signedWith?: string;
}

/** What the authority answered: status, `error`, first code, description. */
export interface Outcome {
  readonly status: number;
  readonly error: string | undefined;
  readonly code: number | undefined;
  readonly text: string;
  readonly body: Json;
}

/** Signs a JWT as it stands, also one that no library would write. */
export async function signedByHand(
  header: Json,
  claims: Json,
  key: CryptoKey,
  alg: string = header["alg"],
): Promise<string> {
  const payload = new TextEncoder().encode(JSON.stringify(claims));
  const signer = new CompactSign(payload).setProtectedHeader({ ...header, alg });
  return await signer.sign(key);
}

/** An authority on a clock that stands still. */
export class AssertionScene {
  readonly clock: FakeClock = new FakeClock();
  readonly authority: LocalAuthority;

  constructor(app: Json, options: LocalAuthorityOptions = {}) {
    this.authority = new LocalAuthority({
      tenants: [CONTOSO, FABRIKAM],
      clock: this.clock,
      apps: [{ clientId: CLIENT_ID, ...app }],
      ...options,
    });
  }

  /** The time, in seconds. */
  get now(): number {
    return Math.floor(this.clock.now() / 1000);
  }

  /** An assertion that is right, but for the changes. */
  async assertion(certificate: MadeCertificate, changes: AssertionChanges = {}): Promise<string> {
    const header = { alg: "PS256", typ: "JWT", "x5t#S256": certificate.x5tS256, ...changes.header };
    const claims = {
      aud: TOKEN_ENDPOINT,
      iss: CLIENT_ID,
      sub: CLIENT_ID,
      jti: crypto.randomUUID(),
      nbf: this.now,
      exp: this.now + 600,
      ...changes.claims,
    };
    const alg = changes.signedWith ?? header.alg;
    return await signedByHand(header, claims, await signingKeyOf(certificate, alg), alg);
  }

  /** Asks for an app token. */
  async ask(assertion: string, changes: Changes = {}, endpoint: string = TOKEN_ENDPOINT): Promise<Outcome> {
    const fields = {
      grant_type: "client_credentials",
      client_id: CLIENT_ID,
      scope: "https://graph.microsoft.com/.default",
      client_assertion_type: JWT_BEARER,
      client_assertion: assertion,
      ...changes,
    };
    const given = Object.entries(fields).filter((field): field is [string, string] => field[1] !== undefined);
    const response = await this.authority.fetch(endpoint, {
      method: "POST",
      body: new URLSearchParams(given),
    });
    const body = await response.json();
    const { error, error_codes: [code] = [], error_description: text = "" } = body;
    return { status: response.status, error, code, text, body };
  }
}
