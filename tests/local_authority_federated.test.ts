/** The local authority takes the tokens of other issuers as Entra ID's federated credentials do. */
import { assertEquals, assertStringIncludes } from "@std/assert";
import { decodeJwt, exportJWK, generateKeyPair } from "jose";
import { LocalAuthority } from "../src/testing/mod.ts";
import { AssertionScene, CLIENT_ID, type Outcome, signedByHand } from "./support/local_assertions.ts";
import { test } from "./support/suite.ts";
import { FABRIKAM, type Json } from "./support/user_scene.ts";

const ISSUER = "https://token.actions.githubusercontent.com";
const SUBJECT = "repo:Contoso/shop:environment:Production";
const AUDIENCE = "api://AzureADTokenExchange";
const BLUEPRINT = "11111111-0000-4000-8000-00000000000b";

const pair = await generateKeyPair("RS256");
const jwk: Json = { ...await exportJWK(pair.publicKey), kid: "one", use: "sig" };
const credential = { issuer: ISSUER, subject: SUBJECT, keys: { keys: [jwk] } };

function scene(...federatedCredentials: Json[]): AssertionScene {
  const declared = federatedCredentials.length > 0 ? federatedCredentials : [credential];
  return new AssertionScene({ federatedCredentials: declared });
}

async function token(
  here: AssertionScene,
  claims: Json = {},
  header: Json = {},
  key: CryptoKey = pair.privateKey as CryptoKey,
): Promise<string> {
  const all = { iss: ISSUER, sub: SUBJECT, aud: AUDIENCE, exp: here.now + 300, nbf: here.now, ...claims };
  return await signedByHand({ alg: "RS256", kid: "one", ...header }, all, key);
}

function seen({ status, error, code }: Outcome): unknown[] {
  return [status, error, code];
}

test("a token of a declared issuer, for a declared subject, gets an app token", async () => {
  const here = scene();
  for (const claims of [{}, { aud: [AUDIENCE] }, { jti: undefined, nbf: undefined }]) {
    const { status, body } = await here.ask(await token(here, claims));
    assertEquals([status, decodeJwt(body["access_token"])["appid"]], [200, CLIENT_ID]);
  }
});

test("the keys may come from a function, and be those of today", async () => {
  let keys: Json[] = [];
  const here = scene({ ...credential, keys: () => Promise.resolve({ keys }) });
  const assertion = await token(here);
  assertEquals(seen(await here.ask(assertion)), [401, "invalid_client", 7000272]);
  keys = [jwk];
  assertEquals((await here.ask(assertion)).status, 200);
});

test("an issuer, subject or audience that differs in anything is refused, each with its code", async () => {
  const here = scene();
  const wrong: [Json, number][] = [
    [{ iss: `${ISSUER}/` }, 700211],
    [{ iss: ISSUER.toUpperCase() }, 700211],
    [{ iss: "https://evil.example" }, 700211],
    [{ sub: "repo:contoso/shop:environment:production" }, 7002138],
    [{ sub: `${SUBJECT}2` }, 700213],
    [{ sub: "" }, 700213],
    [{ sub: [SUBJECT] }, 700213],
    [{ aud: "https://gitlab.com" }, 700212],
    [{ aud: AUDIENCE.toLowerCase() }, 700212],
    [{ aud: [] }, 700212],
    [{ aud: { 0: AUDIENCE } }, 700212],
  ];
  for (const [claims, code] of wrong) {
    const outcome = await here.ask(await token(here, claims));
    assertEquals(seen(outcome), [401, "invalid_client", code], JSON.stringify(claims));
  }
  const { text } = await here.ask(await token(here, { sub: "x" }));
  assertStringIncludes(
    text,
    "No matching federated identity record found for presented assertion subject 'x'.",
  );
});

test("issuer and subject must be those of one credential", async () => {
  const second = { ...credential, issuer: "https://other.example", subject: "other" };
  const here = scene(credential, second);
  assertEquals((await here.ask(await token(here, { iss: second.issuer }))).code, 700213);
  assertEquals((await here.ask(await token(here, { iss: second.issuer, sub: "other" }))).status, 200);
});

test("an app takes nobody's tokens where it declares nobody", async () => {
  const here = new AssertionScene({ secrets: ["x"] });
  assertEquals(seen(await here.ask(await token(here))), [401, "invalid_client", 700211]);
});

test("other audiences take the place of the usual one", async () => {
  const here = scene({ ...credential, audiences: ["api://AzureADTokenExchangeChina"] });
  assertEquals((await here.ask(await token(here))).code, 700212);
  assertEquals((await here.ask(await token(here, { aud: "api://AzureADTokenExchangeChina" }))).status, 200);
});

