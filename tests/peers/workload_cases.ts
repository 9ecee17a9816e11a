/**
 * What the environment says of who a process is, for every runtime that has one.
 *
 * @module
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { env } from "node:process";
import { ConfidentialClientApplication } from "../../mod.ts";
import { type Environment, githubActions, workloadIdentity } from "../../src/host/mod.ts";
import { CLIENT_ID, failure, SCOPE, TENANT, thrown, tokenAnswer } from "../support/app_fixture.ts";
import { assertionOf, CONTEXT } from "../support/assertion_scene.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";
import { inDirectory } from "./file_scene.ts";
import type { HostCase } from "./host_http.ts";

const IDENTITY = { AZURE_CLIENT_ID: CLIENT_ID, AZURE_TENANT_ID: TENANT };
const JOB = {
  ...IDENTITY,
  ACTIONS_ID_TOKEN_REQUEST_URL: "https://runner.example/idtoken?v=1",
  ACTIONS_ID_TOKEN_REQUEST_TOKEN: "canary-token",
};

function inFile(body: (file: string, environment: Environment) => Promise<void>): Promise<void> {
  return inDirectory(async ({ parent }) => {
    const file = `${parent}/token`;
    await body(file, { ...IDENTITY, AZURE_FEDERATED_TOKEN_FILE: file });
  });
}

const lasting = (n: number): string => assertionOf({ n, exp: Date.now() / 1000 + 3600 });

/** What the file may be in place of a token, with the code. */
const FILES: Readonly<Record<string, readonly [(file: string) => Promise<unknown>, string, string]>> = {
  "is not there": [() => Promise.resolve(), "client_credential_failed", "ENOENT"],
  "is a directory": [(file) => mkdir(file), "client_credential_failed", "cannot be read"],
  "is empty": [(file) => writeFile(file, ""), "invalid_client_credential", "must be a JWT"],
  "is larger than any token": [
    (file) => writeFile(file, "x".repeat(100_000)),
    "invalid_client_credential",
    "16384",
  ],
  "is no text": [
    (file) => writeFile(file, new Uint8Array(64).fill(0xff)),
    "invalid_client_credential",
    "must be a JWT",
  ],
};

const missing: HostCase[] = [
  [workloadIdentity, "AZURE_CLIENT_ID"],
  [workloadIdentity, "AZURE_TENANT_ID"],
  [workloadIdentity, "AZURE_FEDERATED_TOKEN_FILE"],
  [githubActions, "AZURE_CLIENT_ID"],
  [githubActions, "AZURE_TENANT_ID"],
  [githubActions, "ACTIONS_ID_TOKEN_REQUEST_URL"],
  [githubActions, "ACTIONS_ID_TOKEN_REQUEST_TOKEN"],
].map((
  [make, name],
) => [`${(make as { name: string }).name} names ${name} where it is not set, or empty`, async () => {
  for (const value of [undefined, ""]) {
    const whole: Environment = { ...JOB, AZURE_FEDERATED_TOKEN_FILE: "/token", [name as string]: value };
    const error = thrown(() => (make as typeof workloadIdentity)(whole));
    assertEquals([error.code, "option" in error && error.option], ["invalid_option", "environment"]);
    assertStringIncludes(error.message, name as string);
    assert(!error.message.includes("canary"));
  }
  await Promise.resolve();
}]);

const files: HostCase[] = Object.entries(FILES).map(([what, [make, code, message]]) => [
  `a token file that ${what} is ${code}, without its path`,
  () =>
    inFile(async (file, environment) => {
      await make(file);
      const { clientAssertion } = workloadIdentity(environment).clientCredential;
      const error = await failure(Promise.resolve(clientAssertion(CONTEXT)));
      assertEquals(error.code, code);
      assertStringIncludes(error.message, message);
      assert(!error.message.includes(file));
    }),
]);

const works: HostCase[] = [
  [
    "a pod signs in with its file, and with the file's next token when that one was refused",
    () =>
      inFile(async (file, environment) => {
        await writeFile(file, `${lasting(1)}\n`);
        const stale = () =>
          Response.json({ error: "invalid_client", error_codes: [700024] }, { status: 401 });
        const http = scriptedFetch([tokenAnswer(), async () => {
          await rm(file);
          await writeFile(file, lasting(2));
          return stale();
        }, tokenAnswer()]);
        const identity = workloadIdentity(environment);
        const app = new ConfidentialClientApplication({ ...identity, fetch: http.fetch });
        await app.acquireTokenForClient({ scopes: [SCOPE] });
        await app.acquireTokenForClient({ scopes: ["api://two/.default"] });
        const sent = http.requests.map(({ form }) => form.get("client_assertion"));
        const names = sent.map((assertion) => JSON.parse(atob(assertion!.split(".")[1]!)).n);
        assertEquals(names, [1, 1, 2]);
        assertEquals(http.requests[0]?.url, `https://login.microsoftonline.com/${TENANT}/oauth2/v2.0/token`);
        assertEquals(http.requests[0]?.form.get("client_id"), CLIENT_ID);
      }),
  ],
  ["the authority's host comes from AZURE_AUTHORITY_HOST, with a slash at its end or without", async () => {
    for (const host of ["https://login.microsoftonline.us", "https://login.microsoftonline.us/"]) {
      for (const make of [workloadIdentity, githubActions]) {
        const whole = { ...JOB, AZURE_FEDERATED_TOKEN_FILE: "/token", AZURE_AUTHORITY_HOST: host };
        assertEquals(make(whole).authority, `https://login.microsoftonline.us/${TENANT}`);
      }
    }
    await Promise.resolve();
  }],
  ["without an argument the environment is that of the process", async () => {
    Object.assign(env, JOB);
    try {
      const { clientId, authority } = githubActions();
      assertEquals([clientId, authority], [CLIENT_ID, `https://login.microsoftonline.com/${TENANT}`]);
    } finally {
      for (const name of Object.keys(JOB)) delete env[name];
    }
    assertEquals(thrown(() => githubActions()).code, "invalid_option");
    await Promise.resolve();
  }],
  ["a job asks its runner with the runner's token", async () => {
    const { clientAssertion } = githubActions(JOB).clientCredential;
    const http = scriptedFetch([() => Response.json({ value: lasting(1) })]);
    const before = globalThis.fetch;
    globalThis.fetch = http.fetch as typeof fetch;
    try {
      assertEquals((await clientAssertion(CONTEXT)).split(".").length, 3);
    } finally {
      globalThis.fetch = before;
    }
    const [request] = http.requests;
    assertEquals(request?.headers.get("authorization"), "Bearer canary-token");
    assertEquals(
      request?.url,
      "https://runner.example/idtoken?v=1&audience=api%3A%2F%2FAzureADTokenExchange",
    );
  }],
];

/** The cases, in order. */
export const workloadCases: readonly HostCase[] = [...missing, ...files, ...works];
