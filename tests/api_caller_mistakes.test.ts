/** Requests on behalf of a caller that are none: the error is the library's, and says what is wrong. */
import { assertEquals } from "@std/assert";
import { ConfidentialClientApplication, isAuthError } from "../mod.ts";
import { createApiAuth } from "../src/web/mod.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS, UserScene } from "./support/user_scene.ts";

const SCOPES = ["https://graph.microsoft.com/User.Read"];

for (
  const [name, request] of [
    ["nothing", undefined],
    ["a text for scopes", { scopes: SCOPES[0] }],
    ["a scope that is none", { scopes: [Symbol("scope")] }],
    ["a tenant that is a path", { scopes: SCOPES, tenantId: "../evil" }],
    ["a tenant that is no text", { scopes: SCOPES, tenantId: 5 }],
  ] as const
) {
  test(`acquireToken with ${name} is a ClientConfigurationError`, async () => {
    const { authority, clock } = new UserScene();
    const app = new ConfidentialClientApplication({
      clientId: ORDERS.appId,
      clientCredential: "orders-s3cret",
      authority: `${HOST}/${CONTOSO.id}`,
      fetch: authority.fetch,
      clock,
    });
    const token = await authority.issueUserToken({ resource: ORDERS.appId, scopes: ["Orders.Read"] });
    const headers = { authorization: `Bearer ${token}` };
    const api = createApiAuth({ app, audience: ORDERS.appId });
    const caller = await api.authenticate(new Request("https://api.example/", { headers }));
    const error = await caller.acquireToken(request as never).then(() => undefined, (error) => error);
    assertEquals(isAuthError(error) && error.name, "ClientConfigurationError");
  });
}
