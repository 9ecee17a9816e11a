/**
 * Access tokens signed in the test, and validators for each kind of authority.
 *
 * @module
 */
import { assert } from "@std/assert";
import type { MsalEvent } from "../../mod.ts";
import {
  AccessTokenError,
  type AccessTokenRequirements,
  AccessTokenValidator,
  type AccessTokenValidatorOptions,
  type ValidatedAccessToken,
} from "../../src/validate/mod.ts";
import { settle } from "./app_fixture.ts";
import { FakeClock } from "./fake_clock.ts";
import {
  HOME,
  type KeyName,
  keyPair,
  keySet,
  OID,
  OIDC_ISSUER,
  type Shape,
  signToken,
  tenantOf,
} from "./id_tokens.ts";
import { type Answer, jsonResponse, type RecordedRequest, scriptedFetch } from "./scripted_fetch.ts";

/** The API, and an app that calls it. */
export const API = "3f0a9c52-7d1e-4b6f-8a2c-5e9d0b1f4a68";
export const API_URI: string = `api://${API}`;
export const APP = "6731de76-14a6-49ae-97bc-6eba6914391e";
export const APP_OID = "b0e4a1c7-2d3f-4e5a-9c6b-7d8e9f0a1b2c";

export type Claims = Record<string, unknown>;

/** The claims of a good token of a user; for an app's, `appClaims`. */
export function userClaims(clock: FakeClock, shape: Shape = "tenant"): Claims {
  const tid = tenantOf(shape);
  const now = Math.floor(clock.now() / 1000);
  return {
    ver: "2.0",
    iss: `https://login.microsoftonline.com/${tid}/v2.0`,
    sub: "AAAAAAAAAAAAAAAAAAAAAIkzqFVrSaSaFHy782bbtaQ",
    aud: API,
    exp: now + 3600,
    iat: now - 300,
    nbf: now - 300,
    azp: APP,
    azpacr: "1",
    name: "Jane",
    oid: OID,
    scp: "Files.Read Orders.Write",
    tid,
  };
}

/** What a token of an app has in place of a user's claims. */
export const AS_APP: Claims = {
  sub: APP_OID,
  oid: APP_OID,
  idtyp: "app",
  name: undefined,
  scp: undefined,
  roles: ["Orders.All"],
};

/** The claims of a good token of version 1. */
export function v1Claims(clock: FakeClock, shape: Shape = "tenant"): Claims {
  const { azp: _azp, azpacr: _acr, ...claims } = userClaims(clock, shape);
  const iss = `https://sts.windows.net/${tenantOf(shape)}/`;
  return { ...claims, ver: "1.0", iss, aud: API_URI, appid: APP, appidacr: "1", upn: "jane@contoso.example" };
}

/** The claims of a good token of another issuer, RFC 9068. */
export function genericClaims(clock: FakeClock): Claims {
  const now = Math.floor(clock.now() / 1000);
  const times = { iat: now, exp: now + 600 };
  return {
    iss: OIDC_ISSUER,
    sub: "jane",
    aud: API_URI,
    client_id: "spa",
    scope: "orders.read profile",
    jti: "1",
    ...times,
  };
}

/** A validator and all around it. */
export interface ApiFixture {
  readonly clock: FakeClock;
  readonly requests: readonly RecordedRequest[];
  readonly events: MsalEvent[];
  readonly validator: AccessTokenValidator;
  /** Validates a token and lets time pass as far as that needs. */
  validate(token: unknown, requirements?: AccessTokenRequirements): Promise<ValidatedAccessToken>;
  /** Why a token is refused. */
  refused(token: unknown, requirements?: AccessTokenRequirements): Promise<AccessTokenError>;
}

/** Options over those of the fixture, wrong ones included. */
export type ApiOptions = Omit<Partial<AccessTokenValidatorOptions>, "clock"> & { readonly clock?: FakeClock };

/** Makes a fixture whose requests are answered by a function. */
export function apiFixtureOf(
  respond: (request: RecordedRequest) => Answer,
  options: ApiOptions = {},
): ApiFixture {
  const { clock = new FakeClock() } = options;
  const { fetch, requests } = scriptedFetch(respond);
  const events: MsalEvent[] = [];
  const validator = new AccessTokenValidator({
    ...(options.oidcAuthority === undefined && { authority: `https://login.microsoftonline.com/${HOME}` }),
    audience: [API, API_URI],
    fetch,
    onEvent: (event) => void events.push(event),
    ...options,
    clock,
  });
  const validate: ApiFixture["validate"] = (token, requirements) =>
    settle(clock, validator.validate(token, requirements));
  const refused: ApiFixture["refused"] = async (token, requirements) => {
    const error = await validate(token, requirements).then(() => "accepted", (error) => error);
    assert(error instanceof AccessTokenError, String(error));
    return error;
  };
  return { clock, requests, events, validator, validate, refused };
}

/** A fixture for one of Entra's authorities, its key set served. */
export async function apiFixture(
  shape: Shape = "tenant",
  options: ApiOptions = {},
): Promise<ApiFixture> {
  const document = await keySet(shape);
  const asked = shape === "tenant" ? HOME : shape;
  const many = shape !== "tenant" && { allowedTenants: "any" as const };
  const authority = `https://login.microsoftonline.com/${asked}`;
  return apiFixtureOf(() => jsonResponse(document), { authority, ...many, ...options });
}

/** A fixture for an issuer that is not Microsoft's. */
export async function genericFixture(
  options: ApiOptions = {},
): Promise<ApiFixture> {
  const names: KeyName[] = ["main", "ec", "ed"];
  const keys = await Promise.all(names.map(async (kid) => ({ ...(await keyPair(kid)).jwk, kid })));
  const respond = ({ url }: RecordedRequest): Answer =>
    url.endsWith("/keys") ? jsonResponse({ keys }) : jsonResponse({
      issuer: OIDC_ISSUER,
      token_endpoint: `${OIDC_ISSUER}/token`,
      jwks_uri: `${OIDC_ISSUER}/keys`,
      id_token_signing_alg_values_supported: ["RS256", "ES256", "Ed25519", "HS256"],
    });
  return apiFixtureOf(respond, { oidcAuthority: OIDC_ISSUER, ...options });
}

/** Signs claims laid over those of a user's token. */
export function userToken(
  one: { readonly clock: FakeClock },
  claims: Claims = {},
  header: Claims = {},
): Promise<string> {
  return signToken({ ...userClaims(one.clock), ...claims }, header);
}

/** Signs claims laid over those of an app's token. */
export function appToken(one: { readonly clock: FakeClock }, claims: Claims = {}): Promise<string> {
  return userToken(one, { ...AS_APP, ...claims });
}
