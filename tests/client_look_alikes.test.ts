/** for the clients: for hosts that look like somebody's, nothing that could send a request sends one. */
import { assert, assertEquals } from "@std/assert";
import { entraDouble, HOME_ACCOUNT_ID, REDIRECT_URI, SECRET, TENANT_ID } from "./support/entra_double.ts";
import { KNOWN } from "./support/any_authorities.ts";
import { TENANT_GUID as GUID } from "./support/microsoft_documents.ts";
import { test } from "./support/suite.ts";

/** Everything of the clients that could send something. */
async function everything(options: object): Promise<{ codes: string[]; sent: string[] }> {
  const double = entraDouble();
  const codes: string[] = [];
  const given = { authority: undefined, knownAuthorities: KNOWN, ...options };
  const tryAll = async (
    make: () => ReturnType<typeof double.public> | ReturnType<typeof double.confidential>,
  ): Promise<void> => {
    const scopes = ["User.Read"];
    const account = HOME_ACCOUNT_ID;
    const calls:
      ((app: ReturnType<typeof double.confidential> & ReturnType<typeof double.public>) => unknown)[] = [
        (app) => app.initiateAuthCodeFlow({ scopes, redirectUri: REDIRECT_URI }),
        (app) => app.acquireTokenSilent({ scopes, account }),
        (app) => app.acquireTokenByRefreshToken({ scopes, refreshToken: "RT" }),
        (app) =>
          app.acquireTokenByAuthorizationCode({
            scopes,
            code: "c",
            codeVerifier: "v".repeat(43),
            redirectUri: REDIRECT_URI,
          }),
        (app) => app.getSignOutUrl(),
        (app) => app.acquireTokenForClient({ scopes: ["api://orders/.default"] }),
        (app) => app.acquireTokenOnBehalfOf({ scopes, userAssertion: "a.b.c" }),
        (app) => app.initiateDeviceFlow({ scopes }),
        (app) => app.getAccounts(),
        (app) => app.removeAccount(account),
      ];
    for (const call of calls) {
      try {
        await double.settle(Promise.resolve(call(make() as never)));
        codes.push("done");
      } catch (error) {
        codes.push((error as { code: string }).code);
      }
    }
  };
  await tryAll(() => double.confidential({ clientCredential: SECRET, ...given }));
  await tryAll(() => double.public(given));
  return { codes: [...new Set(codes)], sent: [...double.gets, ...double.posts].map(({ url }) => url) };
}

const LOOK_ALIKES: readonly string[] = [
  ...String.raw`
    https://login.microsoftonline.com.evil.tld/${TENANT_ID} https://login.microsoftonline.com@evil.tld/${TENANT_ID}
    https://login.microsoftonline.com./${TENANT_ID} https://login.microsoftonline.com:444/${TENANT_ID}
    https://evil-login.microsoftonline.com/${TENANT_ID} https://westus2.login.microsoft.com/${TENANT_ID}
    https://login.microsoftonline.us.evil.tld/${TENANT_ID} https://login.sovcloud-identity.se/${TENANT_ID}
    https://evil-ciamlogin.com https://ciamlogin.com/${GUID} https://contoso.ciamlogin.com.evil.tld
    https://a.contoso.ciamlogin.com https://contoso.ciamlogin.com:444 https://contoso.ciamlogin.com./
    https://contoso.ciamlogin.com@evil.tld https://xn--ontoso-21f.ciamlogin.com
    https://evil-b2clogin.com/contoso/b2c_1_x https://b2clogin.com.evil.com/tenant/b2c_1_x https://b2clogin.com/contoso/b2c_1_x
    https://contoso.b2clogin.com:444/contoso/b2c_1_x https://contoso.b2clogin.us.evil.tld/contoso/b2c_1_x
    https://contoso.b2clogin.fr/contoso/b2c_1_x https://a.contoso.b2clogin.com/contoso/b2c_1_x
    https://adfs.contoso.com.evil.tld/adfs https://evil.adfs.contoso.com/adfs https://adfs.contoso.com:444/adfs
    https://idp.contoso.com/adfs https://user:pass@adfs.contoso.com/adfs https://adfs.contoso.com./adfs
    https://evil-dsts.core.windows.net/dstsv2/common https://dsts.core.windows.net/dstsv2/common
    https://a.dsts.core.windows.net.evil.tld/dstsv2/common https://a.dsts.core.azure-test.net:444/dstsv2/common
    https://a.blob.core.windows.net/dstsv2/common https://xn--a-0ga.dsts.core.windows.net/dstsv2/common
    https://169.254.169.254/adfs https://10.0.0.1/${GUID} https://[::1]/adfs https://localhost/adfs https://0x7f000001/adfs
    http://login.microsoftonline.com/${TENANT_ID} http://adfs.contoso.com/adfs http://contoso.ciamlogin.com
    https://login.microsoftonline.com/${TENANT_ID}/../evil https://login.microsoftonline.com/a%2fb
    https://contoso.ciamlogin.com/a%2e%2e https://login.contoso.com/${GUID}?x https://login.contoso.com/${GUID}#x
  `.trim().split(/\s+/),
  "https://login.m\u0456crosoftonline.com/contoso",
  "https://\u0441ontoso.ciamlogin.com",
  "https://contoso.b2clogin.com\u0000.evil.tld/contoso/b2c_1_x",
  "https://adfs.contoso.com\t.evil.tld/adfs",
];
for (const authority of LOOK_ALIKES) {
  test(`R-017 R-018 R-020 ${JSON.stringify(authority)}: no method of a client sends anything`, async () => {
    const { codes, sent } = await everything({ authority });
    assertEquals(sent, []);
    for (const code of codes) {
      assert(
        ["untrusted_authority", "invalid_authority", "authority_uri_insecure", "invalid_tenant"].includes(
          code,
        ),
        code,
      );
    }
  });
}

