/** Who may have issued a workforce token, for ID tokens and access tokens alike (R-053, R-071..R-078). */
import { MSA } from "./support/id_tokens.ts";
import { ISSUER, type Row, type Scene, STS, table, v1, v2 } from "./support/issuer_tables.ts";
import { entraDocument, OTHER_GUID as OTHER, TENANT_GUID as GUID } from "./support/microsoft_documents.ts";

const workforce = (tenant: string, host = "login.microsoftonline.com"): Scene => ({
  options: { authority: `https://${host}/${tenant}` },
});
/** What holds for every workforce authority that issues tokens of `tid`. */
const everywhere = (tid: string): readonly Row[] => [
  ["R-053 version 2", "accepted", v2(tid)],
  ["R-078 version 1", "accepted", v1(tid)],
  ["R-071 tid in capitals", "accepted", v2(tid.toUpperCase(), ISSUER(tid))],
  ["R-053 iss and 1", "issuer_mismatch", v2(tid, `${ISSUER(tid)}1`)],
  ["R-053 iss of another host", "issuer_mismatch", v2(tid, ISSUER(tid, "evil.example"))],
  ["R-053 iss of an alias", "issuer_mismatch", v2(tid, ISSUER(tid, "login.windows.net"))],
  ["R-053 no iss", "issuer_mismatch", { ver: "2.0", tid }],
  ["R-053 CVE-2025-30144 iss a list", "issuer_mismatch", v2(tid, [ISSUER(tid)])],
  ["R-053 iss a number", "issuer_mismatch", v2(tid, 5)],
  ["R-053 iss an object", "issuer_mismatch", v2(tid, { toString: ISSUER(tid) })],
  ["R-071 iss the template", "issuer_mismatch", v2(tid, ISSUER("{tenantid}"))],
  ["R-071 iss in capitals", "issuer_mismatch", v2(tid, ISSUER(tid.toUpperCase()))],
  ["R-071 tid $&", "tenant_invalid", v2("$&", ISSUER("{tenantid}"))],
  ["R-071 tid $`", "tenant_invalid", v2("$`", "https://login.microsoftonline.com/")],
  ["R-071 tid ../x", "tenant_invalid", v2("../x")],
  ["R-071 tid a template", "tenant_invalid", v2("{tenantid}")],
  ["R-071 tid a domain", "tenant_invalid", v2("contoso.example")],
  ["R-071 tid a list", "tenant_invalid", v2([tid], ISSUER(tid))],
  ["R-071 tid an object", "tenant_invalid", v2({ toString: tid }, ISSUER(tid))],
  ["R-071 tid with a line end", "tenant_invalid", v2(`${tid}\n`, ISSUER(tid))],
  ["R-072 no tid", "tenant_invalid", { ver: "2.0", iss: ISSUER(tid) }],
  ["R-073 tid and TID", "tenant_invalid", { ...v2(tid), TID: tid }],
  ["R-073 TID and tid", "tenant_invalid", { TID: OTHER, ...v2(tid) }],
  ["R-073 Tid alone", "tenant_invalid", { ver: "2.0", Tid: tid, iss: ISSUER(tid) }],
  ["R-072 iss of another tenant", "issuer_mismatch", v2(tid, ISSUER(OTHER))],
  ["oid no GUID", "subject_invalid", { ...v2(tid), oid: "../x" }],
  ["R-076 a key of the issuer", "accepted", v2(tid), { issuer: ISSUER(tid) }],
  ["R-076 a key of the template", "accepted", v2(tid), { issuer: ISSUER("{tenantid}") }],
  ["R-076 a key of the issuer, version 1", "accepted", v1(tid), { issuer: ISSUER(tid) }],
  ["R-076 a key of the template, version 1", "accepted", v1(tid), { issuer: ISSUER("{tenantid}") }],
  ["R-078 a key of the version 1 issuer", "key_issuer_mismatch", v1(tid), { issuer: STS(tid) }],
  ["R-076 a key of another tenant", "key_issuer_mismatch", v2(tid), { issuer: ISSUER(OTHER) }],
  ["R-076 a key of another host", "key_issuer_mismatch", v2(tid), { issuer: ISSUER(tid, "evil.example") }],
  ["R-076 a key of two templates", "key_issuer_mismatch", v2(tid), {
    issuer: "https://login.microsoftonline.com/{tenantid}/{tenantid}/v2.0",
  }],
  ["R-077 a key of the cloud", "accepted", v2(tid), { cloudInstanceName: "microsoftonline.com" }],
  ["R-077 a key of another cloud", "key_cloud_mismatch", v2(tid), {
    cloudInstanceName: "microsoftonline.us",
  }],
  ["R-078 version 2's issuer in version 1", "issuer_mismatch", v1(tid, ISSUER(tid))],
  ["R-078 version 1's issuer in version 2", "issuer_mismatch", v2(tid, STS(tid))],
  ["R-078 version 1's issuer, no version", "issuer_mismatch", { tid, iss: STS(tid) }],
  ["R-078 version 1 without a slash", "issuer_mismatch", v1(tid, `https://sts.windows.net/${tid}`)],
  ["R-078 version 1 of another tenant", "issuer_mismatch", v1(tid, STS(OTHER))],
  ["R-078 version 1 of China", "issuer_mismatch", v1(tid, STS(tid, "sts.chinacloudapi.cn"))],
  ["R-078 version 1.0 as a number", "issuer_mismatch", { ...v1(tid), ver: 1 }],
];

