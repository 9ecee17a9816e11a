/** Isolates that share a store and have clocks of their own: the token that was issued last is the one that counts. */
import { assertEquals } from "@std/assert";
import { ConfidentialClientApplication, MemoryStore, systemClock, TokenCache } from "../../mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { test } from "../support/suite.ts";

const authority = new LocalAuthority();
const { tenantId, clientId, clientSecret, scope } = authority.defaults;
const CLAIMS = { access_token: { nbf: { essential: true, value: "1" } } };

/** An isolate with a clock of its own. */
function isolate(store: MemoryStore, now: () => number): ConfidentialClientApplication {
  return new ConfidentialClientApplication({
    clientId,
    clientCredential: clientSecret,
    authority: `https://login.microsoftonline.com/${tenantId}`,
    fetch: authority.fetch,
    tokenCache: new TokenCache({ store }),
    clock: { ...systemClock, now },
  });
}

const [START, SKEW_MS] = [Date.now(), 5_000];

test("a token renewed after one of an isolate whose clock is ahead survives the store", async () => {
  const store = new MemoryStore();
  await isolate(store, () => START + SKEW_MS).acquireTokenForClient({ scopes: [scope] });
  const app = isolate(store, () => START);
  const found = await app.acquireTokenForClient({ scopes: [scope] });
  assertEquals(found.metadata.cacheLevel, "store");
  const renewed = await app.acquireTokenForClient({ scopes: [scope], claims: CLAIMS });
  const next = await app.acquireTokenForClient({ scopes: [scope] });
  assertEquals([next.tokenSource, next.accessToken], ["cache", renewed.accessToken]);
  // And so does what the next isolate reads.
  const cold = await isolate(store, () => START).acquireTokenForClient({ scopes: [scope] });
  assertEquals([cold.metadata.cacheLevel, cold.accessToken], ["store", renewed.accessToken]);
});
