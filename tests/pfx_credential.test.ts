/** PFX files in an application: opened once, when a token is first asked for, and signed with. */
import { assert, assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { ClientConfigurationError, type CredentialContext } from "../mod.ts";
import { type PfxCredential, pfxCredential } from "../src/pfx/mod.ts";
import { AUTHORITY, CLIENT_ID, fixture, tokenAnswer } from "./support/app_fixture.ts";
import { base64, certificate, type TestCertificate, testKeys } from "./support/certificates.ts";
import { makePfx } from "./support/pfx_files.ts";
import { runtime, test, workersContext } from "./support/suite.ts";

const PASSPHRASE = "hush hush";
const CONTEXT = { clientId: CLIENT_ID, authority: AUTHORITY, authorityType: "aad" } as CredentialContext;

async function scene(): Promise<
  { pfx: Uint8Array<ArrayBuffer>; leaf: TestCertificate; issuer: TestCertificate }
> {
  const [keys, issuerKeys] = [await testKeys("RSA", "own"), await testKeys("EC", "root")];
  const issuer = await certificate(issuerKeys, { commonName: "issuer" });
  const leaf = await certificate(keys, { issuer: { keys: issuerKeys, commonName: "issuer" } });
  const passphrase = PASSPHRASE;
  const pfx = await makePfx({ keys: [{ der: keys.pkcs8 }], certificates: [issuer, leaf], passphrase });
  return { pfx, leaf, issuer };
}

/** The header of the assertion that was sent. */
function headerOf(body: string): Record<string, unknown> {
  const [header = ""] = new URLSearchParams(body).get("client_assertion")!.split(".");
  return JSON.parse(atob(header.replaceAll("-", "+").replaceAll("_", "/")));
}

const hex = (text: unknown): string =>
  Array.from(
    atob(String(text).replaceAll("-", "+").replaceAll("_", "/")),
    (character) => character.charCodeAt(0).toString(16).padStart(2, "0"),
  ).join("").toUpperCase();

test("Z13 a PFX file signs with PS256 and x5t#S256, and sends its chain where that is asked for", async () => {
  const { pfx, leaf, issuer } = await scene();
  for (const sendX5c of [undefined, false, true]) {
    const clientCredential = pfxCredential({ pfx, passphrase: PASSPHRASE, sendX5c });
    const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
    await acquire();
    const header = headerOf(http.requests[0]!.body);
    assertEquals([header.alg, header.typ, hex(header["x5t#S256"])], ["PS256", "JWT", leaf.thumbprintSha256]);
    assertEquals([header.x5t, header.x5c], [undefined, sendX5c ? [leaf.base64, issuer.base64] : undefined]);
    assert(!http.requests[0]!.body.includes("client_secret"));
  }
});

test("a PFX file's algorithm and key id can be chosen", async () => {
  const { pfx } = await scene();
  const clientCredential = pfxCredential({ pfx, passphrase: PASSPHRASE, algorithm: "RS256", keyId: "k1" });
  const { acquire, http } = fixture([tokenAnswer()], { clientCredential });
  await acquire();
  const { alg, kid } = headerOf(http.requests[0]!.body);
  assertEquals([alg, kid], ["RS256", "k1"]);
});

test("a PFX file is opened when a token is first asked for, once, and its assertion is used again", async () => {
  const { pfx } = await scene();
  const provider = pfxCredential({ pfx, passphrase: PASSPHRASE });
  const [one, other] = await Promise.all([provider(CONTEXT), provider(CONTEXT)]);
  assertEquals(one === other, true);
  assertEquals(provider(CONTEXT) === one, true);
  assert(Object.isFrozen(one));
  const script = [tokenAnswer(), tokenAnswer()];
  const { acquire, http } = fixture(script, { clientCredential: provider });
  await acquire();
  await acquire({ scopes: ["https://vault.azure.net/.default"] });
  const [first, second] = http.requests.map(({ body }) => new URLSearchParams(body).get("client_assertion"));
  assertEquals(first, second);
});

test("a hit in the cache never opens the PFX file", async () => {
  const { pfx } = await scene();
  const provider = pfxCredential({ pfx, passphrase: PASSPHRASE });
  let calls = 0;
  const clientCredential = (context: CredentialContext) => {
    calls++;
    return provider(context);
  };
  const { acquire } = fixture([tokenAnswer()], { clientCredential });
  await acquire();
  await acquire();
  assertEquals(calls, 1);
});

test("what changes in the bytes afterwards changes nothing", async () => {
  const { pfx } = await scene();
  const provider = pfxCredential({ pfx, passphrase: PASSPHRASE });
  pfx.fill(0);
  assert(await provider(CONTEXT));
});

test("a failure to open a PFX file is not remembered: the next call tries again", async () => {
  const { pfx } = await scene();
  const provider = pfxCredential({ pfx, passphrase: PASSPHRASE });
  const { subtle } = crypto;
  const own = Object.getOwnPropertyDescriptor(subtle, "decrypt");
  Object.defineProperty(subtle, "decrypt", {
    value: () => Promise.reject(new Error("out of order")),
    configurable: true,
    writable: true,
  });
  try {
    await assertRejects(
      async () => await provider(CONTEXT),
      ClientConfigurationError,
      "a part does not open",
    );
  } finally {
    if (own) Object.defineProperty(subtle, "decrypt", own);
    else delete (subtle as Partial<SubtleCrypto>).decrypt;
  }
  assert(await provider(CONTEXT));
});

test("R-168 a wrong passphrase comes from the call, with what to do and without the passphrase", async () => {
  const { pfx } = await scene();
  const clientCredential = pfxCredential({ pfx, passphrase: "hush, wrong" });
  const { refused, http, lines } = fixture([tokenAnswer()], { clientCredential });
  const error = await refused();
  assertStringIncludes(error.message, "Cannot use passphrase: it does not open the PFX file");
  assert(!JSON.stringify([error.message, error, error.cause, lines]).includes("hush"));
  assertEquals(http.requests, []);
});

const WRONG: readonly [string, unknown, option: string][] = [
  ["nothing", undefined, "pfxCredential"],
  ["a text", "MIIK", "pfxCredential"],
  ["no file", {}, "pfx"],
  ["a path", { pfx: "/etc/app.pfx" }, "pfx"],
  ["PEM", { pfx: "-----BEGIN PRIVATE KEY-----" }, "pfx"],
  ["too large a file", { pfx: new Uint8Array(1_048_577) }, "pfx"],
  ["a passphrase that is no text", { pfx: Uint8Array.of(0x30, 0), passphrase: 5 }, "passphrase"],
];
for (const [what, credential, option] of WRONG) {
  test(`R-194 ${what} is refused when the credential is made`, () => {
    const error = assertThrows(() => pfxCredential(credential as PfxCredential), ClientConfigurationError);
    assertEquals([error.code, error.option], ["invalid_client_credential", option]);
  });
}

test("{ pfx } as a credential is told where to go", async () => {
  const { pfx } = await scene();
  const error = assertThrows(
    () => fixture([], { clientCredential: { pfx: base64(pfx) } as unknown as string }),
    ClientConfigurationError,
  );
  assertStringIncludes(error.message, "@msal-edge/msal/pfx");
});

test("a request of a Worker gets what another one has opened, and what another one is opening", async () => {
  const { pfx } = await scene();
  const provider = pfxCredential({ pfx, passphrase: PASSPHRASE });
  const { inAnotherRequest } = workersContext()!;
  const [here, there] = await Promise.all([
    provider(CONTEXT),
    inAnotherRequest(async () => Object.keys(await provider(CONTEXT) as object).length),
  ]);
  assertEquals(Object.keys(here as object).length, there);
  assertEquals(await inAnotherRequest(async () => (await provider(CONTEXT)) === here), true);
}, { on: ["workerd", "workerd-nodejs"] });

test("pkijs keeps its engine where others find it, and ours does not depend on that", async () => {
  const { pfx } = await scene();
  // deno-lint-ignore no-explicit-any -- where pkijs puts it on Node
  const shared = (globalThis as any)[(globalThis as any).process?.pid]?.pkijs;
  const before = shared?.engine;
  if (shared) shared.engine = { name: "broken", crypto: null };
  try {
    assert(await pfxCredential({ pfx, passphrase: PASSPHRASE })(CONTEXT));
  } finally {
    if (shared) shared.engine = before;
  }
  assert(!runtime.startsWith("workerd") || runtime === "workerd-nodejs" || shared === undefined);
});
