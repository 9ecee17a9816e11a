/**
 * Refresh tokens that the client ids of a family share: MSAL Python's FOCI rows.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import {
  CLIENT_ID,
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  TENANT_ID,
} from "./support/entra_double.ts";
import { test } from "./support/suite.ts";
import { refusal } from "./support/token_server.ts";

const ENVIRONMENT = "login.microsoftonline.com";
const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };

function refreshToken(secret: string, members: object = {}): Record<string, unknown> {
  return {
    credential_type: "RefreshToken",
    secret,
    home_account_id: HOME_ACCOUNT_ID,
    environment: ENVIRONMENT,
    client_id: CLIENT_ID,
    target: "User.Read",
    last_modification_time: "1000",
    ...members,
  };
}

/** A client whose cache holds these refresh tokens, and what is known of it. */
function client(entra: EntraDouble, tokens: Record<string, unknown>[], appMetadata?: object) {
  const tokenCache = new TokenCache();
  tokenCache.deserialize(JSON.stringify({
    RefreshToken: Object.fromEntries(tokens.map((token, i) => [`key ${i}`, token])),
    Account: {
      key: {
        home_account_id: HOME_ACCOUNT_ID,
        environment: ENVIRONMENT,
        realm: TENANT_ID,
        local_account_id: "x",
        username: "alex@contoso.example",
        authority_type: "MSSTS",
      },
    },
    ...(appMetadata && {
      AppMetadata: { app: { client_id: CLIENT_ID, environment: ENVIRONMENT, ...appMetadata } },
    }),
  }));
  return { app: entra.public({ tokenCache }), tokenCache };
}

const FAMILY = refreshToken("what the frt", { client_id: "preexisting_family_app", family_id: "1" });

test("A10 an unknown orphan tries the family's token, and leaves it where it is", async () => {
  const entra = entraDouble();
  const { app, tokenCache } = client(entra, [FAMILY]);
  entra.next(refusal(400, { error: "invalid_grant" }));
  assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), ["what the frt"]);
  assert(tokenCache.serialize().includes("what the frt"));
});

test("Z30 client_mismatch of a guess is no answer: the user must sign in", async () => {
  const entra = entraDouble();
  const { app } = client(entra, [FAMILY]);
  entra.next(refusal(400, { error: "invalid_grant", suberror: "client_mismatch" }));
  assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).code, "no_tokens_found");
});

test("an outage during a guess is an outage, and nobody is told to sign in", async () => {
  const entra = entraDouble();
  const { app } = client(entra, [FAMILY]);
  const busy = refusal(503, { error: "temporarily_unavailable" }, { "retry-after": "1" });
  entra.next(new TypeError("reset"), new TypeError("reset"), busy);
  assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).name, "NetworkError");
  assertEquals((await entra.refused(app.acquireTokenSilent(ASK))).name, "ServerError");
});

test("A11 a known orphan uses its own token alone", async () => {
  const entra = entraDouble();
  const { app } = client(entra, [FAMILY, refreshToken("own RT")], {});
  entra.next(refusal(400, { error: "invalid_grant" }));
  await entra.refused(app.acquireTokenSilent(ASK));
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), ["own RT"]);
});

test("A12 Z31 an app joins the family, and from then on uses the family's token, also after a rotation", async () => {
  const entra = entraDouble();
  const { app, tokenCache } = client(entra, [FAMILY]);
  entra.next(await entra.answer({}, { foci: "1" }));
  assertEquals((await entra.settle(app.acquireTokenSilent(ASK))).accessToken, "AT 1");
  const cache = JSON.parse(tokenCache.serialize());
  const apps = Object.values(cache.AppMetadata) as { client_id: string; family_id?: string }[];
  assertEquals(apps.find(({ client_id }) => client_id === CLIENT_ID)?.family_id, "1");
  const [rotated] = Object.values(cache.RefreshToken) as { client_id: string; secret: string }[];
  assertEquals([rotated?.client_id, rotated?.secret], ["preexisting_family_app", "RT 1"], "Z31");
  entra.next(await entra.answer({}, { foci: "1" }));
  await entra.settle(app.acquireTokenSilent({ ...ASK, forceRefresh: true }));
  assertEquals(entra.posts.at(-1)?.form.get("refresh_token"), "RT 1");
});

test("flaw 5: an answer without foci does not take the app out of its family", async () => {
  const entra = entraDouble();
  const { app, tokenCache } = client(entra, [FAMILY], { family_id: "1" });
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent(ASK));
  const apps = Object.values(JSON.parse(tokenCache.serialize()).AppMetadata) as { family_id?: string }[];
  assertEquals(apps[0]?.family_id, "1");
});

test("a member of the family falls back to its own token", async () => {
  const entra = entraDouble();
  const { app } = client(entra, [FAMILY, refreshToken("own RT")], { family_id: "1" });
  entra.next(refusal(400, { error: "invalid_grant" }), await entra.answer());
  await entra.settle(app.acquireTokenSilent(ASK));
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), ["what the frt", "own RT"]);
});

test("Z21 several refresh tokens are tried newest first, all with the caller's parameters (flaw fixed in 1.38)", async () => {
  const entra = entraDouble();
  const tokens = ["RTa", "RTb", "RTc"].map((secret, i) =>
    refreshToken(secret, { target: `scope${i}`, last_modification_time: `${1000 + i}` })
  );
  const { app } = client(entra, tokens, {});
  const refused = refusal(400, { error: "invalid_grant" });
  entra.next(refused, refused, refused);
  const error = await entra.refused(app.acquireTokenSilent({ ...ASK, extraBodyParameters: { x: "y" } }));
  assertEquals(error.code, "interaction_required");
  assertEquals(entra.posts.map(({ form }) => form.get("refresh_token")), ["RTc", "RTb", "RTa"]);
  assertEquals(entra.posts.map(({ form }) => form.get("x")), ["y", "y", "y"]);
});

test("removing a member's account takes the family's token along", async () => {
  const entra = entraDouble();
  const { app, tokenCache } = client(entra, [FAMILY], { family_id: "1" });
  await app.removeAccount(HOME_ACCOUNT_ID);
  assert(!tokenCache.serialize().includes("what the frt"));
});
