/**
 * Who issued a token: the rules of OpenID Connect, and those by which Entra keeps tenants apart.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer | Validate the issuer}
 */

import type { Authority } from "../authority/authority.ts";
import type { IssuerFail } from "../authority/issuer_rules.ts";
import { cloudOf, stsHostOf } from "../authority/known_clouds.ts";
import { MSA_TENANT, TEMPLATE } from "../authority/provider_document.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { tenantOf } from "../authority/tenant.ts";
import type { JsonObject } from "../jwt/compact.ts";
import type { VerificationKey } from "../jwt/key_set.ts";

/** Whose tokens are expected. */
export interface ExpectedIssuer {
  /** By which name and keys the authority signs. */
  readonly issuer: IssuerMetadata;
  /** The tenant that was asked for: `common`, `organizations`, `consumers`, a GUID or a domain. */
  readonly tenant: string;
  /** Whether it is an access token: ADFS issues those under another name. */
  readonly isAccessToken?: boolean | undefined;
}

function fill(template: string, tenant: unknown): string {
  return template.replace(TEMPLATE, () => typeof tenant === "string" ? tenant.toLowerCase() : "");
}

/** Checks `tid`; tells the issuer that follows from it, in the form of version 2. */
function entraIssuer(
  claims: JsonObject,
  { issuer: { issuer }, tenant: asked }: ExpectedIssuer,
  fail: IssuerFail,
): string {
  const tenant = tenantOf(claims, fail);
  const pinned = issuer.includes(TEMPLATE) ? tenant : issuer.split("/")[3];
  if (tenant !== pinned || (asked === "organizations" && tenant === MSA_TENANT)) fail("tenant_mismatch");
  return fill(issuer, tenant);
}

/**
 * Checks who issued a token.
 *
 * @param claims The token's claims.
 * @param authority The authority.
 * @param expected Whose tokens are expected.
 * @param fail Refuses the token.
 * @returns The issuer that its key has to be of, for {@linkcode checkKeyIssuer}.
 */
export function checkIssuer(
  claims: JsonObject,
  { kind, environment, rules }: Authority,
  expected: ExpectedIssuer,
  fail: IssuerFail,
): string {
  const { issuer: metadata, isAccessToken = false } = expected;
  const entra = kind === "aad";
  const current = rules?.issuerOf(claims, metadata, isAccessToken, fail) ??
    (entra ? entraIssuer(claims, expected, fail) : metadata.issuer);
  const cloud = cloudOf(environment);
  // Version 1 is of the same keys; its issuers have another host and no version.
  const wanted = entra && cloud !== undefined && claims["ver"] === "1.0"
    ? current.replace(/^https:..[^/]+(.*)v2\.0$/, `https://${stsHostOf(cloud)}$1`)
    : current;
  return claims["iss"] === wanted ? current : fail("issuer_mismatch");
}

/**
 * Checks that a key may sign for an issuer.
 *
 * @param key The key that the token is signed with.
 * @param claims The token's claims.
 * @param issuer What {@linkcode checkIssuer} gave.
 * @param metadata By which name and keys the authority signs.
 * @param fail Refuses the token.
 */
export function checkKeyIssuer(
  key: VerificationKey,
  claims: JsonObject,
  issuer: string,
  { cloudInstanceName }: IssuerMetadata,
  fail: IssuerFail,
): void {
  if (key.issuer !== undefined && fill(key.issuer, claims["tid"]) !== issuer) fail("key_issuer_mismatch");
  if (
    key.cloudInstanceName !== undefined && cloudInstanceName !== undefined &&
    key.cloudInstanceName !== cloudInstanceName
  ) {
    fail("key_cloud_mismatch");
  }
}
