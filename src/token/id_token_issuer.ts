/**
 * Who issued an ID token: the rules of OpenID Connect, and those by which Entra keeps tenants apart.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/access-tokens#validate-the-issuer | Validate the issuer}
 */

import type { Authority } from "../authority/authority.ts";
import { cloudOf, stsHostOf } from "../authority/known_clouds.ts";
import { MSA_TENANT, TEMPLATE } from "../authority/provider_document.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { isGuid } from "../authority/tenant.ts";
import type { JsonObject } from "../jwt/compact.ts";
import type { VerificationKey } from "../jwt/key_set.ts";
import type { IdTokenFail } from "./id_token_checks.ts";

/** Whose tokens are expected. */
export interface ExpectedIssuer {
  /** By which name and keys the authority signs. */
  readonly issuer: IssuerMetadata;
  /** The tenant that was asked for: `common`, `organizations`, `consumers`, a GUID or a domain. */
  readonly tenant: string;
}

/** The tenant of a token, in lower case: one claim of this name and of no other spelling. */
function tenantOf(claims: JsonObject, fail: IdTokenFail): string {
  const names = Object.keys(claims).filter((name) => name.toLowerCase() === "tid");
  const tenant = typeof claims["tid"] === "string" ? claims["tid"].toLowerCase() : "";
  return names.length === 1 && isGuid(tenant) ? tenant : fail("id_token_tenant_invalid");
}

function fill(template: string, tenant: string): string {
  return template.replace(TEMPLATE, () => tenant);
}

/** Checks `tid` and the users' ids beside it; tells the issuer that follows from it, in the form of version 2. */
function entraIssuer(
  claims: JsonObject,
  { issuer: { issuer }, tenant: asked }: ExpectedIssuer,
  fail: IdTokenFail,
): string {
  const tenant = tenantOf(claims, fail);
  const pinned = issuer.includes(TEMPLATE) ? tenant : issuer.split("/")[3];
  if (tenant !== pinned || (asked === "organizations" && tenant === MSA_TENANT)) {
    fail("id_token_tenant_mismatch");
  }
  const { oid } = claims;
  if (oid !== undefined && (typeof oid !== "string" || !isGuid(oid.toLowerCase()))) {
    fail("id_token_subject_invalid");
  }
  return fill(issuer, tenant);
}

/**
 * Checks who issued a token, and that its key may sign for them.
 *
 * @param claims The token's claims.
 * @param key The key that it is signed with.
 * @param authority The authority.
 * @param expected Whose tokens are expected.
 * @param fail Refuses the token.
 */
export function checkIssuer(
  claims: JsonObject,
  key: VerificationKey,
  { kind, environment }: Authority,
  expected: ExpectedIssuer,
  fail: IdTokenFail,
): void {
  const { issuer, cloudInstanceName } = expected.issuer;
  const entra = kind === "aad";
  const current = entra ? entraIssuer(claims, expected, fail) : issuer;
  const cloud = cloudOf(environment);
  // Version 1 is of the same keys; its issuers have another host and no version.
  const wanted = entra && cloud !== undefined && claims["ver"] === "1.0"
    ? current.replace(/^https:..[^/]+(.*)v2\.0$/, `https://${stsHostOf(cloud)}$1`)
    : current;
  if (claims["iss"] !== wanted) fail("id_token_issuer_mismatch");
  if (key.issuer !== undefined && fill(key.issuer, `${claims["tid"]}`.toLowerCase()) !== current) {
    fail("id_token_key_issuer_mismatch");
  }
  if (
    key.cloudInstanceName !== undefined && cloudInstanceName !== undefined &&
    key.cloudInstanceName !== cloudInstanceName
  ) {
    fail("id_token_key_cloud_mismatch");
  }
}
