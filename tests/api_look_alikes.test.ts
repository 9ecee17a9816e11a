/** What a route asks is no option of an API: said there it would be passed over, and let everybody in. */
import { assertEquals } from "@std/assert";
import { type BearerOptions, protectedResource, requireBearer } from "../src/hono/mod.ts";
import { AccessTokenValidator } from "../src/validate/mod.ts";
import { type ApiAuthOptions, createApiAuth } from "../src/web/mod.ts";
import { failure, thrown } from "./support/app_fixture.ts";
import { test } from "./support/suite.ts";
import { CONTOSO, HOST, ORDERS } from "./support/user_scene.ts";

const GOOD = { authority: `${HOST}/${CONTOSO.id}`, audience: ORDERS.appId };

/** The error's name and option. */
function told(error: Error): unknown[] {
  return [error.name, (error as { option?: string }).option];
}

for (const name of ["scopes", "roles", "userRoles", "allowedApps", "acrs"] as const) {
  const options = { ...GOOD, [name]: ["x"] } as ApiAuthOptions;
  const expected = ["ClientConfigurationError", name];

  test(`R-155: ${name} as an option of an API or a validator is refused`, async () => {
    assertEquals(told(thrown(() => createApiAuth(options))), expected);
    assertEquals(told(thrown(() => new AccessTokenValidator(options))), expected);
    const bound = createApiAuth(() => options);
    const call = bound.protect(() => new Response("in"))(new Request("https://api.example/"), { env: {} });
    assertEquals(told(await failure(call)), expected);
    createApiAuth({ ...GOOD, [name]: undefined } as ApiAuthOptions);
  });

  test(`requireBearer and protectedResource take ${name} beside the options of the API`, () => {
    requireBearer(options as BearerOptions);
    protectedResource({ ...options, protectedResource: { resource: "https://api.example/" } });
  });
}
