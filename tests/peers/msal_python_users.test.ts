/** Unmodified MSAL Python signs people in at the local authority on loopback: code, device, silent, refresh. */
import { assert, assertEquals } from "@std/assert";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";
import { type MicrosoftHosts, withMicrosoftHosts } from "./microsoft_hosts.ts";
import { type Job, type Outcome, type PythonResult, runMsalPythonAt } from "./msal_python.ts";
import { Person } from "./person.ts";

const python = peer("MSAL Python");

const SCOPES = ["User.Read"];
const REDIRECT_URI = "http://localhost:3000/callback";

interface Scene extends MicrosoftHosts {
  readonly authority: LocalAuthority;
  readonly person: Person;
  /** Runs the web app, unless the job names another one. */
  run(job: Job): Promise<Outcome>;
}

const WEB: Job = {};

function msalPython(name: string, body: (scene: Scene) => Promise<void>, detectReuse = false): void {
  python.test(`MSAL Python on loopback: ${name}`, async () => {
    const authority = new LocalAuthority({
      deviceCode: { intervalSeconds: 1 },
      refreshTokens: { detectReuse },
    });
    const { clientId, clientSecret, username, password } = authority.defaults;
    await withMicrosoftHosts(authority, (hosts) =>
      body({
        ...hosts,
        authority,
        person: new Person({ username, password }, hosts.fetch),
        run: (job) =>
          runMsalPythonAt(hosts.origin, {
            clientId,
            clientSecret,
            authority: "https://login.microsoftonline.com/common",
            ...job,
          }),
      }));
  });
}

/** The app without a secret. */
function native({ authority }: Scene): Job {
  // JSON has no undefined: the member is left out.
  return { clientId: authority.defaults.publicClientId, clientSecret: undefined };
}

/** Sends a person through a code flow with PKCE, in two processes with the flow between them. */
async function signIn(scene: Scene, job: Job = WEB, more: Record<string, unknown> = {}): Promise<Outcome> {
  const { run, person } = scene;
  const begun = await run({
    ...job,
    calls: [["initiate_auth_code_flow", { scopes: SCOPES, redirect_uri: REDIRECT_URI, ...more }]],
  });
  const [flow] = begun.results;
  const answer = await person.signIn(String(flow?.["auth_uri"]));
  const parameters = answer.method === "GET"
    ? new URL(answer.url).searchParams
    : new URLSearchParams(await answer.text());
  const auth_response = Object.fromEntries(parameters);
  return await run({
    ...job,
    cache: begun.cache,
    calls: [["acquire_token_by_auth_code_flow", { auth_code_flow: flow, auth_response }]],
  });
}

function assertToken(result: PythonResult | undefined): string {
  assert(result?.["access_token"], `${result?.["error"]}: ${result?.["error_description"]}`);
  return String(result["access_token"]);
}

function errorOf(result: PythonResult | undefined): unknown[] {
  return [result?.["error"], result?.["suberror"]];
}

async function whoAmI({ fetch }: Scene, accessToken: string): Promise<unknown> {
  const headers = { authorization: `Bearer ${accessToken}` };
  return (await (await fetch("https://graph.microsoft.com/v1.0/me", { headers })).json()).userPrincipalName;
}

for (const kind of ["web", "native"]) {
  msalPython(
    `a person signs in to the ${kind} app by code, then silently, from cache and by refresh`,
    async (scene) => {
      const { run, authority: { defaults: { username, tenantId } } } = scene;
      const job = kind === "web" ? WEB : native(scene);
      const { results: [first], cache, accounts } = await signIn(scene, job);
      const accessToken = assertToken(first);
      const claims = first?.["id_token_claims"] as Record<string, unknown>;
      assertEquals([claims["preferred_username"], claims["tid"], accounts], [username, tenantId, [username]]);
      assertEquals(await whoAmI(scene, accessToken), username);
      const silent = { scopes: SCOPES, account: username };
      const after = await run({
        ...job,
        cache,
        calls: [
          ["acquire_token_silent_with_error", silent],
          ["acquire_token_silent_with_error", { ...silent, force_refresh: true }],
        ],
      });
      const [hit, renewed] = after.results.map(assertToken);
      assertEquals(hit, accessToken);
      assert(renewed !== accessToken);
      assertEquals(after.sent.filter((line) => line.startsWith("POST")).length, 1);
      assertEquals(await whoAmI(scene, renewed!), username);
    },
  );
}

