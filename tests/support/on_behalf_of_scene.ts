/**
 * A web app, an API and two APIs behind it at a local authority: what on-behalf-of is tried with.
 *
 * @module
 */
import type { LocalAuthorityOptions, UserTokenOptions } from "../../src/testing/mod.ts";
import { type Answer, type Changes, CLI, CONTOSO, type Json, ORDERS, UserScene, WEB } from "./user_scene.ts";

/** The API in the middle, as an app. */
export const ORDERS_APP = {
  clientId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91",
  name: "Orders",
  secrets: ["orders-s3cret"],
} as const;
/** The API in the middle, as an API; the same registration. */
export const ORDERS_API = {
  identifierUris: ["api://orders"],
  appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91",
  accessTokenVersion: 2,
  scopes: ["Orders.Read"],
} as const;
/** The API behind it. */
export const LEDGER_API = {
  identifierUris: ["api://ledger"],
  appId: "7c3e9d20-b156-4f48-8a03-2e4f618c0db3",
  accessTokenVersion: 2,
  scopes: ["Ledger.Read", "Ledger.Write"],
} as const;
/** Another one, whose users need a second factor. */
export const PAYROLL_API = {
  identifierUris: ["api://payroll"],
  appId: "8d4fae31-c267-4059-9b14-3f50729d1ec4",
  scopes: ["Pay.Read"],
  requiresMfa: true,
} as const;
/** The web app in front. */
export const WEB_APP = {
  clientId: "0f1e2d3c-4b5a-4968-8776-655443322110",
  name: "Web",
  secrets: ["web-s3cret"],
  redirectUris: ["http://localhost/*"],
} as const;

/** All of it, declared. */
export const ON_BEHALF_OF: LocalAuthorityOptions = {
  apps: [WEB_APP, ORDERS_APP],
  resources: [ORDERS_API, LEDGER_API, PAYROLL_API],
};

/** A version 1 API in the middle, whose users must consent. */
export const MAIL_API = {
  identifierUris: ["api://mail", "https://mail.example"],
  appId: "6b2d8c1f-a045-4e37-99f2-1d3e507b9ca2",
  scopes: ["Mail.Send"],
} as const;
/** The same registration, as an app. */
export const MAIL_APP = {
  clientId: "6b2d8c1f-a045-4e37-99f2-1d3e507b9ca2",
  name: "Mail",
  secrets: ["mail-s3cret"],
  requireConsent: true,
  delegatedScopes: { "api://ledger": ["Ledger.Read"] },
  optionalClaims: ["auth_time", "sid"],
} as const;
/** A member of Contoso and guest of Fabrikam. */
export const ADA = "ada@contoso.onmicrosoft.com";
/** A member of Contoso, who has no second factor. */
export const BOB = "bob@contoso.onmicrosoft.com";

/** All of it, and a version 1 API, with the people of {@linkcode UserScene}. */
export function onBehalfOfScene(): UserScene {
  return new UserScene({
    apps: [WEB, CLI, ORDERS_APP, MAIL_APP],
    resources: [ORDERS, MAIL_API, LEDGER_API, PAYROLL_API],
  });
}

/** What the API is called with. */
export function assertionFor({ authority }: UserScene, options: UserTokenOptions = {}): Promise<string> {
  return authority.issueUserToken({ username: ADA, resource: "api://orders", ...options });
}

/** What the API sends then, with changes. */
export function exchange(
  scene: UserScene,
  assertion: string | undefined,
  changes: Changes = {},
  tenant: string = CONTOSO.id,
): Promise<Answer> {
  return scene.post({
    grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
    requested_token_use: "on_behalf_of",
    client_id: ORDERS_APP.clientId,
    client_secret: ORDERS_APP.secrets[0],
    assertion,
    scope: "api://ledger/Ledger.Read",
    ...changes,
  }, tenant);
}

/** The answer, which must be a token. */
export async function exchanged(...sent: Parameters<typeof exchange>): Promise<Json> {
  const { status, body } = await exchange(...sent);
  if (status !== 200) throw new Error(body.error_description);
  return body;
}

/** Status, error, AADSTS number and sub-error. */
export function outcome({ status, body }: Answer): unknown[] {
  return [status, body.error, body.error_codes?.[0], body.suberror];
}

/** Status, error, AADSTS number and sub-error of what the API sends. */
export async function refusal(...sent: Parameters<typeof exchange>): Promise<unknown[]> {
  return outcome(await exchange(...sent));
}
