/** Unmodified MSAL Python signs users in at the local authority: code, device, silent, refresh. */
import { assertEquals } from "@std/assert";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";

const python = peer("MSAL Python");
const SCRIPT = new URL("msal_python_users.py", import.meta.url).pathname;
const authority = new LocalAuthority({ deviceCode: { intervalSeconds: 1 } });
const { clientId, clientSecret, publicClientId, tenantId, username } = authority.defaults;

/** What MSAL Python asks of the user. */
interface Question {
  readonly authUri?: string;
  readonly userCode?: string;
  // deno-lint-ignore no-explicit-any
  readonly outcome?: any;
}

/** Answers as the user would, on the pages or on the device page. */
async function answerTo({ authUri, userCode }: Question): Promise<unknown> {
  if (authUri !== undefined) return Object.fromEntries((await authority.signIn(authUri)).parameters);
  authority.approveDevice(userCode ?? "");
  return {};
}

/** Runs MSAL Python against the authority, served on loopback, and answers its questions. */
async function runPython(job: Record<string, unknown>): Promise<Question["outcome"]> {
  const server = await authority.serve(Deno);
  // Isolated from the environment, but not from the script's folder: the other script has the session.
  const args = ["-E", "-s", "-B", SCRIPT];
  const child = new Deno.Command("/usr/bin/python3", {
    args,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  })
    .spawn();
  const writer = child.stdin.getWriter();
  const send = (value: unknown) => writer.write(new TextEncoder().encode(`${JSON.stringify(value)}\n`));
  try {
    await send({ origin: server.origin, scopes: ["User.Read"], ...job });
    let buffered = "";
    for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
      buffered += text;
      if (!buffered.endsWith("\n")) continue;
      const question: Question = JSON.parse(buffered);
      buffered = "";
      if (question.outcome) return question.outcome;
      await send(await answerTo(question));
    }
    throw new Error("MSAL Python said nothing more");
  } finally {
    await writer.close();
    await child.status;
    await server.close();
  }
}

async function assertSignedIn(job: Record<string, unknown>): Promise<void> {
  const outcome = await runPython(job);
  assertEquals([outcome.error, outcome.username], [null, username]);
  assertEquals(outcome.homeAccountId, `${outcome.claims.oid}.${tenantId}`);
  assertEquals([outcome.sameToken, outcome.renewed], [true, true]);
  const headers = { authorization: `Bearer ${outcome.accessToken}` };
  const response = await authority.fetch("https://graph.microsoft.com/v1.0/me", { headers });
  assertEquals((await response.json()).id, outcome.claims.oid);
}

for (const tenant of [tenantId, "common"]) {
  python.test(`MSAL Python signs in with a code on ${tenant}, answers silently, and refreshes`, async () => {
    await assertSignedIn({
      clientId,
      clientSecret,
      redirectUri: "http://localhost:5000/callback",
      authority: `https://login.microsoftonline.com/${tenant}`,
    });
  });
}

python.test("MSAL Python signs in with a device code, answers silently, and refreshes", async () => {
  await assertSignedIn({
    clientId: publicClientId,
    authority: "https://login.microsoftonline.com/organizations",
  });
});
