/**
 * Errors as Azure AD B2C and AD FS tell them: neither has the codes of Entra ID.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/azure/active-directory-b2c/error-codes | Error codes of Azure AD B2C}
 */
import type { EntraError } from "../entra_error.ts";
import type { Refusal } from "./shape.ts";

const BAD_SECRET: readonly number[] = [7000215, 7000222];
const NO_CREDENTIAL: readonly number[] = [7000216, 7000218];
const BAD_ASSERTION: readonly number[] = [
  700021,
  700023,
  700024,
  700027,
  50027,
  50048,
  90014,
  1000502,
  5002723,
  5002738,
];
const BAD_SCOPE: readonly number[] = [70011, 650053, 500011, 1002012, 28000];
const SPENT: readonly number[] = [54005, 70000, 70008, 700082, 50173];

function b2cCode({ code, message, details }: EntraError): number {
  if (code === 900144) {
    return message.includes("client_id") ? 90008 : message.includes("scope") ? 90010 : 90057;
  }
  if (details.suberror === "wrong_place") return 90088;
  const known: readonly (readonly [readonly number[], number])[] = [
    [BAD_SECRET, 90081],
    [NO_CREDENTIAL, 90079],
    [BAD_ASSERTION, 90017],
    [BAD_SCOPE, 90117],
    [SPENT, 90080],
    [[50011], 90006],
    [[500113], 90007],
    [[700016], 90018],
    [[700054], 90013],
    [[70007], 90014],
    [[90002], 90022],
    [[50058, 50076, 65001, 16000], 90077],
    [[65004], 90091],
    [[501481, 50148], 90183],
  ];
  return known.find(([codes]) => codes.includes(code))?.[1] ?? 90085;
}

/** Tells an error as Azure AD B2C does. */
export function b2cRefusal(failure: EntraError, correlationId: string, timestamp: string): Refusal {
  const code = b2cCode(failure);
  const description = `AADB2C${code}: ${failure.message}\r\nCorrelation ID: ${correlationId}\r\nTimestamp: ` +
    `${timestamp}\r\n`;
  const error = code === 90079 ? "invalid_request" : failure.error;
  return { status: failure.status === 401 ? 400 : failure.status, error, description };
}

function adfsCode({ code, details }: EntraError): number {
  const isRefresh = code === 700082 || details.suberror === "bad_token" || details.suberror === "wrong_place";
  if (isRefresh) return 9615;
  const known: readonly (readonly [readonly number[], number])[] = [
    [[...BAD_SECRET, ...NO_CREDENTIAL, ...BAD_ASSERTION, 700025], 9622],
    [SPENT, 9612],
    [[700016, 700007], 9607],
    [[500011], 9602],
    [[70011, 650053, 28000, 1002012, 65001, 65004], 9605],
    [[70003], 9611],
    [[50011, 500113], 9224],
  ];
  return known.find(([codes]) => codes.includes(code))?.[1] ?? 9604;
}

/** Tells an error as AD FS does. */
export function adfsRefusal(failure: EntraError): Refusal {
  const code = adfsCode(failure);
  const status = code === 9615 ? 401 : failure.status === 401 ? 400 : failure.status;
  const error = code === 9607 ? "invalid_client" : failure.error;
  return { status, error, description: `MSIS${code}: ${failure.message}` };
}
