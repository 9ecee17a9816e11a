/** The assertions of MSAL Python, of MSAL Node and ours for the same certificate, before one verifier: R-167. */
import { assert, assertEquals, assertRejects } from "@std/assert";
import { ConfidentialClientApplication as NodeApplication } from "@azure/msal-node";
import { type CertificateCredential, ConfidentialClientApplication } from "../../mod.ts";
import { pfxCredential } from "../../src/pfx/mod.ts";
import { LocalAuthority } from "../../src/testing/mod.ts";
import { peer } from "../support/peers.ts";
import { entra } from "./certificate_cases.ts";
import { base64, type MadeCertificate, OpenSsl, PASSPHRASE } from "./certificate_files.ts";
import { CLIENT_ID } from "./certificate_program.ts";
import { type Expected, type Verified, verifyClientAssertion } from "./certificate_verifier.ts";
import { networkOf } from "./microsoft_hosts.ts";
import { runMsalPythonAt } from "./msal_python.ts";

const openssl = peer("OpenSSL");
const python = peer("MSAL Python");

const SCOPE = "https://graph.microsoft.com/.default";
const documents = new LocalAuthority();
const AUTHORITY = `https://login.microsoftonline.com/${documents.defaults.tenantId}`;

/** An authority that takes one kind of assertion. */
class Verifier {
  readonly verified: Verified[] = [];
  /** Why it refused; MSAL's errors do not tell. */
  problem: unknown;
  readonly #expected: Expected;

  constructor(expected: Expected) {
    this.#expected = expected;
  }

  readonly fetch = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    const request = new Request(input, init);
    if (request.method === "GET") return await documents.fetch(request);
    const form = new URLSearchParams(await request.text());
    // MSAL Node adds a query, which is no part of the audience.
    const [endpoint] = request.url.split("?");
    try {
      this.verified.push(await verifyClientAssertion(form, endpoint!, this.#expected));
    } catch (error) {
      this.problem = error;
      return Response.json({ error: "invalid_client" }, { status: 401 });
    }
    return Response.json({ access_token: "AT", token_type: "Bearer", expires_in: 3600 });
  };
}

let made: Promise<readonly [MadeCertificate, pfx: string]> | undefined;

/** A key whose certificate another one issued, and the same as a PFX file. */
function certificate(): Promise<readonly [MadeCertificate, pfx: string]> {
  return made ??= (async () => {
    await using folder = await OpenSsl.start();
    const issuer = await folder.certificate(await folder.key("rsa:2048"), "issuer");
    const app = await folder.certificate(await folder.key("rsa:2048"), "app", issuer);
    return [app, base64(await folder.pfx(app))] as const;
  })();
}

async function assertionOfOurs(
  expected: Partial<Expected>,
  credential: (app: MadeCertificate, pfx: string) => CertificateCredential | ReturnType<typeof pfxCredential>,
): Promise<Verified> {
  const [app, pfx] = await certificate();
  const verifier = new Verifier({ ...entra(app), ...expected });
  const client = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    clientCredential: credential(app, pfx),
    fetch: (url, init) => verifier.fetch(url, init),
  });
  await client.acquireTokenForClient({ scopes: [SCOPE] }).catch((error) => {
    throw verifier.problem ?? error;
  });
  assertEquals([verifier.verified.length, verifier.problem], [1, undefined]);
  return verifier.verified[0]!;
}

async function assertionOfNode(
  expected: Partial<Expected>,
  clientCertificate: (
    app: MadeCertificate,
  ) => { thumbprint?: string; thumbprintSha256?: string; x5c?: string },
): Promise<Verified> {
  const [app] = await certificate();
  // It rounds nbf and exp up in the second half of a second, and iat always down.
  const verifier = new Verifier({ ...entra(app), ...expected, tolerance: 1 });
  const client = new NodeApplication({
    auth: {
      clientId: CLIENT_ID,
      authority: AUTHORITY,
      clientCertificate: { privateKey: app.key, ...clientCertificate(app) },
    },
    system: { networkClient: networkOf((url, init) => verifier.fetch(url, init)) },
  });
  await client.acquireTokenByClientCredential({ scopes: [SCOPE] }).catch((error) => {
    throw verifier.problem ?? error;
  });
  assertEquals([verifier.verified.length, verifier.problem], [1, undefined]);
  return verifier.verified[0]!;
}

/** Its requests come over loopback; the `Host` header says whom they are meant for. */
async function assertionOfPython(
  expected: Partial<Expected>,
  clientCertificate: (app: MadeCertificate) => Readonly<Record<string, string>>,
): Promise<Verified> {
  const [app] = await certificate();
  const verifier = new Verifier({ ...entra(app), ...expected });
  const handler = async (request: Request): Promise<Response> => {
    const { pathname, search } = new URL(request.url);
    const meant = `https://${request.headers.get("host")}${pathname}${search}`;
    const { method, headers } = request;
    const body = method === "POST" ? { body: await request.text() } : {};
    return await verifier.fetch(meant, { method, headers, ...body });
  };
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, handler);
  const { result } = await runMsalPythonAt(`http://127.0.0.1:${server.addr.port}`, {
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    clientCertificate: clientCertificate(app),
    scopes: [SCOPE],
  });
  assertEquals([verifier.problem, result?.["access_token"]], [undefined, "AT"]);
  return verifier.verified[0]!;
}