table("a tenant", workforce(GUID), [
  ...everywhere(GUID),
  ["R-072 tid of another tenant", "tenant_mismatch", v2(OTHER, ISSUER(GUID))],
  ["R-074 another tenant's token", "tenant_mismatch", v2(OTHER)],
  ["R-074 another tenant's token of version 1", "tenant_mismatch", v1(OTHER)],
  ["R-075 a personal account", "tenant_mismatch", v2(MSA)],
]);
table("a tenant by its domain", {
  options: { authority: "https://login.microsoftonline.com/contoso.example" },
  document: entraDocument(`https://login.microsoftonline.com/${GUID}`, ISSUER(GUID), "microsoftonline.com"),
}, [
  ...everywhere(GUID),
  ["R-072 tid of another tenant", "tenant_mismatch", v2(OTHER, ISSUER(GUID))],
  ["R-074 another tenant's token", "tenant_mismatch", v2(OTHER)],
]);
table("common", workforce("common"), [
  ...everywhere(GUID),
  ["R-075 another organisation", "accepted", v2(OTHER)],
  ["R-075 a personal account", "accepted", v2(MSA)],
  ["R-072 tid of another tenant", "issuer_mismatch", v2(OTHER, ISSUER(GUID))],
]);
table("organizations", workforce("organizations"), [
  ...everywhere(GUID),
  ["R-075 another organisation", "accepted", v2(OTHER)],
  ["R-075 a personal account", "tenant_mismatch", v2(MSA)],
  ["R-075 a personal account, version 1", "tenant_mismatch", v1(MSA)],
  ["R-075 a personal account, in capitals", "tenant_mismatch", v2(MSA.toUpperCase(), ISSUER(MSA))],
]);
table("consumers", workforce("consumers"), [
  ...everywhere(MSA),
  ["R-075 an organisation", "tenant_mismatch", v2(GUID)],
  ["R-075 an organisation, version 1", "tenant_mismatch", v1(GUID)],
]);

/** A cloud's host for requests, its issuers' host of version 1, an alias. */
const CLOUDS: [string, string, string, string][] = [
  ["login.microsoftonline.com", "sts.windows.net", "login.windows.net", "microsoftonline.com"],
  ["login.microsoftonline.us", "sts.windows.net", "login.usgovcloudapi.net", "microsoftonline.us"],
  [
    "login.partner.microsoftonline.cn",
    "sts.chinacloudapi.cn",
    "login.chinacloudapi.cn",
    "partner.microsoftonline.cn",
  ],
];
for (const [host, sts, alias, cloudInstanceName] of CLOUDS) {
  for (
    const [at, tenant] of [[host, GUID], [host, "organizations"], [alias, GUID], [alias, "common"]] as const
  ) {
    const foreign = sts === "sts.windows.net" ? "sts.chinacloudapi.cn" : "sts.windows.net";
    const other = host.endsWith(".us") ? "login.microsoftonline.com" : "login.microsoftonline.us";
    table(`${at}/${tenant}`, workforce(tenant, at), [
      ["R-078 version 2", "accepted", v2(GUID, ISSUER(GUID, host))],
      ["R-078 version 1", "accepted", v1(GUID, STS(GUID, sts))],
      ["R-078 version 1 of another cloud", "issuer_mismatch", v1(GUID, STS(GUID, foreign))],
      ["R-078 version 1 on the host of version 2", "issuer_mismatch", v1(GUID, `https://${host}/${GUID}/`)],
      ["R-053 version 2 of another cloud", "issuer_mismatch", v2(GUID, ISSUER(GUID, other))],
      ["R-076 version 1, a key of version 2", "accepted", v1(GUID, STS(GUID, sts)), {
        issuer: ISSUER("{tenantid}", host),
        cloudInstanceName,
      }],
      ["R-076 version 1, a key of another cloud's issuer", "key_issuer_mismatch", v1(GUID, STS(GUID, sts)), {
        issuer: ISSUER("{tenantid}", other),
      }],
      ["R-077 version 1, a key of another cloud", "key_cloud_mismatch", v1(GUID, STS(GUID, sts)), {
        cloudInstanceName: other.replace("login.", ""),
      }],
    ]);
  }
}
