/** What is known of an authority: derived for Microsoft's clouds, otherwise discovered and checked (R-015..R-021). */
import { assertEquals } from "@std/assert";
import { parseAnyAuthority } from "../src/authority/any_authority.ts";
import type { Authority } from "../src/authority/authority.ts";
import type { IssuerMetadata } from "../src/authority/provider_metadata.ts";
import {
  codeOf,
  CORRELATION,
  entra,
  type FixtureOptions,
  HOME,
  MSA,
  oidc,
  OIDC_ISSUER,
  OTHER,
  tokenFixture,
} from "./support/id_tokens.ts";
import { type Answer, jsonResponse } from "./support/scripted_fetch.ts";
import { test } from "./support/suite.ts";

const DOMAIN = "contoso.onmicrosoft.com";
const none = (): Answer => new Error("no request was expected");
const on = (host: string, tenant: string, known: readonly string[] = []): Authority =>
  parseAnyAuthority({ authority: `https://${host}/${tenant}`, knownAuthorities: known }, false);

/** The host that was configured, the one that requests go to, `cloud_instance_name`. */
const CLOUDS: [string, string, string][] = [
  ["login.microsoftonline.com", "login.microsoftonline.com", "microsoftonline.com"],
  ["login.windows.net", "login.microsoftonline.com", "microsoftonline.com"],
  ["login.partner.microsoftonline.cn", "login.partner.microsoftonline.cn", "partner.microsoftonline.cn"],
  ["login.chinacloudapi.cn", "login.partner.microsoftonline.cn", "partner.microsoftonline.cn"],
  ["login.microsoftonline.us", "login.microsoftonline.us", "microsoftonline.us"],
  ["login.sovcloud-identity.fr", "login.sovcloud-identity.fr", "sovcloud-identity.fr"],
];
const TENANTS: [string, string][] = [
  [HOME, HOME],
  ["common", "{tenantid}"],
  ["organizations", "{tenantid}"],
  ["consumers", MSA],
];
for (const [host, network, cloudInstanceName] of CLOUDS) {
  for (const [tenant, named] of TENANTS) {
    test(`decision 2: ${host}/${tenant} is known without a request`, async () => {
      const one = tokenFixture(on(host, tenant), none);
      const issuer: IssuerMetadata = await one.metadata.issuer(tenant, CORRELATION, undefined);
      assertEquals(issuer, {
        issuer: `https://${network}/${named}/v2.0`,
        jwksUri: `https://${network}/${tenant}/discovery/v2.0/keys`,
        cloudInstanceName,
        issParameterSupported: false,
        algorithms: ["RS256"],
      });
      const endpoints = await one.metadata.endpoints(tenant, CORRELATION, undefined);
      const base = `https://${network}/${tenant}/oauth2/v2.0`;
      assertEquals(endpoints, {
        authorization: `${base}/authorize`,
        token: `${base}/token`,
        deviceAuthorization: `${base}/devicecode`,
        endSession: `${base}/logout`,
      });
      assertEquals(one.requests.length, 0);
    });
  }
}

test("decision 2: the endpoints of a domain, of a known host and of another tenant need no request", async () => {
  for (const authority of [entra(DOMAIN), on("login.example.com", "common", ["login.example.com"])]) {
    const one = tokenFixture(authority, none);
    const { token } = await one.metadata.endpoints("other.example", CORRELATION, undefined);
    assertEquals(token, `${new URL(authority.base).origin}/other.example/oauth2/v2.0/token`);
  }
});

const MICROSOFT = "https://login.microsoftonline.com";
const documentOf = (
  origin: string,
  named: string,
  members: Record<string, unknown> = {},
): Record<string, unknown> => ({
  issuer: `${origin}/${named}/v2.0`,
  token_endpoint: `${origin}/x/oauth2/v2.0/token`,
  authorization_endpoint: `${origin}/x/oauth2/v2.0/authorize`,
  jwks_uri: `${origin}/x/discovery/v2.0/keys`,
  cloud_instance_name: "microsoftonline.com",
  id_token_signing_alg_values_supported: ["RS256"],
  ...members,
});

/** The issuer of an Entra authority by a document, or the code of its refusal. */
async function discovered(
  authority: Authority,
  document: unknown,
  tenant: string = authority.tenant,
  options: FixtureOptions = {},
): Promise<IssuerMetadata | string> {
  const one = tokenFixture(authority, () => jsonResponse(document), options);
  const call = Promise.resolve(one.metadata.issuer(tenant, CORRELATION, undefined));
  const outcome = await call.catch(({ code }) => code as string);
  assertEquals(
    one.requests.map(({ url }) => url),
    [`${new URL(authority.base).origin}/${tenant}/v2.0/.well-known/openid-configuration`],
  );
  return outcome;
}

