/**
 * The answer of the token endpoint for a user.
 *
 * @module
 * @see {@link https://learn.microsoft.com/en-us/entra/identity-platform/v2-oauth2-auth-code-flow#successful-response-2 | Successful response}
 */
import { asksForIdClaim, capabilitiesOf, contextsOf, policiesOf } from "./claims_request.ts";
import { clientInfoOf } from "./client_info.ts";
import { GRAPH_APP_ID } from "./clouds.ts";
import type { App, Resource, Tenant } from "./declared.ts";
import { EntraError } from "./entra_error.ts";
import type { Exchange } from "./exchange.ts";
import type { UserGrant } from "./grant_store.ts";
import { signIdToken } from "./id_token.ts";
import { guidFor } from "./guid.ts";
import { ID_TOKEN_LIFETIME_SECONDS, lifetimesOf } from "./lifetimes.ts";
import { namesMeant, onlyResource, readScopes, type ResourceScopes } from "./requested_scopes.ts";
import { boundClaims } from "./token_binding.ts";
import type { Json } from "./token_parts.ts";
import { signUserToken } from "./user_token.ts";

/** What an answer is made of. */
export interface UserAnswer {
  readonly grant: UserGrant;
  /** The client that asks; not that of the grant if it is of the same family. */
  readonly client: App;
  readonly tenant: Tenant;
  readonly claims: Json;
  readonly nonce: string | undefined;
  readonly clientInfo: boolean;
  readonly oidc: readonly string[];
  readonly target: ResourceScopes;
  /** Whether there is an access token at all: Azure AD B2C gives none unless it is asked for one. */
  readonly forApi: boolean;
  /** The delegated permissions that are granted. */
  readonly names: readonly string[];
  /** The authentication contexts that the user has satisfied. */
  readonly contexts: readonly string[];
}

/** What a grant asks to have answered. */
export type AnswerQuestion = Pick<
  UserAnswer,
  "grant" | "client" | "tenant" | "claims" | "nonce" | "clientInfo"
>;

const GUIDANCE =
  "Due to a configuration change made by your administrator, or because you moved to a new location, " +
  "you must";

/** Refuses for want of multi-factor authentication, with the claims that a sign-in has to ask for. */
function mfaRequired({ grant }: AnswerQuestion, resource: Resource, wanted: Json): EntraError {
  const details = { suberror: "basic_action", claims: JSON.stringify({ access_token: wanted }) };
  const [code, what] = grant.user.mfa
    ? [50076, "use multi-factor authentication"]
    : [50079, "enroll in multi-factor authentication"];
  const text = `${GUIDANCE} ${what} to access '${resource.appId}'.`;
  return new EntraError(400, "interaction_required", code, text, details);
}

/** Refuses when a policy or an essential authentication context needs more than this sign-in had. */
function satisfiedContexts(question: AnswerQuestion, resource: Resource): readonly string[] {
  const { grant, claims } = question;
  if (grant.mfa) return [...new Set([...grant.contexts, ...contextsOf(claims)])];
  const values = [...policiesOf(claims), ...(resource.requiresMfa ? [guidFor(resource.appId)] : [])];
  if (values.length > 0) throw mfaRequired(question, resource, { capolids: { essential: true, values } });
  const essential = contextsOf(claims, { essential: true });
  const [value, ...more] = essential.filter((context) => !grant.contexts.includes(context));
  if (value === undefined) return grant.contexts;
  const wanted = more.length > 0 ? { values: [value, ...more] } : { value };
  throw mfaRequired(question, resource, { acrs: { essential: true, ...wanted } });
}

/** Checks all that can be refused, before anything is used up. Throws AADSTS28000, 65001, 50076 and the like. */
export function plannedAnswer(
  exchange: Exchange,
  question: AnswerQuestion,
  scopes: readonly string[],
): UserAnswer {
  const { directory, consents } = exchange.services;
  const { client, grant } = question;
  const { dialect } = exchange.route.shape ?? {};
  const requested = readScopes(directory, client, scopes, dialect);
  const target = onlyResource(directory, client, requested, dialect);
  if (consents.missing(client, grant.user, { oidc: [], resources: requested.resources }).length > 0) {
    const text =
      `The user or administrator has not consented to use the application with ID '${client.clientId}' ` +
      `named '${client.name}'. Send an interactive authorization request for this user and resource.`;
    throw new EntraError(400, "invalid_grant", 65001, text, { suberror: "consent_required" });
  }
  const contexts = satisfiedContexts(question, target.resource);
  return {
    ...question,
    oidc: requested.oidc,
    target,
    forApi: requested.resources.length > 0 || !dialect?.ownResource,
    names: namesMeant(directory, client, target),
    contexts,
  };
}

