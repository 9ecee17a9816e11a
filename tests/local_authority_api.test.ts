/** The local authority's protected API lets in tokens that it should, and no others. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { decodeJwt, generateKeyPair, SignJWT } from "jose";
import { LocalAuthority } from "../src/testing/mod.ts";
import { test } from "./support/suite.ts";

const GRAPH = "https://graph.microsoft.com/v1.0/organization";
const OTHER_API = { identifierUris: ["api://orders"], appId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" };

async function call(authority: LocalAuthority, authorization?: string): Promise<Response> {
  return await authority.fetch(GRAPH, authorization === undefined ? {} : { headers: { authorization } });
}

async function refused(
  authority: LocalAuthority,
  authorization: string | undefined,
  text: string,
): Promise<void> {
  const response = await call(authority, authorization);
  const { error } = await response.json();
  assertEquals([response.status, error.code], [401, "InvalidAuthenticationToken"]);
  assert(error.message.includes(text), error.message);
  const challenge = response.headers.get("www-authenticate") ?? "";
  assert(
    challenge.startsWith('Bearer realm="", authorization_uri="https://login.microsoftonline.com/common/'),
  );
}

test("a token with the role reads the organization", async () => {
  const authority = new LocalAuthority();
  const { tenantId, domain } = authority.defaults;
  for (const scheme of ["Bearer", "bearer", "BEARER"]) {
    const response = await call(authority, `${scheme} ${await authority.issueAppToken()}`);
    assertEquals(response.status, 200);
    const body = await response.json();
    assertEquals(body["@odata.context"], "https://graph.microsoft.com/v1.0/$metadata#organization");
    const [{ id, displayName, verifiedDomains }] = body.value;
    assertEquals([id, displayName, verifiedDomains[0].name], [tenantId, "Contoso", domain]);
  }
});

test("each tenant's token reads its own organization", async () => {
  const tenants = [
    { id: "7f0c1d5e-3b6a-4c8e-9d21-5a4e8b7c6f10", name: "A" },
    { id: "0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80", name: "B" },
  ];
  const authority = new LocalAuthority({ tenants });
  for (const { id, name } of tenants) {
    const response = await call(authority, `Bearer ${await authority.issueAppToken({ tenant: id })}`);
    assertEquals((await response.json()).value[0].displayName, name);
  }
});

test("a request without a usable bearer token is 401", async () => {
  const authority = new LocalAuthority();
  const token = await authority.issueAppToken();
  for (const header of [undefined, "", "Bearer", "Bearer ", `Basic ${token}`, `Bearer ${token} x`, token]) {
    await refused(authority, header, "empty");
  }
  for (const garbage of ["x", "a.b.c", `${token}.x`, token.slice(0, 20)]) {
    await refused(authority, `Bearer ${garbage}`, "malformed");
  }
});

test("a token that was changed, or signed by somebody else, is 401", async () => {
  const authority = new LocalAuthority();
  const token = await authority.issueAppToken();
  const [head, payload, signature = ""] = token.split(".");
  const flipped = signature.startsWith("A") ? `B${signature.slice(1)}` : `A${signature.slice(1)}`;
  await refused(authority, `Bearer ${head}.${payload}.${flipped}`, "signature");
  await refused(authority, `Bearer ${await new LocalAuthority().issueAppToken()}`, "unknown key");
  const unsigned = btoa('{"alg":"none","typ":"JWT"}').replaceAll("=", "");
  await refused(authority, `Bearer ${unsigned}.${payload}.`, "malformed");
});

test("a key that somebody else put under our key id does not help", async () => {
  const authority = new LocalAuthority();
  const token = await authority.issueAppToken();
  const { kid } = JSON.parse(atob(token.split(".")[0]!.replaceAll("-", "+").replaceAll("_", "/")));
  const { privateKey } = await generateKeyPair("RS256");
  const forged = await new SignJWT(decodeJwt(token)).setProtectedHeader({ alg: "RS256", kid }).sign(
    privateKey,
  );
  await refused(authority, `Bearer ${forged}`, "signature");
});

test("a token that has expired, is not yet valid or lacks its times is 401", async () => {
  const authority = new LocalAuthority();
  const seconds = Math.floor(Date.now() / 1000);
  await refused(authority, `Bearer ${await authority.issueAppToken({ lifetimeSeconds: -1 })}`, "expired");
  const early = await authority.issueAppToken({ claims: { nbf: seconds + 600 } });
  await refused(authority, `Bearer ${early}`, "not yet valid");
  for (const claim of ["exp", "nbf", "iss", "tid"]) {
    const token = await authority.issueAppToken({ claims: { [claim]: undefined } });
    assertEquals((await call(authority, `Bearer ${token}`)).status, 401);
  }
});

test("a token expires by the authority's clock", async () => {
  let nowMs = 1_800_000_000_000;
  const clock = { now: () => nowMs, setTimeout: () => 0, clearTimeout: () => {} };
  const authority = new LocalAuthority({ clock, tokenLifetimeSeconds: 60 });
  const token = await authority.issueAppToken();
  nowMs += 59_000;
  assertEquals((await call(authority, `Bearer ${token}`)).status, 200);
  nowMs += 1_000;
  await refused(authority, `Bearer ${token}`, "expired");
});

test("a token for another API is 401", async () => {
  const authority = new LocalAuthority({ resources: [OTHER_API] });
  await refused(
    authority,
    `Bearer ${await authority.issueAppToken({ resource: "api://orders" })}`,
    "audience",
  );
});

test("a token of another issuer or tenant is 401", async () => {
  const authority = new LocalAuthority();
  const { tenantId } = authority.defaults;
  const wrong = [
    { iss: "https://sts.windows.net/0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80/" },
    { tid: "0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80" },
    { iss: `https://evil.example/${tenantId}/v2.0` },
    { iss: [`https://sts.windows.net/${tenantId}/`] },
  ];
  for (const claims of wrong) {
    await refused(authority, `Bearer ${await authority.issueAppToken({ claims })}`, "");
  }
});

test("a token without the role is 403, in Graph's words", async () => {
  const authority = new LocalAuthority();
  const wrong = [{ roles: [] }, { roles: ["User.Read.All"] }, { claims: { roles: "Organization.Read.All" } }];
  for (const options of wrong) {
    const response = await call(authority, `Bearer ${await authority.issueAppToken(options)}`);
    const { error } = await response.json();
    assertEquals([response.status, error.code], [403, "Authorization_RequestDenied"]);
    assertEquals(error.message, "Insufficient privileges to complete the operation.");
    assertEquals(Object.keys(error.innerError).sort(), ["client-request-id", "date", "request-id"]);
    assertEquals(response.headers.get("www-authenticate"), null);
  }
});

test("only GET reads the organization", async () => {
  const authority = new LocalAuthority();
  const headers = { authorization: `Bearer ${await authority.issueAppToken()}` };
  const response = await authority.fetch(GRAPH, { method: "DELETE", headers });
  assertEquals([response.status, (await response.json()).error.code], [405, "Request_BadRequest"]);
});

test("a token can be issued with claims added, replaced and removed", async () => {
  const authority = new LocalAuthority({ resources: [{ ...OTHER_API, accessTokenVersion: 2 }] });
  const claims = { iss: "https://evil.example", azp: undefined, scp: "Orders.Read" };
  const token = await authority.issueAppToken({
    resource: "api://orders",
    roles: ["Orders.Read.All"],
    claims,
  });
  const payload = decodeJwt(token);
  assertEquals([payload.iss, payload["scp"], payload["azp"]], [
    "https://evil.example",
    "Orders.Read",
    undefined,
  ]);
  assertEquals(payload["roles"], ["Orders.Read.All"]);
});

test("a token of what was not declared is not issued", async () => {
  const authority = new LocalAuthority();
  const undeclared = "0b8f6c2d-1e5a-4973-a6d4-7c9e3f5b1d80";
  for (const options of [{ tenant: "x.example" }, { clientId: undeclared }, { resource: "api://nobody" }]) {
    await assertRejects(() => authority.issueAppToken(options), TypeError, "Cannot issue a token");
  }
});
