/**
 * Callers of an API, the assertions that they call it with, and an authority that answers for whoever is meant.
 *
 * @module
 */
import { base64url } from "jose";
import type { MsalEvent } from "../../mod.ts";
import { clientInfo, type EntraDouble, HOST, type Reply, TENANT_ID } from "./entra_double.ts";
import type { RecordedRequest } from "./scripted_fetch.ts";

/** The grant of on-behalf-of. */
export const OBO_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer";
/** The scopes of most requests. */
export const FILES: readonly string[] = ["Files.Read"];

/** A user who calls. */
export interface Caller {
  readonly oid: string;
  readonly tid: string;
}

/** The nth user of a tenant. */
export function caller(nth: number, tid: string = TENANT_ID): Caller {
  return { oid: `00000000-0000-4000-8000-${`${nth}`.padStart(12, "0")}`, tid };
}

/** A user's `homeAccountId`. */
export function homeOf({ oid, tid }: Caller): string {
  return `${oid}.${tid}`;
}

/** A JWT whose signature is none: the API has checked it before. */
export function jwtOf(claims: unknown): string {
  const part = (value: unknown) => base64url.encode(JSON.stringify(value));
  return `${part({ alg: "RS256", typ: "JWT" })}.${part(claims)}.${base64url.encode("a signature")}`;
}

/** The token that a user calls with: good for an hour. */
export function assertionOf(
  { clock }: Pick<EntraDouble, "clock">,
  { oid, tid }: Caller,
  claims: Readonly<Record<string, unknown>> = {},
): string {
  const exp = Math.floor(clock.now() / 1000) + 3600;
  return jwtOf({ aud: "api", scp: "access_as_user", sub: `pairwise ${oid}`, oid, tid, exp, ...claims });
}

/** Whom an assertion, or a refresh token that such an answer brought, stands for. */
function callerIn(form: URLSearchParams): Caller {
  const [, payload = ""] = (form.get("assertion") ?? "").split(".");
  if (payload !== "") return JSON.parse(new TextDecoder().decode(base64url.decode(payload)));
  const [, oid = "", tid = ""] = (form.get("refresh_token") ?? "").split(" ");
  return { oid, tid };
}

/** Answers for whoever is meant: the access token says for whom it is, and for what. */
export function answering(entra: EntraDouble, members: Readonly<Record<string, unknown>> = {}): Reply {
  return async ({ form, url }: RecordedRequest): Promise<Response> => {
    const { oid, tid } = callerIn(form);
    const [, path = ""] = new URL(url).pathname.split("/");
    const tenant = TENANTS[path] ?? path;
    const claims = {
      iss: `${HOST}/${tenant}/v2.0`,
      oid,
      tid: tenant,
      sub: `subject ${oid}`,
      name: `Name ${oid}`,
    };
    const scope = form.get("scope") ?? "";
    const nth = ++count;
    const refreshToken = scope.includes("offline_access") ? `RT ${oid} ${tid} ${nth}` : undefined;
    return Response.json(
      await entra.answer(claims, {
        access_token: `AT ${oid} ${scope.replace(/ ?(openid|profile|offline_access)/g, "").trim()} ${nth}`,
        refresh_token: refreshToken,
        client_info: clientInfo(oid, tid),
        scope,
        ...members,
      }),
    );
  };
}

const TENANTS: Readonly<Record<string, string>> = {
  consumers: "9188040d-6c67-4c5b-b112-36a304b66dad",
  "contoso.onmicrosoft.com": TENANT_ID,
};
let count = 0;

/** Lets an authority answer whoever asks. */
export function answerAll(entra: EntraDouble, members?: Readonly<Record<string, unknown>>): void {
  entra.next(...Array.from({ length: 2_000 }, () => answering(entra, members)));
}

/** Everything that an application told, as text. */
export function told(events: readonly MsalEvent[]): string {
  return JSON.stringify(events);
}