test("a domain's issuer, keys and cloud are its document's; asked for once", async () => {
  const one = tokenFixture(entra(DOMAIN), () => jsonResponse(documentOf(MICROSOFT, HOME)));
  const expected: IssuerMetadata = {
    issuer: `${MICROSOFT}/${HOME}/v2.0`,
    jwksUri: `${MICROSOFT}/x/discovery/v2.0/keys`,
    cloudInstanceName: "microsoftonline.com",
    issParameterSupported: false,
    algorithms: ["RS256"],
  };
  for (let n = 0; n < 3; n++) {
    assertEquals(await one.metadata.issuer(DOMAIN, CORRELATION, undefined), expected);
  }
  assertEquals(one.requests.map(({ url }) => url), [
    `${MICROSOFT}/${DOMAIN}/v2.0/.well-known/openid-configuration`,
  ]);
  // Each tenant has its own.
  await one.metadata.issuer("fabrikam.example", CORRELATION, undefined);
  assertEquals(one.requests.length, 2);
});

const ISSUERS: [string, string, boolean][] = [
  ["an alias of the cloud", `https://login.windows.net/${HOME}/v2.0`, true],
  ["another host", `https://evil.example/${HOME}/v2.0`, false],
  ["a look-alike", `https://login.microsoftonline.com.evil.example/${HOME}/v2.0`, false],
  ["a user name", `https://login.microsoftonline.com@evil.example/${HOME}/v2.0`, false],
  ["another cloud", `https://login.microsoftonline.us/${HOME}/v2.0`, false],
  ["another port", `https://login.microsoftonline.com:444/${HOME}/v2.0`, false],
  ["http", `http://login.microsoftonline.com/${HOME}/v2.0`, false],
  ["the template", `${MICROSOFT}/{tenantid}/v2.0`, false],
  ["the domain", `${MICROSOFT}/${DOMAIN}/v2.0`, false],
  ["no tenant", `${MICROSOFT}/v2.0`, false],
  ["version 1", `https://sts.windows.net/${HOME}/`, false],
  ["more path", `${MICROSOFT}/${HOME}/v2.0/x`, false],
  ["a slash", `${MICROSOFT}/${HOME}/v2.0/`, false],
  ["a line end", `${MICROSOFT}/${HOME}/v2.0\n`, false],
  ["GUID in capitals", `${MICROSOFT}/${HOME.toUpperCase()}/v2.0`, false],
];
for (const [what, issuer, accepted] of ISSUERS) {
  test(`R-016 a domain's document with an issuer of ${what} is ${accepted ? "accepted" : "refused"}`, async () => {
    const outcome = await discovered(entra(DOMAIN), documentOf(MICROSOFT, HOME, { issuer }));
    assertEquals(
      typeof outcome === "string" ? outcome : "accepted",
      accepted ? "accepted" : "issuer_mismatch",
    );
  });
}

const KNOWN = "login.example.com";
const HOSTED: [string, string, string, boolean][] = [
  ["common", "{tenantid}", KNOWN, true],
  ["organizations", "{tenantid}", KNOWN, true],
  ["consumers", MSA, KNOWN, true],
  [HOME, HOME, KNOWN, true],
  [DOMAIN, HOME, KNOWN, true],
  ["common", HOME, KNOWN, false],
  ["organizations", MSA, KNOWN, false],
  ["consumers", HOME, KNOWN, false],
  ["consumers", "{tenantid}", KNOWN, false],
  [HOME, OTHER, KNOWN, false],
  [HOME, "{tenantid}", KNOWN, false],
  [DOMAIN, "{tenantid}", KNOWN, false],
  ["common", "{tenantid}", "login.microsoftonline.com", false],
  [HOME, HOME, "sub.login.example.com", false],
];
for (const [tenant, named, host, accepted] of HOSTED) {
  test(`R-016 ${KNOWN}/${tenant} of issuer ${host}/${named} is ${accepted ? "accepted" : "refused"}`, async () => {
    const document = documentOf(`https://${KNOWN}`, named, { issuer: `https://${host}/${named}/v2.0` });
    const outcome = await discovered(on(KNOWN, tenant, [KNOWN]), document);
    assertEquals(
      typeof outcome === "string" ? outcome : "accepted",
      accepted ? "accepted" : "issuer_mismatch",
    );
  });
}

