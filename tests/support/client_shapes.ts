/**
 * Authorities of every shape, as a client meets them: what each is told, what it serves, and what its tokens say.
 *
 * @module
 */
import type { AuthorityType, ClientApplicationOptions } from "../../mod.ts";
import {
  type Claims,
  CLIENT_ID,
  clientInfo,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  signingKey,
  TENANT_ID,
  USER_ID,
} from "./entra_double.ts";
import {
  adfsDocument,
  b2cDocument,
  type Document,
  entraDocument,
  externalIdDocument,
} from "./microsoft_documents.ts";
import { jsonResponse } from "./scripted_fetch.ts";

/** A shape. */
export interface ClientShape {
  readonly name: string;
  readonly type: AuthorityType;
  readonly options: Partial<ClientApplicationOptions>;
  /** What its document says; none is asked for where it follows. */
  readonly document: Document | undefined;
  /** Where it is. */
  readonly documentUrl: string;
  /** Where its endpoints are. */
  readonly at: string;
  /** Whether they follow, so that an app token costs one request. */
  readonly follows: boolean;
  /** Whether `client_info` and telemetry are sent. */
  readonly isEntra: boolean;
  /** Whether it has a device sign-in. */
  readonly hasDevice: boolean;
  /** What its tokens say. */
  readonly claims: Claims;
  /** What its answers hold beside the fixture's. */
  readonly members: Claims;
  readonly homeAccountId: string;
  readonly realm: string;
  /** Scopes of an app token. */
  readonly appScopes: readonly string[];
}

const POLICY_NAME = "b2c_1_susi";
const CUSTOM = "login.contoso.com";
const TRUST = "https://idp.example/realms/main";
const DSTS = "https://test-instance1-dsts.dsts.core.azure-test.net/dstsv2/common";
const API = ["api://orders/.default"];
const NO_TENANT: Claims = { tid: undefined, ver: undefined };
const NO_INFO: Claims = { client_info: undefined };

/** An Entra tenant's document with the fixture's tenant, in place of that of the documents. */
function ciam(host: string): Document {
  return JSON.parse(
    JSON.stringify(externalIdDocument({}, host)).replaceAll(
      "0f5b6a52-9c0e-4b8e-9a3e-2c6d8f1a7b90",
      TENANT_ID,
    ),
  );
}

function workforce(host: string, network: string): ClientShape {
  return {
    name: `workforce on ${host}`,
    type: "aad",
    options: { authority: `https://${host}/${TENANT_ID}` },
    document: undefined,
    documentUrl: "",
    at: `https://${network}/${TENANT_ID}/oauth2/v2.0`,
    follows: true,
    isEntra: true,
    hasDevice: true,
    claims: { iss: `https://${network}/${TENANT_ID}/v2.0` },
    members: {},
    homeAccountId: HOME_ACCOUNT_ID,
    realm: TENANT_ID,
    appScopes: API,
  };
}

function b2c(
  name: string,
  base: string,
  issuer: string,
  options: Partial<ClientApplicationOptions>,
): ClientShape {
  return {
    name,
    type: "b2c",
    options,
    document: b2cDocument(base, issuer),
    documentUrl: `${base}/v2.0/.well-known/openid-configuration`,
    at: `${base}/oauth2/v2.0`,
    follows: true,
    isEntra: true,
    hasDevice: false,
    claims: {
      ...NO_TENANT,
      ver: "1.0",
      iss: issuer,
      tfp: "B2C_1_susi",
      sub: USER_ID,
      preferred_username: undefined,
      emails: ["alex@contoso.example"],
    },
    members: {
      client_info: clientInfo(`${USER_ID}-${POLICY_NAME}`),
      scope: `${CLIENT_ID} openid offline_access`,
    },
    homeAccountId: `${USER_ID}-${POLICY_NAME}.${TENANT_ID}`,
    realm: base.includes(TENANT_ID) ? TENANT_ID : "contoso.onmicrosoft.com",
    appScopes: API,
  };
}

function externalId(name: string, base: string, options: Partial<ClientApplicationOptions>): ClientShape {
  return {
    name,
    type: "ciam",
    options,
    document: ciam(new URL(base).host),
    documentUrl: `${base}/v2.0/.well-known/openid-configuration`,
    at: `${base}/oauth2/v2.0`,
    follows: true,
    isEntra: true,
    hasDevice: true,
    claims: { iss: `https://${TENANT_ID}.ciamlogin.com/${TENANT_ID}/v2.0` },
    members: {},
    homeAccountId: HOME_ACCOUNT_ID,
    realm: TENANT_ID,
    appScopes: API,
  };
}

