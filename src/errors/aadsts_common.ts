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
configuration 7000216 7000218 the app is confidential: send its credential
configuration 70001 700011 700016 no such app in this tenant: check clientId and authority
configuration 50059 90002 90019 no such tenant: check its name and cloud
configuration 90038 900382 900432 use the cloud of the tenant
configuration 50194 90124 90130 9001023 9002332 use the tenant's own authority
configuration 50001 65005 500011 650056 650057 add the API to the app registration
configuration 28002 28003 70011 700022 700023 1002012 use one scope, <API>/.default
administrator 50053 50057 50105 53003 53011 90094 90095 500212 500213 530032 530035 an administrator must allow it
transient 50033 50087 50166 70012 80002 80005 90006 90012 90024 90033 90055 90090 try again later`;

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
