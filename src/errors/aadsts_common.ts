/**
 * The AADSTS codes that a confidential client meets, with what helps.
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

/** A row for each remedy: the class, the codes, the hint. One short text, because every application bundles it. */
export const COMMON_CODES = `configuration 7000215 wrong secret: use its value, not its ID
configuration 7000222 the secret has expired
configuration 700027 register this certificate with the app, or its successor
configuration 700211 700212 700213 7002138 no federated credential matches: compare issuer, subject and audience
configuration 7000216 7000218 send the app's credential, or allow public client flows
configuration 70001 700011 700016 no such app in this tenant: check clientId and authority
configuration 50059 90002 90019 900023 no such tenant: check its name and cloud
configuration 500011 650056 650057 add the API to the app registration
configuration 70011 1002012 650053 a scope is wrong; an app token takes one, <API>/.default
configuration 50194 9002332 use the tenant's own authority instead of a shared one
protocol 54005 the code was already redeemed
administrator 53003 530032 530035 a policy of the tenant blocks this`;

/**
 * Finds the first known code of an answer.
 *
 * @param codes The AADSTS numbers, in the order in which the authority sent them.
 * @param table The rows to search.
 * @returns The first known one's class and hint, or `undefined`.
 */
export function findAadsts(codes: readonly number[], table: string): AadstsInfo | undefined {
  for (const code of codes) {
    // Searched, not indexed: errors are rare, and an index would cost every start.
    const row = new RegExp(`^(\\w+)(?: \\d+)* ${code}(?: \\d+)* (\\D.*)$`, "m").exec(table);
    if (row !== null) return { classification: row[1] as AadstsClass, hint: row[2] as string };
  }
  return undefined;
}
