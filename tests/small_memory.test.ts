/**
 * Whoever is in the store is found, however little memory holds.
 *
 * @module
 */
import { assertEquals } from "@std/assert";
import { TokenCache } from "../mod.ts";
import { clientInfo, entraDouble, TENANT_ID } from "./support/entra_double.ts";
import { countingStore } from "./support/stores.ts";
import { test } from "./support/suite.ts";

const SCOPES = ["User.Read"];
const guid = (n: number): string => `00000000-0000-4000-8000-${n.toString(16).padStart(12, "0")}`;

test("R-119 who is in the store is found, however little the memory holds: too large a user, and a crowd", async () => {
  for (const memory of [{ maxBytes: 3_000 }, { maxEntries: 1 }]) {
    const entra = entraDouble();
    const store = countingStore(entra.clock);
    const app = entra.confidential({ tokenCache: new TokenCache({ store, memory }) });
    const users = [1, 2, 3, 4];
    for (const n of users) {
      await entra.signIn(app, { oid: guid(n), sub: `${n}`, name: "n".repeat(3_000) }, {
        client_info: clientInfo(guid(n)),
        refresh_token: `RT ${n}`,
      });
    }
    await entra.clock.advance(3_600_000);
    entra.next(...users.map(() => async ({ form }: { form: URLSearchParams }) => {
      const n = Number(form.get("refresh_token")?.slice(3));
      return Response.json(
        await entra.answer({ oid: guid(n), sub: `${n}` }, { client_info: clientInfo(guid(n)) }),
      );
    }));
    const calls = users.map((n) =>
      app.acquireTokenSilent({ account: `${guid(n)}.${TENANT_ID}`, scopes: SCOPES })
        .then(() => "a token", (error) => error.code)
    );
    assertEquals(await entra.settle(Promise.all(calls)), users.map(() => "a token"), JSON.stringify(memory));
    const account = `${guid(1)}.${TENANT_ID}`;
    assertEquals((await app.getAccount(account))?.homeAccountId, account);
  }
});
