/**
 * Sign-in by authorization code and PKCE, from the URL to the tokens.
 *
 * @module
 */

import { isEntra } from "../authority/authority.ts";
import type { IssuerMetadata } from "../authority/provider_metadata.ts";
import { generatePkceCodes, hashNonce, randomToken } from "../crypto/pkce.ts";
import { ClientAuthError, refuse, requireObject } from "../errors/errors.ts";
import { type AuthCodeFlow, readAuthCodeFlow } from "../request/auth_code_flow.ts";
import {
  type AuthorizationRequest,
  checkAuthorizationRequest,
  type CheckedAuthorizationRequest,
  optionalMaxAge,
  optionalText,
} from "../request/authorization_request.ts";
import { type AuthorizationResponse, readAuthorizationResponse } from "../request/authorization_response.ts";
import { mergeClaims } from "../request/claims.ts";
import type {
  AuthCodeFlowRequest,
  AuthorizationCodeRequest,
  AuthorizationUrlRequest,
} from "../request/user_requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { untilAborted } from "../runtime/wait.ts";
import { checkAuthorizationResponse } from "../token/authorization_answer.ts";
import { readClientInfo } from "../token/entra_identity.ts";
import { ACQUIRE_TOKEN_BY_CODE } from "../token/telemetry.ts";
import { type Extras, extrasOf } from "./app_token_query.ts";
import { requireKeyOf } from "./bound_tokens.ts";
import { acquireBrought, type BroughtGrant } from "./brought_grant.ts";
import type { Engine } from "./engine.ts";
import { requireTokenRequest } from "./token_found.ts";
import { type SignInUrl, signInUrl } from "./pushed_authorization.ts";
import { UsedFlows } from "./used_flows.ts";
import type { UserErrand, UserGrants } from "./user_grants.ts";
import { anchorOf, tenantOf, userScopesOf } from "./user_query.ts";

/** How long a user may take; the sealed flow and the code live no longer. */
const FLOW_LIFETIME_SECONDS = 3_600;
type CodeErrand =
  & Pick<UserErrand, "tenant" | "scopes" | "claims" | "apiId" | "onSend">
  & Partial<Pick<UserErrand, "authScheme" | "sendCorrelationId">>
  & Extras;
/** A code, and what it was asked for with. */
type Code = Pick<
  AuthorizationCodeRequest,
  "code" | "codeVerifier" | "redirectUri" | "nonce" | "maxAge" | "clientInfo"
>;

/** Runs the code flows of one application. */
export class AuthCodeFlows {
  readonly #engine: Engine;
  readonly #grants: UserGrants;
  readonly #isPublic: boolean;
  readonly #used: UsedFlows;

  /**
   * Joins an application's parts.
   *
   * @param engine The parts.
   * @param grants Redeems codes.
   * @param isPublic Whether the client is public: its redirect URI may have a scheme of its own.
   */
  constructor(engine: Engine, grants: UserGrants, isPublic: boolean) {
    this.#engine = engine;
    this.#grants = grants;
    this.#isPublic = isPublic;
    this.#used = new UsedFlows(engine.configuration.clock);
  }

