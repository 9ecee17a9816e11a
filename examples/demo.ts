/**
 * What the library does, shown against a local authority on loopback: no tenant, no network, no secrets.
 *
 * Every line of the table is measured and checked; the exit code is 1 if one of them is not as promised. The clock of
 * the applications and of the authority is moved forward in some places, so that nobody has to wait for half a day.
 *
 * ```sh
 * npx --yes deno@2.9.6 task demo
 * ```
 *
 * @module
 */
import type { AuthError } from "@msal-edge/msal";
import { appSteps } from "./demo_apps.ts";
import { keySteps } from "./demo_keys.ts";
import { authority, background, server } from "./demo_scene.ts";
import { Table, wrap } from "./demo_table.ts";
import { userSteps } from "./demo_users.ts";

/** An error as an application would print it. */
function tell(error: AuthError): void {
  console.log("\nThe wrong secret, as a person sees it:\n");
  console.log(wrap(`${error.name} ${error.code}: ${error.message}`, "  "));
  console.log(`  correlation id ${error.correlationId}`);
}

console.log(
  "msal-edge, against a local authority on this machine. Nothing leaves it, no tenant is needed.\n",
);
// The authority makes its keys now, so that the first line shows what the library takes.
await authority.issueAppToken();
const table = new Table({
  countRequests: () => authority.countRequests(),
  settle: () => Promise.all(background.splice(0)),
  colours: Deno.stdout.isTerminal() && !Deno.noColor,
});
let refusal: AuthError | undefined;
try {
  table.title("a program by itself");
  for (const step of appSteps) refusal = (await table.run(step)).error ?? refusal;
  table.title("a user, in a browser and at a device");
  for (const step of userSteps) await table.run(step);
  table.title("a token that cannot be stolen");
  for (const step of keySteps) await table.run(step);
} finally {
  await server.close();
}
console.log(`\ntime: what the caller waited. HTTP: requests of the step, ${table.requests} in all.`);
console.log("13 h later: the demo moves the clock of the applications and of the authority.");
if (refusal) tell(refusal);
for (const failure of table.failures) console.error(wrap(failure, "FAIL  "));
Deno.exitCode = table.failures.length === 0 ? 0 : 1;