test("a loopback authority's issuer is on loopback, with the template where it stands for many", async () => {
  const authority = parseAnyAuthority({ authority: "http://127.0.0.1:8080/common" }, true);
  const document = documentOf("http://127.0.0.1:8080", "{tenantid}");
  const outcome = await discovered(authority, document, "common", { insecureLoopback: true });
  assertEquals(
    typeof outcome === "string" ? outcome : outcome.issuer,
    "http://127.0.0.1:8080/{tenantid}/v2.0",
  );
  assertEquals(await discovered(authority, document, "common"), "endpoints_resolution_error");
});

const MEMBERS = [
  "jwks_uri",
  "authorization_endpoint",
  "device_authorization_endpoint",
  "end_session_endpoint",
];
const FAULTY: unknown[] = [
  "http://login.microsoftonline.com/keys",
  "https://evil.example/keys",
  "https://login.microsoftonline.us/keys",
  "https://login.microsoftonline.com:444/keys",
  "https://u:p@login.microsoftonline.com/keys",
  "https://login.microsoftonline.com/keys#x",
  "https://127.0.0.1/keys",
  "https://169.254.169.254/latest",
  "https://[::1]/keys",
  "/keys",
  "",
  5,
  [`${MICROSOFT}/keys`],
];
for (const member of MEMBERS) {
  test(`R-019 a document whose ${member} is not in the cloud, not https or no URL is refused`, async () => {
    for (const url of FAULTY) {
      const outcome = await discovered(entra(DOMAIN), documentOf(MICROSOFT, HOME, { [member]: url }));
      assertEquals(outcome, "endpoints_resolution_error", JSON.stringify(url));
    }
  });
}

test("R-019 a document without jwks_uri has no issuer, and its endpoints all the same", async () => {
  const document = { issuer: OIDC_ISSUER, token_endpoint: `${OIDC_ISSUER}/token`, jwks_uri: null };
  const one = tokenFixture(oidc, () => jsonResponse(document));
  assertEquals(
    await codeOf(Promise.resolve(one.metadata.issuer("", CORRELATION, undefined))),
    "endpoints_resolution_error",
  );
  assertEquals(await one.metadata.endpoints("", CORRELATION, undefined), {
    authorization: undefined,
    token: `${OIDC_ISSUER}/token`,
    endSession: undefined,
  });
  assertEquals(one.requests.length, 1);
});

test("a generic issuer: its document says all, in one request", async () => {
  const document = {
    issuer: `${OIDC_ISSUER}/`,
    token_endpoint: "https://api.idp.example/token",
    authorization_endpoint: `${OIDC_ISSUER}/authorize`,
    device_authorization_endpoint: `${OIDC_ISSUER}/device`,
    end_session_endpoint: `${OIDC_ISSUER}/logout`,
    jwks_uri: "https://keys.idp.example/keys",
    authorization_response_iss_parameter_supported: true,
    id_token_signing_alg_values_supported: [
      "none",
      "HS256",
      "RS256",
      "ES256",
      "EdDSA",
      "RS1",
      "dir",
      5,
      ["ES384"],
      "RS256 ",
    ],
  };
  const one = tokenFixture(oidc, () => jsonResponse(document));
  assertEquals(await one.metadata.issuer("", CORRELATION, undefined), {
    issuer: `${OIDC_ISSUER}/`,
    jwksUri: "https://keys.idp.example/keys",
    cloudInstanceName: undefined,
    issParameterSupported: true,
    algorithms: ["RS256", "ES256", "EdDSA"],
  });
  assertEquals(await one.metadata.endpoints("", CORRELATION, undefined), {
    authorization: `${OIDC_ISSUER}/authorize`,
    token: "https://api.idp.example/token",
    deviceAuthorization: `${OIDC_ISSUER}/device`,
    endSession: `${OIDC_ISSUER}/logout`,
  });
  assertEquals(one.requests.length, 1);
});

test("R-065 a document that names no algorithm means RS256; one that names none of ours means none", async () => {
  const algorithms = async (names: unknown): Promise<unknown> => {
    const document = {
      issuer: OIDC_ISSUER,
      token_endpoint: `${OIDC_ISSUER}/token`,
      jwks_uri: `${OIDC_ISSUER}/keys`,
      id_token_signing_alg_values_supported: names,
      authorization_response_iss_parameter_supported: "true",
    };
    const one = tokenFixture(oidc, () => jsonResponse(document));
    const issuer = await one.metadata.issuer("", CORRELATION, undefined);
    assertEquals(issuer.issParameterSupported, false);
    return issuer.algorithms;
  };
  assertEquals(await algorithms(undefined), ["RS256"]);
  assertEquals(await algorithms("HS256"), ["RS256"]);
  assertEquals(await algorithms(["none", "HS256"]), []);
});
