/**
 * Workload identity federation: ready-made functions for `{ clientAssertion }`, so that an application on somebody else's platform
 * proves who it is without a secret of its own.
 *
 * Each gets a JWT that the platform signs, keeps it until shortly before its end, shares it while it is being got, and gets another
 * one when Entra refuses it. In Entra, the app registration (or a managed identity) trusts the platform by a federated credential:
 * an issuer, a subject and an audience. All of them run on every runtime; what lies in files or in the environment is given by a
 * callback or a value, and `@msal-edge/msal/host` reads it on Deno, Bun and Node.
 *
 * The metadata services of Google Cloud and AWS are asked over plain http at link-local addresses that cannot be configured;
 * everything else is https.
 *
 * @example An application on Google Cloud Run, without a secret
 * ```ts
 * import { ConfidentialClientApplication } from "@msal-edge/msal";
 * import { googleCloudAssertion } from "@msal-edge/msal/client-assertions";
 *
 * const app = new ConfidentialClientApplication({
 *   clientId: "6731de76-14a6-49ae-97bc-6eba6914391e",
 *   authority: "https://login.microsoftonline.com/contoso.onmicrosoft.com",
 *   clientCredential: { clientAssertion: googleCloudAssertion() },
 * });
 *
 * const { accessToken } = await app.acquireTokenForClient({ scopes: ["https://graph.microsoft.com/.default"] });
 * console.log(accessToken.length);
 * ```
 *
 * @example A function on AWS Lambda, and a managed identity of Azure behind it in a list
 * ```ts
 * import { awsAssertion, managedIdentityAssertion } from "@msal-edge/msal/client-assertions";
 *
 * declare const env: Record<"AWS_REGION" | "AWS_ACCESS_KEY_ID" | "AWS_SECRET_ACCESS_KEY" | "AWS_SESSION_TOKEN", string>;
 * declare function tokenOfManagedIdentity(resource: string): Promise<string>;
 *
 * const aws = awsAssertion({
 *   region: env.AWS_REGION,
 *   credentials: () => ({
 *     accessKeyId: env.AWS_ACCESS_KEY_ID,
 *     secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
 *     sessionToken: env.AWS_SESSION_TOKEN,
 *   }),
 * });
 * const azure = managedIdentityAssertion(tokenOfManagedIdentity);
 * const clientCredential = [{ clientAssertion: aws }, { clientAssertion: azure }];
 * console.log(clientCredential.length);
 * ```
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/workload-id/workload-identity-federation | Workload identity federation}
 */
export type { ClientAssertionProvider, CredentialContext } from "../credential/client_credential.ts";
export type { Clock } from "../runtime/clock.ts";
export type { FetchFunction } from "../runtime/web_types.ts";
export { tokenExchangeAudienceOf } from "./audience.ts";
export { awsAssertion, type AwsAssertionOptions } from "./aws.ts";
export type { AwsCredentialsProvider, AwsCredentialsSource } from "./aws_credentials.ts";
export { githubActionsAssertion, type GithubActionsAssertionOptions } from "./github_actions.ts";
export { googleCloudAssertion, type GoogleCloudAssertionOptions } from "./google_cloud.ts";
export { kubernetesAssertion, type KubernetesAssertionOptions } from "./kubernetes.ts";
export { managedIdentityAssertion, type ManagedIdentityTokenProvider } from "./managed_identity.ts";
export type { AwsCredentials } from "./sigv4.ts";
export type { AssertionSourceOptions } from "./source_options.ts";
