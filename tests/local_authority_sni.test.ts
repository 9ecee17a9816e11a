/** The local authority trusts certificates by subject name and issuer, where an app says so. */
import { assertEquals } from "@std/assert";
import { AssertionScene } from "./support/local_assertions.ts";
import { type MadeCertificate, makeCertificate } from "./support/made_certificates.ts";
import { test } from "./support/suite.ts";

const NAME = "daemon.contoso.example";

const root = await makeCertificate({ commonName: "Root", authority: true });
const between = await makeCertificate({ commonName: "Between", authority: true, issuer: root });
const leaf = await makeCertificate({ commonName: NAME, issuer: root });
const deep = await makeCertificate({ commonName: NAME, issuer: between });

function scene(subjectName = NAME): AssertionScene {
  return new AssertionScene({ trustedSubjects: [{ subjectName, issuer: root.pem }] });
}

/** Signs with the first certificate, and sends the chain. */
async function codeFor(
  here: AssertionScene,
  chain: readonly MadeCertificate[],
  header: Record<string, unknown> = {},
): Promise<number | undefined> {
  const [signer = leaf] = chain;
  const x5c = chain.map(({ base64 }) => base64);
  const { status, code } = await here.ask(await here.assertion(signer, { header: { x5c, ...header } }));
  return status === 200 ? 200 : code;
}

test("a certificate with a trusted name and issuer is taken, whatever lies between", async () => {
  assertEquals(await codeFor(scene(), [leaf]), 200);
  assertEquals(await codeFor(scene(), [leaf, root]), 200);
  assertEquals(await codeFor(scene(), [deep, between]), 200);
  assertEquals(await codeFor(scene(), [deep, between, root]), 200);
  assertEquals(await codeFor(scene(`CN=${NAME.toUpperCase()}`), [leaf]), 200);
  assertEquals(await codeFor(scene(), [leaf], { x5t: leaf.x5t, alg: "RS256" }), 200);
});

test("a renewed certificate is taken without being registered", async () => {
  const renewed = await makeCertificate({ commonName: NAME, issuer: root });
  assertEquals(await codeFor(scene(), [renewed]), 200);
});

test("without x5c, or with no chain to the issuer, the certificate is not registered: AADSTS700027", async () => {
  const here = scene();
  assertEquals(await codeFor(here, [leaf], { x5c: undefined }), 700027);
  assertEquals(await codeFor(here, [leaf], { x5c: [] }), 700027);
  assertEquals(await codeFor(here, [leaf], { x5c: leaf.base64 }), 700027);
  assertEquals(await codeFor(here, [leaf], { x5c: ["nonsense"] }), 700027);
  assertEquals(await codeFor(here, [leaf], { x5c: Array(9).fill(leaf.base64) }), 700027);
  assertEquals(await codeFor(here, [deep]), 700027);
  assertEquals(await codeFor(here, [deep, root]), 700027);
  assertEquals(await codeFor(here, [deep, leaf]), 700027);
});

test("another name of the same issuer is refused, and so is the name without the issuer", async () => {
  const here = scene();
  const otherName = await makeCertificate({ commonName: "other.contoso.example", issuer: root });
  const selfSigned = await makeCertificate({ commonName: NAME });
  const falseRoot = await makeCertificate({ commonName: "Root", authority: true });
  const forged = await makeCertificate({ commonName: NAME, issuer: falseRoot });
  assertEquals(await codeFor(here, [otherName]), 700027);
  assertEquals(await codeFor(here, [selfSigned]), 700027);
  assertEquals(await codeFor(here, [forged]), 700027);
  assertEquals(await codeFor(here, [forged, falseRoot]), 700027);
  assertEquals(await codeFor(here, [forged, root]), 700027);
  assertEquals(await codeFor(new AssertionScene({}), [leaf, root]), 700027);
});

test("a certificate that is no authority issues nothing", async () => {
  const plain = await makeCertificate({ commonName: "Plain", issuer: root });
  const issued = await makeCertificate({ commonName: NAME, issuer: plain });
  assertEquals(await codeFor(scene(), [issued, plain, root]), 700027);
});

test("the thumbprint must be that of the first certificate, which must have signed", async () => {
  const here = scene();
  const second = await makeCertificate({ commonName: NAME, issuer: root });
  assertEquals(await codeFor(here, [leaf], { "x5t#S256": second.x5tS256 }), 700027);
  const x5c = [second.base64];
  assertEquals(await codeFor(here, [leaf], { x5c, "x5t#S256": second.x5tS256 }), 700027);
});

test("a trusted certificate that has ended is refused with AADSTS1000502, an authority that has with 700027", async () => {
  const ended = await makeCertificate({ commonName: NAME, issuer: root, notAfter: new Date("2021-01-01") });
  assertEquals(await codeFor(scene(), [ended]), 1000502);
  const old = await makeCertificate({
    commonName: "Old",
    authority: true,
    issuer: root,
    notAfter: new Date("2021-01-01"),
  });
  const below = await makeCertificate({ commonName: NAME, issuer: old });
  assertEquals(await codeFor(scene(), [below, old]), 700027);
});
