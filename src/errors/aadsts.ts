/**
 * What Microsoft Entra's AADSTS numbers mean to a developer.
 *
 * Microsoft says that the numbers may change, so they choose hints and telemetry only; whether a user must act
 * is decided from `error` and `suberror`.
 *
 * @module
 */

/**
 * What kind of problem an AADSTS code stands for: the user must act, try later, fix the configuration, ask an
 * administrator, the user erred, or the protocol was misused.
 *
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/reference-error-codes | Entra error codes}
 */
export type AadstsClass =
  | "interaction"
  | "transient"
  | "configuration"
  | "administrator"
  | "user"
  | "protocol";

/** A known AADSTS code's class and what usually helps. */
export interface AadstsInfo {
  /** The AADSTS number, without the prefix. */
  readonly code: number;
  /** The kind of problem. */
  readonly classification: AadstsClass;
  /** What usually helps. */
  readonly hint: string;
}

const CLASSES: Readonly<Record<string, AadstsClass>> = {
  I: "interaction",
  T: "transient",
  C: "configuration",
  A: "administrator",
  U: "user",
  P: "protocol",
};

// One row per meaning: class, codes, hint. A plain text, because it is bundled into every application.
const TABLE = `
I 16000|several sessions or the account is not in this tenant: sign in with prompt=select_account
I 50058|there is no single sign-on session: sign in interactively
I 50072 50074 50076 50079|multi-factor authentication is needed: sign in again with the returned claims
I 50078|the multi-factor result has expired: sign in again
I 50089 70008 700082 700084|the grant has expired: sign in again
I 70043|the sign-in is older than the sign-in frequency policy allows: sign in again
I 50132 50133|the session was revoked or the password changed: sign in again
I 50173|the grant was revoked: sign in again
I 50097 50129 53000 53001|a registered or compliant device is needed: sign in again with the returned claims
I 50158|an external challenge is not satisfied: sign in again with the returned claims
I 50140 50125 50055 50144|the sign-in was interrupted: sign in again
I 65001|nobody has consented yet: sign in with prompt=consent or grant admin consent
U 65004|the user declined to consent
A 90094 90095|an administrator must consent
I 700020|the grant requires interaction: sign in again
P 50196|the client asked in a loop: keep one application object, so that its cache is used
P 54005|the authorization code was already redeemed
P 501481 50147 501491|the PKCE verifier does not match: mostly two tabs or a lost cookie
P 700005|the code was issued for another tenant
I 70000|the refresh token is invalid: sign in again; personal accounts need the consumers tenant
I 70016|the device code is still pending
U 70018 70019 90119 90120|the device code is wrong, expired or used: start again
C 50011|the redirect URI is not registered: compare scheme, case and trailing slash
C 700016 700011 70001|the application is not in this tenant: check clientId and the tenant of the authority
C 7000215|the client secret is wrong: use the secret's value, not its ID
C 7000222|the client secret has expired: create a new one in the app registration
C 7000216 7000218|the client credential is missing: the app is registered as confidential
C 700025|the app is registered as public: do not send a client credential
C 700027 50012 50048|the client assertion is wrong: check the uploaded certificate and its thumbprint
C 90002 50059 90019|the tenant was not found: check its name or GUID, and the cloud
C 900382 900432 90038|the tenant is in another cloud: use that cloud's authority
C 50194|the app is single-tenant: use the tenant's own authority instead of common
C 9001023 90124 90130 9002332|this grant is not supported on common or consumers: use the tenant's own authority
C 500011 50001 65005 650057 650056|the API is not present in this tenant or not listed in the app registration
C 70011 28002 28003 700022 700023 1002012|the scope is malformed or names several APIs: use one "<API>/.default"
C 90009 90008|the app asks for a token for itself: use the GUID form of the scope
C 700054 70005|this response type is not enabled in the app registration
P 7000114 50013 500133 240002|the incoming assertion is invalid or expired: answer 401 to the caller
U 50020 50034 51004 90072 500208|the account is not in this tenant: invite it or choose another account
A 50105|the user is not assigned to the app
A 53003 530035 530032 53011 500212 500213|a policy of the tenant blocks the sign-in
A 50053 50057|the account is locked or disabled
U 50126 50056|the password is wrong or missing
T 50033 90006 90012 90024 90033 90090 50087 70012 80002 80005|a passing fault of the service: try again
T 90055 50166|the service throttles: wait as long as Retry-After says
A 50000 90036 90092|the service failed for good: quote the correlation id to Microsoft
P 901002|resource is not a parameter of the v2 endpoint
C 700229|a federated credential must be an app-only token
C 100007|this regional endpoint is for Microsoft's own services only`;

/**
 * Finds the first known code of an answer.
 *
 * @param codes The AADSTS numbers, in the order in which the authority sent them.
 * @returns The first known one's class and hint, or `undefined`.
 */
export function describeAadsts(codes: readonly number[]): AadstsInfo | undefined {
  for (const code of codes) {
    // Walked, not indexed: errors are rare, and an index would cost every start.
    for (const row of TABLE.split("\n")) {
      const bar = row.indexOf("|");
      if (bar > 0 && row.slice(2, bar).split(" ").includes(String(code))) {
        return { code, classification: CLASSES[row.charAt(0)] as AadstsClass, hint: row.slice(bar + 1) };
      }
    }
  }
  return undefined;
}
