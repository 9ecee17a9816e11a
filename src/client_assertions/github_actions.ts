/**
 * Assertions of a GitHub Actions job.
 *
 * @module
 * @see {@link https://docs.github.com/en/actions/reference/security/oidc | OpenID Connect in GitHub Actions}
 */

import type { ClientAssertionProvider } from "../credential/client_credential.ts";
import { refuse } from "../errors/errors.ts";
import { endpointFault } from "../net/endpoint.ts";
import { ask, membersOf, unusable } from "./ask.ts";
import { tokenExchangeAudienceOf } from "./audience.ts";
import { keptAssertion } from "./kept_assertion.ts";
import { type AssertionSourceOptions, readSource, requireAudience } from "./source_options.ts";

/** The options of {@linkcode githubActionsAssertion}. */
export interface GithubActionsAssertionOptions extends AssertionSourceOptions {
  /** The variable `ACTIONS_ID_TOKEN_REQUEST_URL`. */
  readonly requestUrl: string;
  /** The variable `ACTIONS_ID_TOKEN_REQUEST_TOKEN`. */
  readonly requestToken: string;
  /** The `aud` of the assertion; that of the authority's cloud where absent. */
  readonly audience?: string | undefined;
}

function requireRequest({ requestUrl, requestToken }: GithubActionsAssertionOptions): void {
  const help = "set permissions: id-token: write for the job";
  if (typeof requestUrl !== "string" || !URL.canParse(requestUrl)) {
    refuse("invalid_option", "requestUrl", `give ACTIONS_ID_TOKEN_REQUEST_URL; ${help}`);
  }
  const fault = endpointFault(new URL(requestUrl), false);
  if (fault !== undefined) refuse("invalid_option", "requestUrl", fault);
  if (typeof requestToken !== "string" || !/^[\x21-\x7e]+$/.test(requestToken)) {
    refuse("invalid_option", "requestToken", `give ACTIONS_ID_TOKEN_REQUEST_TOKEN; ${help}`);
  }
}

/**
 * The OpenID Connect token of a GitHub Actions job, whose workflow has `permissions: id-token: write`. `githubActions()` of
 * `@msal-edge/msal/host` does this from the environment.
 *
 * @param options The job's variables.
 * @returns A function for `{ clientAssertion }`.
 * @throws {ClientConfigurationError} `invalid_option`.
 */
export function githubActionsAssertion(options: GithubActionsAssertionOptions): ClientAssertionProvider {
  const settings = readSource(options);
  requireRequest(Object(options) as GithubActionsAssertionOptions);
  const { audience, requestToken, requestUrl } = options;
  requireAudience(audience);
  return keptAssertion({
    settings,
    requests: 1,
    keyOf: ({ authority }) => audience ?? tokenExchangeAudienceOf(authority),
    get: async (key, { correlationId }) => {
      const url = new URL(requestUrl);
      url.searchParams.set("audience", key);
      const headers = { accept: "application/json", authorization: `Bearer ${requestToken}` };
      const { text } = await ask(settings, { url: url.href, headers, correlationId });
      return membersOf(text).value ?? Promise.reject(unusable(url.href, "sent no token", correlationId));
    },
  });
}