msalPython("the answer comes as a form", async (scene) => {
  const { results: [first] } = await signIn(scene, WEB, { response_mode: "form_post" });
  assertToken(first);
});

msalPython("without a browser", async ({ run, authority }) => {
  const begun = await run({
    calls: [["initiate_auth_code_flow", { scopes: SCOPES, redirect_uri: REDIRECT_URI }]],
  });
  const [flow] = begun.results;
  const { parameters } = await authority.signIn(String(flow?.["auth_uri"]));
  const auth_response = Object.fromEntries(parameters);
  const { results } = await run({
    calls: [["acquire_token_by_auth_code_flow", { auth_code_flow: flow, auth_response }]],
  });
  assertToken(results[0]);
});

msalPython("a device signs in, through the pages and without them", async (scene) => {
  const { run, authority, person } = scene;
  const job = native(scene);
  for (const isByPages of [true, false]) {
    const { results: [flow] } = await run({ ...job, calls: [["initiate_device_flow", { scopes: SCOPES }]] });
    const userCode = String(flow?.["user_code"]);
    assert(String(flow?.["message"]).includes(userCode));
    if (isByPages) {
      const last = await person.finish(`${flow?.["verification_uri"]}?otc=${userCode}`);
      assertEquals(last.heading, "You are signed in");
    } else authority.approveDevice(userCode);
    const { results: [result], accounts } = await run({
      ...job,
      calls: [["acquire_token_by_device_flow", { flow }]],
    });
    assertToken(result);
    assertEquals(accounts, [authority.defaults.username]);
  }
});

msalPython("a device whose user declines", async (scene) => {
  const { run, authority } = scene;
  const job = native(scene);
  const { results: [flow] } = await run({ ...job, calls: [["initiate_device_flow", { scopes: SCOPES }]] });
  authority.approveDevice(String(flow?.["user_code"]), { decline: true });
  const { results: [result] } = await run({ ...job, calls: [["acquire_token_by_device_flow", { flow }]] });
  assertEquals(result?.["error"], "authorization_declined");
});

msalPython("a refresh token from elsewhere, and an account that is removed", async (scene) => {
  const { run, authority: { defaults: { username } } } = scene;
  const first = await signIn(scene);
  const [refresh_token] = first.refreshTokens;
  const moved = await run({
    calls: [["acquire_token_by_refresh_token", { refresh_token, scopes: SCOPES }]],
  });
  assertToken(moved.results[0]);
  assertEquals(moved.accounts, [username]);
  const gone = await run({ cache: moved.cache, calls: [["remove_account", { account: username }]] });
  assertEquals([gone.accounts, gone.refreshTokens], [[], []]);
});

msalPython("a refresh token that is used again ends the grant", async (scene) => {
  const { run, authority: { defaults: { username } } } = scene;
  const { cache } = await signIn(scene);
  const renew: Job["calls"] = [["acquire_token_silent_with_error", {
    scopes: SCOPES,
    account: username,
    force_refresh: true,
  }]];
  const renewed = await run({ cache, calls: renew });
  assertToken(renewed.results[0]);
  for (const one of [cache, renewed.cache]) {
    const { results: [refused] } = await run({ cache: one, calls: renew });
    assertEquals(errorOf(refused), ["invalid_grant", "bad_token"]);
  }
}, true);

msalPython("prompt=none without a session, and consent that is declined", async (scene) => {
  const { results: [silent] } = await signIn(scene, WEB, { prompt: "none" });
  assertEquals(silent?.["error"], "login_required");
  const begun = await scene.run({
    calls: [["initiate_auth_code_flow", { scopes: SCOPES, redirect_uri: REDIRECT_URI }]],
  });
  const [flow] = begun.results;
  const { parameters } = await scene.authority.signIn(String(flow?.["auth_uri"]), { decline: true });
  const { results: [declined] } = await scene.run({
    calls: [["acquire_token_by_auth_code_flow", {
      auth_code_flow: flow,
      auth_response: Object.fromEntries(parameters),
    }]],
  });
  assertEquals(declined?.["error"], "access_denied");
});
