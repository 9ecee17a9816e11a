/**
 * Rows of MSAL Python's own test catalogue that stand on their own: its OAuth client, OpenID Connect and the debug log.
 *
 * @module
 */
import { assert, assertEquals } from "@std/assert";
import { base64url } from "jose";
import {
  type EntraDouble,
  entraDouble,
  HOME_ACCOUNT_ID,
  nonceOf,
  REDIRECT_URI,
} from "./support/entra_double.ts";
import { test } from "./support/suite.ts";
import { eachRow } from "./support/token_server.ts";

const ASK = { account: HOME_ACCOUNT_ID, scopes: ["User.Read"] };

interface Entry {
  readonly secret: string;
  readonly target: string;
}

function refreshTokens({ tokenCache }: EntraDouble): [string, Entry][] {
  return Object.entries(JSON.parse(tokenCache.serialize()).RefreshToken as Record<string, Entry>);
}

test("L5 a code's refresh token is stored as a new entry", async () => {
  const entra = entraDouble();
  await entra.signIn(entra.confidential(), {}, { refresh_token: "new" });
  assertEquals(refreshTokens(entra).map(([, { secret }]) => secret), ["new"]);
});

test("L6 a redeemed refresh token is updated in its place: key and target stay", async () => {
  const entra = entraDouble();
  const app = entra.confidential();
  await entra.signIn(app);
  const [[key, { target }] = ["", { target: "" }]] = refreshTokens(entra);
  entra.next(await entra.answer({}, { refresh_token: "new", scope: "Mail.Read" }));
  await entra.settle(app.acquireTokenSilent({ ...ASK, scopes: ["Mail.Read"] }));
  assertEquals(refreshTokens(entra).map(([name, entry]) => [name, entry.secret, entry.target]), [[
    key,
    "new",
    target,
  ]]);
});

test("L7 a refresh token that is brought is stored as if it were new", async () => {
  const entra = entraDouble();
  entra.next(await entra.answer({}, { refresh_token: "new" }));
  await entra.settle(
    entra.confidential().acquireTokenByRefreshToken({ refreshToken: "old", scopes: ["User.Read"] }),
  );
  assertEquals(refreshTokens(entra).map(([, { secret }]) => secret), ["new"]);
});

/** MSAL Python decodes these since 1.38 whoever asks; here neither is believed. */
test("O1 O2 an expired token signed by a shared secret is refused, whoever it is for: we do better", async () => {
  await eachRow({ "O1 for foo": "foo", "O2 for this client": undefined }, async (aud) => {
    const entra = entraDouble();
    const app = entra.confidential();
    const flow = await app.initiateAuthCodeFlow({ scopes: ["User.Read"], redirectUri: REDIRECT_URI });
    const claims = {
      iss: "issuer",
      aud: aud ?? app.clientId,
      sub: "subject",
      iat: 1706570732,
      exp: 1674948332,
    };
    const parts = [{ alg: "HS256", typ: "JWT" }, { ...claims, nonce: nonceOf(flow) }];
    const id_token = `${parts.map((part) => base64url.encode(JSON.stringify(part))).join(".")}.c2lnbmF0dXJl`;
    entra.next(await entra.answer({}, { id_token }));
    const response = { code: "c", state: flow.state };
    const error = await entra.refused(app.acquireTokenByAuthCodeFlow(flow, response));
    assertEquals([error.code, entra.tokenCache.size], ["id_token_algorithm_refused", 0]);
  });
});

test("T18 log lines hold neither claims nor tokens: ours hold none in any case", async () => {
  const entra = entraDouble();
  const lines: string[] = [];
  const keep = (line: string): void => void lines.push(line);
  const logger = { debug: keep, info: keep, warn: keep, error: keep };
  const app = entra.confidential({ logger, clientCapabilities: ["canary-capability"] });
  await entra.signIn(app);
  const claims = { access_token: { canary: { value: "canary-claim" } } };
  entra.next(await entra.answer());
  await entra.settle(app.acquireTokenSilent({ ...ASK, claims }));
  assert(lines.length > 2);
  assertEquals(lines.join("\n").match(/canary|AT \d|RT \d|eyJ|a code/), null);
});