/** Microsoft Graph is an OpenID provider's UserInfo endpoint too, so its tokens carry those scopes. */
function permissionsOf({ oidc, names, target }: UserAnswer): readonly string[] {
  const visible = oidc.filter((scope) => scope !== "offline_access");
  const isUserInfo = [GRAPH_APP_ID, "urn:microsoft:userinfo"].includes(target.resource.appId);
  return isUserInfo ? [...visible, ...names] : names;
}

/** The scopes as the client wrote them; `/.default` is answered with what it stands for, and itself. */
function scopeOf({ oidc, names, target }: UserAnswer): string {
  const asked = target.names.includes(".default") ? [...names, ".default"] : names;
  const visible = oidc.filter((scope) => scope !== "offline_access");
  return [...visible, ...asked.map((name) => `${target.prefix}${name}`)].join(" ");
}

async function accessTokenOf(exchange: Exchange, answer: UserAnswer): Promise<string> {
  const { services, issuerOrigin } = exchange;
  const { tenant, client, grant, target, contexts, claims } = answer;
  const capabilities = capabilitiesOf(claims);
  const { dialect } = exchange.route.shape ?? {};
  return await signUserToken({
    dialect,
    tenant,
    app: client,
    user: grant.user,
    resource: target.resource,
    audience: target.audience,
    scopes: permissionsOf(answer),
    signedIn: grant,
    contexts,
    issuerOrigin,
    nowMs: services.clock.now(),
    lifetimeSeconds: services.tokenLifetimeSeconds,
    validFromSeconds: services.revocations.validFromSeconds(grant.user),
    extraClaims: dialect ? {} : {
      ...(capabilities.length > 0 ? { xms_cc: capabilities } : {}),
      ...boundClaims(exchange, target.resource),
    },
  }, await services.keys.current());
}

async function idTokenOf(
  exchange: Exchange,
  answer: UserAnswer,
  accessToken: string,
): Promise<Record<string, string>> {
  if (!answer.oidc.includes("openid")) return {};
  const { services, issuerOrigin } = exchange;
  const forgery = exchange.takeIdTokenFault();
  if (forgery?.omit) return {};
  const { grant, client, tenant, claims, nonce, contexts, oidc } = answer;
  const { dialect } = exchange.route.shape ?? {};
  const token = await signIdToken(
    {
      dialect,
      tenant,
      app: client,
      user: grant.user,
      scopes: oidc,
      nonce,
      authTimeSeconds: grant.wantsAuthTime || dialect ? grant.authTimeSeconds : undefined,
      contexts: asksForIdClaim(claims, "acrs") ? contexts : [],
      sid: client.optionalClaims.includes("sid") ? grant.sid : undefined,
      loginHint: client.optionalClaims.includes("login_hint") || asksForIdClaim(claims, "login_hint"),
      accessToken,
      issuerOrigin,
      nowMs: services.clock.now(),
      lifetimeSeconds: ID_TOKEN_LIFETIME_SECONDS,
    },
    await services.keys.current(),
    forgery,
  );
  return { id_token: token };
}

/** Signs the tokens and writes the answer. */
export async function writtenAnswer(
  exchange: Exchange,
  answer: UserAnswer,
  refreshToken: string | undefined,
): Promise<Record<string, unknown>> {
  const { grant, client } = answer;
  const access_token = await accessTokenOf(exchange, answer);
  return {
    token_type: exchange.binding.tokenType,
    scope: scopeOf(answer),
    ...lifetimesOf(exchange.services),
    access_token,
    ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
    ...(refreshToken !== undefined && client.familyId ? { foci: client.familyId } : {}),
    ...await idTokenOf(exchange, answer, access_token),
    ...(answer.clientInfo ? { client_info: clientInfoOf(grant.user) } : {}),
    ...shapedMembers(exchange, answer),
  };
}

/** What a shape writes over the members of Entra ID. */
function shapedMembers({ route, services }: Exchange, answer: UserAnswer): Json {
  const { grant, client, target, forApi, clientInfo } = answer;
  const own = route.shape?.dialect?.ownResource && forApi && target.names.length === 0;
  return route.shape?.dialect?.userAnswer({
    grant,
    clientInfo,
    audience: forApi ? target.audience : undefined,
    scopes: [...(own ? [client.clientId] : []), ...scopeOf(answer).split(" ").filter((name) => name !== "")],
    nowSeconds: Math.floor(services.clock.now() / 1000),
  }, services.tokenLifetimeSeconds) ?? {};
}
