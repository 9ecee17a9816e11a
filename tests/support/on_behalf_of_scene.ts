/**
 * A web app, an API and two APIs behind it at a local authority: what on-behalf-of is tried with.
 *
 * @module
 */
import type { LocalAuthorityOptions } from "../../src/testing/mod.ts";

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