const SHA1 = { algorithm: "RS256", names: ["x5t"] } as const;

/** What an assertion says, without what differs each time. */
function shapeOf({ header, payload }: Verified): readonly [header: string[], payload: string[]] {
  return [Object.keys(header).sort(), Object.keys(payload).sort()];
}

const PAYLOAD = ["aud", "exp", "iat", "iss", "jti", "nbf", "sub"];

openssl.test("R-167 ours and MSAL Node's by SHA-256 say the same: PS256, x5t#S256, with the chain", async () => {
  const ours = await assertionOfOurs({}, ({ key, chain }) => ({
    privateKey: key,
    publicCertificate: chain.join(""),
    sendX5c: true,
  }));
  const node = await assertionOfNode(
    {},
    ({ sha256, chain }) => ({ thumbprintSha256: sha256, x5c: chain.join("") }),
  );
  assertEquals(shapeOf(ours), [["alg", "typ", "x5c", "x5t#S256"], PAYLOAD]);
  assertEquals(shapeOf(node), shapeOf(ours));
  const { x5c, alg } = ours.header;
  assertEquals([node.header.x5c, node.header.alg], [x5c, alg]);
});

openssl.test("R-167 ours and MSAL Node's by SHA-1 say the same: RS256, x5t, no chain", async () => {
  const ours = await assertionOfOurs({ ...SHA1, chain: 0 }, ({ key, sha1 }) => ({
    privateKey: key,
    thumbprint: sha1,
  }));
  const node = await assertionOfNode({ ...SHA1, chain: 0 }, ({ sha1 }) => ({ thumbprint: sha1 }));
  assertEquals(shapeOf(ours), [["alg", "typ", "x5t"], PAYLOAD]);
  assertEquals(shapeOf(node), shapeOf(ours));
});

openssl.test("R-167 Z13 a PFX file and the PEM that it was made of give the same assertion", async () => {
  const pfx = await assertionOfOurs(
    {},
    (_, pfx) => pfxCredential({ pfx, passphrase: PASSPHRASE, sendX5c: true }),
  );
  const pem = await assertionOfOurs({}, ({ key, chain }) => ({
    privateKey: key,
    publicCertificate: chain.join(""),
    sendX5c: true,
  }));
  assertEquals(pfx.header, pem.header);
});

python.test("R-167 MSAL Python's by SHA-1 passes, with RS256, x5t and the chain that it is given", async () => {
  const bare = await assertionOfPython({ ...SHA1, chain: 0 }, ({ key, sha1 }) => ({
    private_key: key,
    thumbprint: sha1,
  }));
  assertEquals(shapeOf(bare)[0], ["alg", "typ", "x5t"]);
  const chained = await assertionOfPython(SHA1, ({ key, sha1, chain }) => ({
    private_key: key,
    thumbprint: sha1,
    public_certificate: chain.join(""),
  }));
  assertEquals(shapeOf(chained)[0], ["alg", "typ", "x5c", "x5t"]);
  assert(!("nbf" in chained.payload) || Number.isFinite(chained.payload.nbf));
});

const WRONG: readonly [string, Partial<Expected>][] = [
  ["another algorithm", { algorithm: "RS256" }],
  ["another name", { names: ["x5t"] }],
  ["both names", { names: ["x5t", "x5t#S256"] }],
  ["another chain", { chain: 1 }],
  ["another client", { clientId: "5a1c7b0e-9f34-4d26-b8e1-0c2d4f6a8b91" }],
  ["another lifetime", { lifetime: 599 }],
];
for (const [what, expected] of WRONG) {
  openssl.test(`the verifier refuses an assertion where ${what} is expected`, async () => {
    await assertRejects(() =>
      assertionOfOurs(expected, ({ key, chain }) => ({
        privateKey: key,
        publicCertificate: chain.join(""),
        sendX5c: true,
      }))
    );
  });
}

openssl.test("the verifier refuses another key's signature, and an assertion that it has seen", async () => {
  const [app] = await certificate();
  await using folder = await OpenSsl.start();
  const foreign = await folder.certificate(await folder.key("rsa:2048"), "foreign");
  const forms: URLSearchParams[] = [];
  const client = new ConfidentialClientApplication({
    clientId: CLIENT_ID,
    authority: AUTHORITY,
    clientCredential: { privateKey: app.key, publicCertificate: app.chain[0]!, sendX5c: false },
    fetch: (_, init) => {
      forms.push(new URLSearchParams(String(init.body)));
      return Promise.resolve(Response.json({ access_token: "AT", token_type: "Bearer", expires_in: 3600 }));
    },
  });
  await client.acquireTokenForClient({ scopes: [SCOPE] });
  const endpoint = `${AUTHORITY}/oauth2/v2.0/token`;
  const verify = (certificate: MadeCertificate) =>
    verifyClientAssertion(forms[0]!, endpoint, entra(certificate, 0));
  await assertRejects(() => verify(foreign), Error, "signature verification failed");
  await verify(app);
  await assertRejects(() => verify(app), Error, "was used before");
});
