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
  /** The kind of problem. */
  readonly classification: AadstsClass;
  /** What usually helps. */
  readonly hint: string;
}

// A row for each remedy: the class, the codes, the hint. One short text, because every application bundles it.
const TABLE =
  `interaction 16000 50058 50072 50074 50076 50078 50079 50089 70008 700082 700084 70043 50132 50133 50173 50158 50140 50125 50055 50144 700020 70000 the user must sign in again, with the returned claims
interaction 50097 50129 53000 53001 a registered or compliant device is needed
interaction 65001 nobody consented: use prompt=consent or grant admin consent
interaction 70016 the user has not finished yet
user 65004 the user declined
user 70018 70019 90119 90120 the device code is wrong or expired: start again
user 50020 50034 51004 90072 500208 the account is not in this tenant
user 50126 50056 the password is wrong
administrator 90094 90095 an administrator must consent
administrator 50105 the user is not assigned to the app
administrator 53003 530035 530032 53011 500212 500213 a policy of the tenant blocks this
administrator 50053 50057 the account is locked or disabled
administrator 50000 90036 90092 quote the correlation id to Microsoft
protocol 50196 a request loop: keep one application object and its cache
protocol 54005 the code was already redeemed
protocol 501481 50147 501491 the PKCE verifier does not match: two tabs, or a lost cookie
protocol 700005 the code is another tenant's
protocol 7000114 50013 500133 240002 the incoming assertion is invalid or expired
protocol 901002 leave resource out
configuration 50011 register this exact redirect URI
configuration 700016 700011 70001 no such app in this tenant: check clientId and the tenant
configuration 7000215 wrong secret: use its value, not its ID
configuration 7000222 the secret has expired: create a new one
configuration 7000216 7000218 the app is confidential: send its credential
configuration 700025 the app is public: send no credential
configuration 700027 50012 50048 wrong assertion: check the certificate and its thumbprint
configuration 90002 50059 90019 no such tenant: check its name and the cloud
configuration 900382 900432 90038 use the authority of the tenant's own cloud
configuration 50194 9001023 90124 90130 9002332 use the tenant's own authority, not a shared one
configuration 500011 50001 65005 650057 650056 the API is not in this tenant or not in the app registration
configuration 70011 28002 28003 700022 700023 1002012 use one scope, <API>/.default
configuration 90009 90008 name the API by its GUID
configuration 700054 70005 the app registration does not allow this response type
configuration 700229 a federated credential must be an app-only token
configuration 100007 this region serves Microsoft alone
transient 50033 90006 90012 90024 90033 90090 50087 70012 80002 80005 try again
transient 90055 50166 wait for Retry-After`;

/**
 * Finds the first known code of an answer.
 *
 * @param codes The AADSTS numbers, in the order in which the authority sent them.
 * @returns The first known one's class and hint, or `undefined`.
 */
export function describeAadsts(codes: readonly number[]): AadstsInfo | undefined {
  for (const code of codes) {
    // Searched, not indexed: errors are rare, and an index would cost every start.
    const row = new RegExp(`^(\\w+)(?: \\d+)* ${code}(?: \\d+)* (\\D.*)$`, "m").exec(TABLE);
    if (row !== null) return { classification: row[1] as AadstsClass, hint: row[2] as string };
  }
  return undefined;
}