const TENANTS = [
  "a/b",
  "..",
  "../evil",
  "a?b",
  "a#b",
  "a%2fb",
  "a b",
  "a\r\nHost: evil",
  "{tenantid}",
  "",
  "\\",
];
for (const tenantId of TENANTS) {
  test(`R-020 tenantId ${JSON.stringify(tenantId)} is refused at every shape, and nothing is sent`, async () => {
    const shapes = [
      { authority: "https://login.microsoftonline.us/common" },
      { authority: "https://contoso.ciamlogin.com" },
      { authority: "https://contoso.b2clogin.com/contoso/b2c_1_x" },
      { authority: "https://adfs.contoso.com/adfs", knownAuthorities: KNOWN },
    ];
    for (const options of shapes) {
      const double = entraDouble();
      const app = double.confidential(options);
      const scopes = ["api://orders/.default"];
      const calls = [
        () => app.acquireTokenForClient({ scopes, tenantId }),
        () => app.initiateAuthCodeFlow({ scopes: [], redirectUri: REDIRECT_URI, tenantId }),
        () => app.acquireTokenSilent({ scopes: [], account: HOME_ACCOUNT_ID, tenantId }),
        () => app.getSignOutUrl({ tenantId }),
      ];
      for (const call of calls) {
        const error = await double.refused(call());
        assertEquals([error.name, "option" in error && error.option], [
          "ClientConfigurationError",
          "tenantId",
        ]);
      }
      assertEquals([...double.gets, ...double.posts], []);
    }
  });
}

/** what a document must not make a client ask. */
const ENDPOINTS = [
  "http://adfs.contoso.com/x",
  "https://10.0.0.1/x",
  "https://evil.example/x",
  "https://localhost/x",
];
for (const at of ENDPOINTS) {
  test(`R-019 a document that names ${at} makes no client ask there`, async () => {
    const shapes: [object, string, string][] = [
      [
        { authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/b2c_1_x" },
        `https://contoso.b2clogin.com/${GUID}/v2.0/`,
        "https://contoso.b2clogin.com",
      ],
      [
        { authority: "https://contoso.ciamlogin.com" },
        `https://${GUID}.ciamlogin.com/${GUID}/v2.0`,
        "https://contoso.ciamlogin.com",
      ],
      [
        { authority: "https://adfs.contoso.com/adfs", knownAuthorities: KNOWN },
        "https://adfs.contoso.com/adfs",
        "https://adfs.contoso.com",
      ],
    ];
    for (const [options, issuer, origin] of shapes) {
      for (const name of ["token_endpoint", "jwks_uri", "authorization_endpoint"]) {
        const document = {
          issuer,
          token_endpoint: `${origin}/t`,
          authorization_endpoint: `${origin}/a`,
          jwks_uri: `${origin}/k`,
          [name]: at,
        };
        const double = entraDouble();
        double.documents = () => Response.json(document);
        const app = double.confidential(options);
        const error = await double.refused(double.signIn(app, {}, {}, []));
        assertEquals([error.code, double.posts.length], ["endpoints_resolution_error", 0]);
        for (const { url } of double.gets) assert(url.startsWith(origin), url);
      }
    }
  });
}
