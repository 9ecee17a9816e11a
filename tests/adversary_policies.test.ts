/** Authorities that share a cache: whose users and tokens count where. */
import { assert, assertEquals } from "@std/assert";
import { CLIENT_SHAPES, shapeDouble, shapeOf } from "./support/client_shapes.ts";
import { clientInfo, USER_ID } from "./support/entra_double.ts";
import { test } from "./support/suite.ts";

const B2C = shapeOf("B2C");
const OTHER = { authority: "https://contoso.b2clogin.com/contoso.onmicrosoft.com/B2C_1_mfa" };
for (
  const [what, client_info] of [
    ["the user and the policy", clientInfo(`${USER_ID}-b2c_1_susi`)],
    ["the user alone", clientInfo()],
    ["the policy alone", clientInfo("-b2c_1_susi")],
    ["nothing", undefined],
    ["another policy", clientInfo(`${USER_ID}-b2c_1_mfa`)],
  ] as const
) {
  test(`R-080 a user of one B2C policy is nobody under another, where client_info names ${what}`, async () => {
    const double = shapeDouble(B2C);
    const own = double.public(B2C.options);
    const { account } = await double.signIn(own, B2C.claims, { ...B2C.members, client_info }, []);
    const other = double.public(OTHER);
    for (const forceRefresh of [false, true]) {
      const asked = other.acquireTokenSilent({ scopes: [], account: account!, forceRefresh });
      assertEquals((await double.refused(asked)).code, "no_tokens_found");
    }
    assertEquals(await other.getAccounts(), []);
    assertEquals(await other.getAccount(account!.homeAccountId), null);
    assertEquals((await own.getAccounts()).length, 1);
    assertEquals(double.posts.length, 1);
    // Signing in there, too, takes nothing away here.
    const claims = { ...B2C.claims, tfp: "B2C_1_mfa" };
    const second = await double.signIn(other, claims, { ...B2C.members, client_info }, []);
    assert(second.account!.homeAccountId !== account!.homeAccountId);
    const silent = await double.settle(own.acquireTokenSilent({ scopes: [], account: account! }));
    assertEquals([silent.tokenSource, silent.accessToken], ["cache", "AT 1"]);
  });
}

test("one TokenCache for all shapes: no shape takes the accounts, or the tokens, of another", async () => {
  const doubles = CLIENT_SHAPES.filter(({ name }) =>
    name !== "workforce on login.windows.net" && name !== "workforce by domain"
  );
  for (const shape of doubles) {
    const double = shapeDouble(shape);
    await double.signIn(
      double.confidential({ authority: undefined, ...shape.options }),
      shape.claims,
      shape.members,
      [],
    );
    for (const strange of doubles) {
      // Two ways to write the same policy.
      if (strange.at.replace("/tfp", "") === shape.at.replace("/tfp", "")) continue;
      const app = shapeDouble(strange).confidential({
        authority: undefined,
        ...strange.options,
        tokenCache: double.tokenCache,
      });
      const asked = app.acquireTokenSilent({ scopes: [], account: shape.homeAccountId });
      const error = await double.refused(asked);
      assert(
        ["no_tokens_found"].includes(error.code),
        `${shape.name} under ${strange.name}: ${error.code} ${error.message}`,
      );
    }
  }
});
