/** What a last reading of the sign-in found: ids that nobody chose, claims that nobody checked, events that nobody saw. */
import { assertEquals } from "@std/assert";
import {
  callback,
  entraDouble,
  HOME_ACCOUNT_ID,
  nonceOf,
  REDIRECT_URI,
  TENANT_ID,
} from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

const SCOPES = ["User.Read"];
const AUTH_TIME = { id_token: { auth_time: { essential: true } } };

test("R-014 telemetry: false: no correlation id that the library made is sent, whatever the grant", async () => {
  const entra = entraDouble();
  const app = entra.public({ telemetry: false });
  await entra.signIn(app);
  entra.next({
    device_code: "DC",
    user_code: "UC",
    verification_uri: "https://example.com/device",
    expires_in: 900,
  });
  const flow = await entra.settle(app.initiateDeviceFlow({ scopes: ["User.Read"] }));
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenByDeviceFlow(flow, { poll: "once" }));
  entra.next(await entra.answer());
  await entra.settle(
    app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, forceRefresh: true }),
  );
  assertEquals(entra.posts.map(({ headers }) => headers.get("client-request-id")), [null, null, null, null]);
});

test("R-067 an essential claim is checked on a refresh token from elsewhere", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  const migrate = () =>
    app.acquireTokenByRefreshToken({ refreshToken: "RT", scopes: SCOPES, claims: AUTH_TIME });
  entra.next(await entra.answer());
  assertEquals((await entra.refused(migrate())).code, "id_token_auth_time_invalid");
  entra.next(await entra.answer({}, { id_token: undefined }));
  assertEquals((await entra.refused(migrate())).code, "id_token_missing");
  assertEquals(entra.tokenCache.users, 0);
  entra.next(await entra.answer({ auth_time: Math.floor(entra.clock.now() / 1000) - 60 }));
  assertEquals((await entra.settle(migrate())).account?.homeAccountId, HOME_ACCOUNT_ID);
});

test("R-067 an essential claim is checked on a silent renewal, also where no ID token comes", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  const renew = () => app.acquireTokenSilent({ account: HOME_ACCOUNT_ID, scopes: SCOPES, claims: AUTH_TIME });
  entra.next(await entra.answer({}, { id_token: undefined }));
  assertEquals((await entra.refused(renew())).code, "id_token_missing");
  entra.next(await entra.answer());
  assertEquals((await entra.refused(renew())).code, "id_token_auth_time_invalid");
});

test("a silent request that is refused is an event, by whatever name the authority's tenant goes", async () => {
  for (const tenant of [TENANT_ID, "contoso.onmicrosoft.com"]) {
    const entra = entraDouble();
    entra.documents = ({ url }) =>
      url.includes("openid-configuration") ? () => new Promise(() => {}) : undefined;
    const app = entra.confidential({ authority: `https://login.microsoftonline.com/${tenant}` });
    const request = { account: HOME_ACCOUNT_ID, scopes: SCOPES, extraBodyParameters: { grant_type: "x" } };
    assertEquals((await entra.refused(app.acquireTokenSilent(request))).code, "reserved_parameter");
    assertEquals(entra.events.map(({ type }) => type), ["token_failed"], tenant);
  }
});

test("the permissions that a sign-in adds can be consented to by an administrator", () => {
  const app = entraDouble().confidential();
  const scopes = ["openid", "offline_access", "https://graph.microsoft.com/User.Read"];
  const url = app.getAdminConsentUrl({ redirectUri: REDIRECT_URI, state: "a state", scopes });
  assertEquals(new URL(url).searchParams.get("scope"), scopes.join(" "));
});

test("a user may take as long as they like with timeoutMs: Infinity, and a text is no time", async () => {
  const entra = entraDouble();
  const app = entra.public();
  const asked: unknown[] = [];
  const receiver = {
    open: () =>
      Promise.resolve({
        redirectUri: "http://localhost:1234",
        responseMode: "query" as const,
        receive: ({ authUri, timeoutMs }: { authUri: string; timeoutMs?: number }) => {
          asked.push(timeoutMs);
          const flow = {
            authUri,
            redirectUri: "http://localhost:1234",
            state: new URL(authUri).searchParams.get("state"),
          };
          return entra.answer({ nonce: nonceOf(flow as never) }).then((answer) => {
            entra.next(answer);
            return callback(flow as never);
          });
        },
        close: () => Promise.resolve(),
      }),
  };
  const acquire = (timeoutMs: unknown) =>
    app.acquireTokenInteractive({ receiver, scopes: SCOPES, timeoutMs } as never);
  for (const wrong of ["5", 0, -1, NaN, 2 ** 31, {}]) {
    assertEquals((await entra.refused(acquire(wrong))).code, "invalid_request", String(wrong));
  }
  assertEquals((await entra.settle(acquire(Infinity))).account?.homeAccountId, HOME_ACCOUNT_ID);
  assertEquals(asked, [Infinity]);
});