/** The shapes. */
export const CLIENT_SHAPES: readonly ClientShape[] = [
  workforce("login.microsoftonline.com", "login.microsoftonline.com"),
  workforce("login.windows.net", "login.microsoftonline.com"),
  workforce("login.chinacloudapi.cn", "login.partner.microsoftonline.cn"),
  workforce("login.microsoftonline.us", "login.microsoftonline.us"),
  workforce("login.sovcloud-identity.fr", "login.sovcloud-identity.fr"),
  {
    ...workforce("login.microsoftonline.us", "login.microsoftonline.us"),
    name: "workforce by domain",
    options: { authority: "https://login.microsoftonline.us/contoso.example" },
    document: entraDocument(
      `https://login.microsoftonline.us/${TENANT_ID}`,
      `https://login.microsoftonline.us/${TENANT_ID}/v2.0`,
      "microsoftonline.us",
    ),
    documentUrl: "https://login.microsoftonline.us/contoso.example/v2.0/.well-known/openid-configuration",
    at: "https://login.microsoftonline.us/contoso.example/oauth2/v2.0",
  },
  b2c(
    "B2C",
    `https://contoso.b2clogin.com/contoso.onmicrosoft.com/${POLICY_NAME}`,
    `https://contoso.b2clogin.com/${TENANT_ID}/v2.0/`,
    { authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_susi" },
  ),
  b2c(
    "B2C by tfp",
    `https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/${POLICY_NAME}`,
    `https://contoso.b2clogin.com/tfp/${TENANT_ID}/${POLICY_NAME}/v2.0/`,
    { authority: "https://contoso.b2clogin.com/tfp/contoso.onmicrosoft.com/B2C_1_susi/v2.0" },
  ),
  b2c(
    "B2C on a domain of its own",
    `https://${CUSTOM}/${TENANT_ID}/${POLICY_NAME}`,
    `https://${CUSTOM}/${TENANT_ID}/v2.0/`,
    {
      authority: `https://${CUSTOM}/${TENANT_ID}/B2C_1_susi`,
      knownAuthorities: [CUSTOM],
    },
  ),
  externalId("External ID by its host", "https://contoso.ciamlogin.com/contoso.onmicrosoft.com", {
    authority: "https://contoso.ciamlogin.com",
  }),
  externalId("External ID by its issuer", `https://${TENANT_ID}.ciamlogin.com/${TENANT_ID}`, {
    authority: `https://${TENANT_ID}.ciamlogin.com/`,
  }),
  externalId("External ID on a domain of its own", `https://${CUSTOM}/${TENANT_ID}`, {
    authority: `https://${CUSTOM}/${TENANT_ID}`,
    knownAuthorities: [CUSTOM],
  }),
  {
    name: "ADFS",
    type: "adfs",
    options: { authority: "https://adfs.contoso.com/adfs", knownAuthorities: ["adfs.contoso.com"] },
    document: adfsDocument(),
    documentUrl: "https://adfs.contoso.com/adfs/.well-known/openid-configuration",
    at: "https://adfs.contoso.com/adfs/oauth2",
    follows: true,
    isEntra: false,
    hasDevice: true,
    claims: {
      ...NO_TENANT,
      ver: "1.0",
      iss: "https://adfs.contoso.com/adfs",
      oid: undefined,
      preferred_username: undefined,
      upn: "alex@contoso.example",
      appid: CLIENT_ID,
      scp: "openid",
      apptype: "Confidential",
    },
    members: NO_INFO,
    homeAccountId: "https://adfs.contoso.com/adfs#pairwise-subject",
    realm: "adfs",
    appScopes: ["https://orders.contoso.com/openid"],
  },
  {
    name: "dSTS",
    type: "dsts",
    options: { authority: DSTS },
    document: {
      issuer: DSTS,
      authorization_endpoint: "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2/authorize",
      token_endpoint: "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2/token",
      device_authorization_endpoint:
        "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2/devicecode",
      end_session_endpoint: "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2/logout",
      jwks_uri: "https://some.url.dsts.core.azure-test.net/dstsv2/common/keys",
    },
    documentUrl: `${DSTS}/.well-known/openid-configuration`,
    at: "https://some.url.dsts.core.azure-test.net/dstsv2/common/oauth2",
    follows: false,
    isEntra: false,
    hasDevice: true,
    claims: { ...NO_TENANT, iss: DSTS, oid: undefined },
    members: NO_INFO,
    homeAccountId: `${DSTS}#pairwise-subject`,
    realm: "common",
    appScopes: API,
  },
  {
    name: "a generic issuer",
    type: "oidc",
    options: { authority: undefined, oidcAuthority: TRUST },
    document: {
      issuer: TRUST,
      authorization_endpoint: `${TRUST}/oauth2/authorize`,
      token_endpoint: `${TRUST}/oauth2/token`,
      device_authorization_endpoint: `${TRUST}/oauth2/devicecode`,
      end_session_endpoint: `${TRUST}/oauth2/logout`,
      jwks_uri: `${TRUST}/keys`,
    },
    documentUrl: `${TRUST}/.well-known/openid-configuration`,
    at: `${TRUST}/oauth2`,
    follows: false,
    isEntra: false,
    hasDevice: true,
    claims: { ...NO_TENANT, iss: TRUST, oid: undefined },
    members: NO_INFO,
    homeAccountId: `${TRUST}#pairwise-subject`,
    realm: "realms/main",
    appScopes: ["orders.read"],
  },
];

/** The shape of a name. */
export function shapeOf(name: string): ClientShape {
  return CLIENT_SHAPES.find((shape) => shape.name === name)!;
}

/** A double that serves a shape's documents, and nothing else. */
export function shapeDouble({ document }: ClientShape): EntraDouble {
  const double = entraDouble();
  double.documents = ({ url }) => {
    if (url.endsWith("/.well-known/openid-configuration")) {
      return document ? jsonResponse(document) : jsonResponse({ error: "not_found" }, 404);
    }
    return async () => jsonResponse({ keys: [(await signingKey()).jwk] });
  };
  return double;
}