  /**
   * Begins a sign-in. Nothing is sent to one of Microsoft's; the discovery document of an `oidcAuthority` is read.
   *
   * @param request The request.
   * @returns The flow to keep until the answer comes.
   */
  async initiate(request: AuthorizationRequest): Promise<AuthCodeFlow> {
    const checked = this.#check(request);
    const { authority, clientCapabilities, clientId, clock, waitUntil } = this.#engine.configuration;
    const { tenantId, correlationId = crypto.randomUUID(), claims } = request;
    const tenant = tenantOf(authority, tenantId);
    const [state, nonce] = [randomToken(16), randomToken(16)];
    const { verifier: codeVerifier, challenge: codeChallenge } = await generatePkceCodes();
    const { redirectUri, scopes, maxAge, responseMode, appState, keyId } = checked;
    const merged = mergeClaims(claims, clientCapabilities);
    const authUri = await this.#url(checked, tenant, request, correlationId, {
      state,
      nonce: await hashNonce(nonce),
      codeChallenge,
      claims: merged,
    });
    // from the document that the URL came from; an authority whose URL follows is bound by that alone.
    const bound = authority.rules !== undefined && authority.rules.endpoints === undefined &&
      await this.#engine.metadata.issuer(tenant, correlationId, waitUntil);
    return {
      version: 1,
      ...authUri,
      state,
      nonce,
      codeVerifier,
      redirectUri,
      scopes,
      clientId,
      authority: this.#engine.authorityOf(tenant),
      ...(bound && { issuer: bound.issuer }),
      ...(merged !== undefined && { claims: merged }),
      ...(maxAge !== undefined && { maxAge }),
      ...(responseMode !== undefined && { responseMode }),
      ...(appState !== undefined && { appState }),
      ...(keyId !== undefined && { keyId }),
      correlationId,
      expiresAt: Math.floor(clock.now() / 1000) + FLOW_LIFETIME_SECONDS,
    };
  }

  /**
   * Makes the URL of a sign-in whose state, nonce and verifier the caller keeps.
   *
   * @param request The request.
   * @returns The URL.
   */
  async url(request: AuthorizationUrlRequest): Promise<string> {
    const checked = this.#check(request);
    const { authority, clientCapabilities } = this.#engine.configuration;
    const { tenantId, correlationId = crypto.randomUUID(), state, nonce, codeChallenge } = request;
    for (const [name, value] of Object.entries({ state, nonce, codeChallenge })) {
      if (typeof value !== "string" || !/^[\x21-\x7e]{16,1024}$/.test(value)) {
        refuse("invalid_request", name, "it must be a random text of 16 characters or more");
      }
    }
    const claims = mergeClaims(request.claims, clientCapabilities);
    const { authUri } = await this.#url(checked, tenantOf(authority, tenantId), request, correlationId, {
      state,
      nonce,
      codeChallenge,
      claims,
    });
    return authUri;
  }

  /**
   * Ends a sign-in: everything about the answer is checked before the code is spent.
   *
   * @param given The flow.
   * @param response The answer.
   * @param redemption What else the call takes.
   * @param apiId The number of the method, for telemetry.
   * @returns The tokens.
   */
  async redeemFlow(
    given: AuthCodeFlow,
    response: AuthorizationResponse,
    redemption: AuthCodeFlowRequest = {},
    apiId: string = ACQUIRE_TOKEN_BY_CODE,
  ): Promise<AuthenticationResult> {
    const flow = readAuthCodeFlow(given);
    const tenant = this.#requireOwn(flow);
    const { correlationId, scopes: asked, state } = flow;
    const { scopes: fewer = asked, ...own } = requireObject(redemption, "request");
    const request = { ...own, correlationId };
    requireTokenRequest(request);
    requireKeyOf(flow, request.authScheme);
    const extras = extrasOf(request);
    const scopes = Array.isArray(fewer) ? [...fewer] : fewer;
    if (!Array.isArray(scopes) || !scopes.every((scope) => asked.includes(scope))) {
      refuse("invalid_scopes", "scopes", "they must be some of the flow's");
    }
    const until = <T>(work: T | Promise<T>): Promise<T> =>
      untilAborted(Promise.resolve(work), request.signal, correlationId);
    const parameters = await until(readAuthorizationResponse(response, flow));
    const waitUntil = request.waitUntil ?? this.#engine.configuration.waitUntil;
    const issuer = async (): Promise<IssuerMetadata> => {
      const found = await until(this.#engine.metadata.issuer(tenant, correlationId, waitUntil));
      return flow.issuer === undefined || flow.issuer === found.issuer
        ? found
        : this.#engine.notOwn(correlationId);
    };
    const { code, clientInfo } = await checkAuthorizationResponse(parameters, {
      state,
      issuer,
      host: this.#engine.configuration.authority.environment,
      correlationId,
      secrets: [flow.nonce, flow.codeVerifier],
    }).catch((error) => {
      // what the authority answered ends the flow, too.
      if ("errorCodes" in error) this.#used.use(state, correlationId, flow.expiresAt * 1000);
      throw error;
    });
    const { claims, codeVerifier, redirectUri, maxAge } = flow;
    const nonce = await hashNonce(flow.nonce);
    const onSend = (): void => this.#used.use(state, correlationId, flow.expiresAt * 1000);
    // The flow's id is the library's own, or was sent when the flow began.
    const bound = { ...extras, authScheme: request.authScheme };
    const errand = { ...bound, tenant, scopes, claims, apiId, onSend, sendCorrelationId: false };
    return await this.#redeem(
      errand,
      { code, codeVerifier, redirectUri, nonce, maxAge, clientInfo },
      request,
    );
  }

  /**
   * Redeems a code whose state, nonce and verifier the caller kept.
   *
   * @param request The request.
   * @returns The tokens.
   */
  async redeemCode(request: AuthorizationCodeRequest): Promise<AuthenticationResult> {
    const { authority, clientCapabilities } = this.#engine.configuration;
    const { code, codeVerifier, redirectUri, scopes, tenantId, clientInfo } = request ?? {};
    for (const [name, value] of Object.entries({ code, codeVerifier, redirectUri })) {
      if (typeof value !== "string" || value === "") refuse("invalid_request", name, "it is missing");
    }
    const own = userScopesOf(this.#engine.configuration, scopes);
    requireTokenRequest(request);
    const errand = {
      ...extrasOf(request),
      tenant: tenantOf(authority, tenantId),
      scopes: [...own],
      claims: mergeClaims(request.claims, clientCapabilities),
      authScheme: request.authScheme,
      apiId: ACQUIRE_TOKEN_BY_CODE,
    };
    const nonce = optionalText("nonce", request.nonce);
    const maxAge = optionalMaxAge(request.maxAge);
    return await this.#redeem(
      errand,
      { code, codeVerifier, redirectUri, nonce, maxAge, clientInfo },
      request,
    );
  }

  #check(request: AuthorizationRequest): CheckedAuthorizationRequest {
    const { configuration } = this.#engine;
    const rules = { isEntra: isEntra(configuration.authority), isPublic: this.#isPublic };
    const checked = checkAuthorizationRequest(request, rules);
    requireTokenRequest(request);
    return { ...checked, scopes: userScopesOf(configuration, checked.scopes) };
  }

  #url(
    checked: CheckedAuthorizationRequest,
    tenant: string,
    { correlationId: own, signal }: AuthorizationRequest,
    correlationId: string,
    secrets: {
      readonly state: string;
      readonly nonce: string | undefined;
      readonly codeChallenge: string;
      readonly claims: string | undefined;
    },
  ): Promise<SignInUrl> {
    const { authority, clientId, excludeScopes } = this.#engine.configuration;
    const rules = { clientId, excludeScopes, isEntra: isEntra(authority) };
    const parameters = { ...checked, ...secrets, ...rules };
    const work = signInUrl(this.#engine, parameters, tenant, correlationId, own !== undefined);
    return untilAborted(work, signal, correlationId);
  }

  #requireOwn(flow: AuthCodeFlow): string {
    const tenant = this.#engine.tenantOfFlow(flow);
    if (flow.expiresAt * 1000 > this.#engine.configuration.clock.now()) return tenant;
    throw new ClientAuthError(
      "auth_flow_expired",
      "Cannot sign in: the flow has expired. Begin again",
      flow.correlationId,
    );
  }

  async #redeem(
    errand: CodeErrand,
    { code, codeVerifier, redirectUri, nonce, maxAge, clientInfo }: Code,
    request: Pick<AuthorizationCodeRequest, "signal" | "waitUntil" | "correlationId">,
  ): Promise<AuthenticationResult> {
    const home = isEntra(this.#engine.configuration.authority) ? readClientInfo(clientInfo) : undefined;
    const brought: BroughtGrant = {
      ...errand,
      grant: {
        grant_type: "authorization_code",
        code,
        redirect_uri: redirectUri,
        code_verifier: codeVerifier,
      },
      reason: "not_applicable",
      isOneTime: true,
      expected: { nonce, maxAgeSeconds: maxAge, code },
      anchorMailbox: home && anchorOf(`${home.uid}.${home.utid}`),
      requiresIdToken: true,
    };
    return await acquireBrought(this.#engine, this.#grants, brought, request);
  }
}
