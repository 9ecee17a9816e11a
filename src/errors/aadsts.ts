/**
 * What Microsoft Entra's AADSTS numbers mean to a developer.
 *
 * Microsoft says that the numbers may change, so they choose hints and telemetry only; whether a user must act
 * is decided from `error` and `suberror`.
 *
 * @module
 */

import { type AadstsInfo, COMMON_CODES, findAadsts } from "./aadsts_common.ts";

const OTHER_CODES =
  `interaction 16000 50055 50058 50072 50074 50076 50078 50079 50089 50097 50125 50129 50132 50133 50140 50144 50158 50173 53000 53001 70000 70008 70016 70043 700020 700082 700084 the user must sign in again, with the returned claims
interaction 65001 nobody has consented yet: use prompt=consent, or the admin consent URL
user 65004 the user declined to consent
user 70018 70019 90119 90120 the device code is wrong, expired or used: start again
user 50020 50034 51004 90072 500208 the account is not in this tenant: invite it or use another one
user 50056 50126 the password is wrong or missing
administrator 50053 50057 50105 53011 90094 90095 500212 500213 an administrator of the tenant must allow it
administrator 50000 90036 90092 the service failed: quote the correlation id to Microsoft
protocol 50196 the client asks in a loop: keep one application object and its cache
protocol 50147 501481 501491 the PKCE verifier does not match: mostly two tabs, or a lost cookie
protocol 700005 the authorization code was issued for another tenant
protocol 50013 240002 500133 7000114 the incoming assertion is invalid or expired: answer 401 to the caller
protocol 901002 leave the resource parameter out, the v2 endpoint does not take it
configuration 90038 900382 900432 the tenant is in another cloud: use the authority of that one
configuration 90124 90130 9001023 use the tenant's own authority instead of a shared one
configuration 50001 65005 add the API to the app registration, and to the tenant
configuration 28002 28003 700022 700023 ask for one API at a time, by its full scope
configuration 9002325 9002326 9002327 register the redirect URI for the right platform: Web, not SPA
configuration 50011 500112 500113 register this exact redirect URI: scheme, case and trailing slash count
configuration 700025 the app is registered as public: send no credential
configuration 50012 50048 the client assertion is wrong: check the certificate and its thumbprint
configuration 90008 90009 the app asks for a token for itself: name the API by its GUID
configuration 70005 700054 allow this response type in the app registration
configuration 700229 a federated credential must be an app-only token
configuration 100007 this regional endpoint serves Microsoft alone
transient 50033 50087 50166 70012 80002 80005 90006 90012 90024 90033 90055 90090 try again later, after Retry-After`;

/**
 * Explains AADSTS codes. Errors carry the explanation of the codes that a confidential client meets already; this knows
 * the codes of every flow, at the price of some more bytes.
 *
 * ```ts
 * import { describeAadsts } from "@msal-edge/msal";
 *
 * describeAadsts([50011])?.hint; // "register this exact redirect URI: scheme, case and trailing slash count"
 * ```
 *
 * @param codes The numbers, such as `errorCodes` of an error.
 * @returns The first known one's class and hint, or `undefined`.
 */
export function describeAadsts(codes: readonly number[]): AadstsInfo | undefined {
  return findAadsts(codes, `${COMMON_CODES}\n${OTHER_CODES}`);
}
