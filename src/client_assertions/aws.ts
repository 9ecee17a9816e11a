/**
 * Assertions of Amazon Web Services.
 *
 * @module
 * @see {@link https://docs.aws.amazon.com/STS/latest/APIReference/API_GetWebIdentityToken.html | GetWebIdentityToken}
 */

import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { refuse } from "../errors/errors.ts";
import { ask, unusable } from "./ask.ts";
import { tokenExchangeAudienceOf } from "./audience.ts";
import { type AwsCredentialsSource, awsKeys } from "./aws_credentials.ts";
import { keptAssertion } from "./kept_assertion.ts";
import { signAws } from "./sigv4.ts";
import { type AssertionSourceOptions, readSource, requireAudience } from "./source_options.ts";

/** The options of {@linkcode awsAssertion}. */
export interface AwsAssertionOptions extends AssertionSourceOptions {
  /** The region whose token service is asked, such as `eu-central-1`: the global one has no such call. */
  readonly region: string;
  /** The `aud` of the assertion; that of the authority's cloud where absent. */
  readonly audience?: string | undefined;
  /**
   * The keys that the request is signed with.
   *
   * @default {"instance"}
   */
  readonly credentials?: AwsCredentialsSource | undefined;
}

/** The partitions of AWS that anybody can have an account in. */
function hostOf(region: unknown): string {
  if (typeof region !== "string" || !/^[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-\d{1,2}$/.test(region)) {
    refuse("invalid_option", "region", "give a region of AWS, such as eu-central-1");
  }
  const end = region.startsWith("cn-") ? "com.cn" : region.startsWith("eusc-") ? "eu" : "com";
  return `sts.${region}.amazonaws.${end}`;
}

/**
 * The identity of a role or a user of AWS, by outbound identity federation, which has to be enabled for the account. The issuer of
 * the federated credential in Entra is the account's own, and its subject the ARN. The role needs `sts:GetWebIdentityToken`.
 *
 * @param options The region, and where the keys come from.
 * @returns A function for `{ clientAssertion }`.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function awsAssertion(options: AwsAssertionOptions): ClientAssertionProvider {
  const settings = readSource(options);
  const { audience, region, credentials = "instance" } = Object(options) as AwsAssertionOptions;
  const host = hostOf(region);
  requireAudience(audience);
  const keys = awsKeys(credentials, settings);
  return keptAssertion({
    settings,
    requests: 4,
    keyOf: ({ authority }) => audience ?? tokenExchangeAudienceOf(authority),
    get: async (key, { correlationId }) => {
      const body = new URLSearchParams({
        Action: "GetWebIdentityToken",
        Version: "2011-06-15",
        "Audience.member.1": key,
        // The only algorithm of the two that Entra takes.
        SigningAlgorithm: "RS256",
      }).toString();
      const plain = { "content-type": "application/x-www-form-urlencoded; charset=utf-8" };
      const request = { method: "POST", host, headers: plain, body } as const;
      const found = await keys(correlationId);
      const headers = await signAws(request, { region, service: "sts" }, found, settings.clock.now());
      const url = `https://${host}/`;
      const { text } = await ask(settings, { url, method: "POST", headers, body, correlationId, codeOf });
      return /<WebIdentityToken>([^<]+)<\/WebIdentityToken>/.exec(text)?.[1] ??
        Promise.reject(unusable(url, "sent no token", correlationId));
    },
  });
}

/** AWS's own code, such as `AccessDenied` or `OutboundWebIdentityFederationDisabled`. */
function codeOf(text: string): string | undefined {
  return /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1];
}