test("a token that another key signed, or an unknown one, or nobody, is refused", async () => {
  const here = scene();
  const stranger = (await generateKeyPair("RS256")).privateKey as CryptoKey;
  assertEquals((await here.ask(await token(here, {}, {}, stranger))).code, 7000274);
  assertEquals((await here.ask(await token(here, {}, { kid: "two" }))).code, 7000272);
  assertEquals((await here.ask(await token(here, {}, { kid: undefined }))).code, 7000272);
  const [head, claims] = (await token(here)).split(".");
  assertEquals((await here.ask(`${head}.${claims}.`)).code, 7000274);
  const none = btoa(JSON.stringify({ alg: "none", kid: "one" })).replaceAll("=", "");
  assertEquals((await here.ask(`${none}.${claims}.`)).code, 5002738);
});

test("only RS256 signs, as Entra ID has it", async () => {
  const here = scene();
  for (const alg of ["ES256", "PS256"]) {
    const other = await generateKeyPair(alg);
    const assertion = await token(here, {}, { alg }, other.privateKey as CryptoKey);
    assertEquals((await here.ask(assertion)).code, 5002738);
  }
});

test("a token that has expired, or says not when, is refused with AADSTS700024", async () => {
  const here = scene();
  for (const claims of [{ exp: here.now - 301 }, { exp: undefined }, { nbf: here.now + 301 }]) {
    assertEquals(seen(await here.ask(await token(here, claims))), [401, "invalid_client", 700024]);
  }
});

test("another tenant's authority is an issuer like any other", async () => {
  const manager = "11111111-0000-4000-8000-00000000000a";
  const options = { tenants: [FABRIKAM], apps: [{ clientId: manager, secrets: ["x"] }] };
  const other = new LocalAuthority(options);
  const issued = decodeJwt(await other.issueAppToken({ resource: AUDIENCE }));
  const keys = async () => {
    const url = `https://login.microsoftonline.com/${FABRIKAM.id}/discovery/v2.0/keys`;
    return await (await other.fetch(url)).json();
  };
  const here = scene({ issuer: issued.iss, subject: issued.sub, audiences: [issued.aud], keys });
  const live = { exp: here.now + 300, iat: undefined, nbf: undefined };
  const assertion = await other.issueAppToken({ resource: AUDIENCE, claims: live });
  assertEquals((await here.ask(assertion)).status, 200);
  const user = await other.issueAppToken({ resource: AUDIENCE, claims: { ...live, scp: "x" } });
  assertEquals(seen(await here.ask(user)), [401, "invalid_client", 700229]);
  await other.rotateKeys({ keepOld: false });
  assertEquals((await here.ask(assertion)).code, 7000272);
});

test("an agent presents the token that its blueprint got for its path, and no other agent's", async () => {
  const here = new AssertionScene({ federatedCredentials: [{ app: BLUEPRINT }] }, {
    apps: [
      { clientId: CLIENT_ID, federatedCredentials: [{ app: BLUEPRINT }] },
      { clientId: BLUEPRINT, secrets: ["b"] },
    ],
  });
  const exchange = async (fields: Record<string, string>): Promise<string> => {
    const { body } = await here.ask("", {
      client_id: BLUEPRINT,
      client_secret: "b",
      client_assertion: undefined,
      client_assertion_type: undefined,
      scope: `${AUDIENCE}/.default`,
      ...fields,
    });
    return body["access_token"];
  };
  assertEquals((await here.ask(await exchange({ fmi_path: CLIENT_ID }))).status, 200);
  assertEquals((await here.ask(await exchange({}))).status, 200);
  assertEquals((await here.ask(await exchange({ fmi_path: BLUEPRINT }))).code, 700213);
  const graph = await exchange({ scope: "https://graph.microsoft.com/.default" });
  assertEquals((await here.ask(graph)).code, 700212);
  const stranger = await here.authority.issueAppToken({ clientId: CLIENT_ID, resource: AUDIENCE });
  assertEquals((await here.ask(stranger)).code, 700213);
  const forged = { clientId: BLUEPRINT, resource: AUDIENCE, signature: "foreign_key" } as const;
  assertEquals((await here.ask(await here.authority.issueAppToken(forged))).code, 7000274);
  const elsewhere = await here.authority.issueAppToken({
    clientId: BLUEPRINT,
    resource: AUDIENCE,
    tenant: FABRIKAM.id,
  });
  assertEquals((await here.ask(elsewhere)).code, 700211);
});
