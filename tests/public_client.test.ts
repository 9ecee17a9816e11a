/** The application that cannot keep a secret has no credential. */
import { assert, assertEquals, assertFalse, assertThrows } from "@std/assert";
import {
  ClientApplication,
  ClientConfigurationError,
  isAuthError,
  PublicClientApplication,
  TokenCache,
} from "../mod.ts";
import { test } from "./support/suite.ts";
import { HOST, TENANT } from "./support/token_server.ts";

const OPTIONS = { clientId: "my_client", authority: `${HOST}/${TENANT}` };

test("A46 a public client is made without a credential, and has what both have", () => {
  const app = new PublicClientApplication({ ...OPTIONS, tokenCache: new TokenCache() });
  assert(app instanceof ClientApplication);
  assertEquals([app.clientId, app.authority], ["my_client", `${HOST}/${TENANT}`]);
  assertEquals(JSON.parse(JSON.stringify(app)), { clientId: "my_client", authority: `${HOST}/${TENANT}` });
});

test("a public client takes the shared tenants, and common where none is named", () => {
  assertEquals(new PublicClientApplication({ clientId: "c" }).authority, `${HOST}/common`);
  for (const tenant of ["common", "organizations", "consumers"]) {
    const app = new PublicClientApplication({ clientId: "c", authority: `${HOST}/${tenant}` });
    assertEquals(app.authority, `${HOST}/${tenant}`);
  }
});

test("a public client refuses a credential, whatever it is called, and does not repeat it", () => {
  const credentials: unknown[] = ["a secret", { clientSecret: "a secret" }, () => "a secret", ""];
  for (const name of ["clientCredential", "clientSecret"]) {
    for (const credential of credentials) {
      const options = { ...OPTIONS, [name]: credential };
      const error = assertThrows(() => new PublicClientApplication(options), ClientConfigurationError);
      assertEquals([error.code, error.option, isAuthError(error)], [
        "unexpected_client_credential",
        name,
        true,
      ]);
      assertFalse(`${error.message}${JSON.stringify(error)}`.includes("a secret"));
    }
  }
  for (const absent of [{ clientCredential: undefined }, { clientSecret: undefined }]) {
    const options = { ...OPTIONS, ...absent };
    assertEquals(new PublicClientApplication(options).clientId, "my_client");
  }
});

test("a public client checks its options as the confidential one does", () => {
  for (const options of [undefined, null, {}, { clientId: "" }, { clientId: "a b" }, { clientId: 7 }]) {
    assertThrows(() => new PublicClientApplication(options as never), ClientConfigurationError);
  }
  const both = { ...OPTIONS, oidcAuthority: "https://idp.example.com" };
  assertThrows(() => new PublicClientApplication(both), ClientConfigurationError, "oidcAuthority");
});
