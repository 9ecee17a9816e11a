/**
 * Exchanges a token for another one, RFC 8693.
 *
 * @module
 */

import type { ClientApplication } from "../client/client_application.ts";
import { refuse } from "../errors/errors.ts";
import { decodeJsonPart } from "../jwt/compact.ts";
import { type ExtraParameters, requireExtraParameters } from "../request/extra_parameters.ts";
import { joinScopes, requireScopeTokens, splitScopes } from "../request/scopes.ts";
import type { Parse } from "../token/token_endpoint.ts";
import { operate, type OperationRequest, requireToken } from "./operation.ts";

/** What kind of token it is, RFC 8693 section 3: one of {@linkcode TOKEN_TYPES}, or a URI of the authority's own. */
export type TokenTypeUri = string;

/** What {@linkcode exchangeToken} takes. */
export interface ExchangeTokenRequest extends OperationRequest {
  /** The token of whoever is acted for. */
  readonly subjectToken: string;
  /** What kind of token that is. */
  readonly subjectTokenType: TokenTypeUri;
  /** The token of whoever acts, where that is not the application itself. */
  readonly actorToken?: string | undefined;
  /** What kind of token that is; goes with `actorToken`. */
  readonly actorTokenType?: TokenTypeUri | undefined;
  /** What kind of token to get; the authority decides where absent. Another kind than this is refused. */
  readonly requestedTokenType?: TokenTypeUri | undefined;
  /** The name of the service that the new token is for, or several. */
  readonly audience?: string | readonly string[] | undefined;
  /** The URI of the service that the new token is for, RFC 8707, or several. */
  readonly resource?: string | URL | readonly (string | URL)[] | undefined;
  /** What the new token may do. */
  readonly scopes?: readonly string[] | undefined;
  /** Added to the form. Reserved names are refused. */
  readonly extraBodyParameters?: ExtraParameters | undefined;
}

/** A token that was exchanged for another one. */
export interface ExchangedToken {
  /** The token, of whatever kind `issuedTokenType` says. */
  readonly accessToken: string;
  /** What kind of token it is. */
  readonly issuedTokenType: TokenTypeUri;
  /** `N_A` for what is no access token. */
  readonly tokenType: "Bearer" | "N_A";
  /** When it ends, if the authority says so. */
  readonly expiresOn?: Date;
  /** What it may do: what was asked for where the authority does not say. */
  readonly scopes: readonly string[];
  /** The call's correlation id. */
  readonly correlationId: string;
}

const TYPE = "urn:ietf:params:oauth:token-type:";

/** The kinds of tokens that RFC 8693 section 3 names. */
export const TOKEN_TYPES: Readonly<
  Record<"accessToken" | "refreshToken" | "idToken" | "saml1" | "saml2" | "jwt", TokenTypeUri>
> = {
  accessToken: `${TYPE}access_token`,
  refreshToken: `${TYPE}refresh_token`,
  idToken: `${TYPE}id_token`,
  saml1: `${TYPE}saml1`,
  saml2: `${TYPE}saml2`,
  jwt: `${TYPE}jwt`,
};

const INSTEAD = "Microsoft has no token exchange: acquireTokenOnBehalfOf does that";
const OWN = /^(?:(?:subject|actor)_token.*|audience|resource)$/i;
/** No date is later. */
const MAX_SECONDS = 2 ** 33;

type Members = readonly (readonly [string, string | undefined])[];

function typeOf(option: string, value: unknown): string {
  if (typeof value === "string" && /^[a-z][a-z\d+.-]*:[\x21-\x7e]+$/i.test(value)) return value;
  refuse("invalid_request", option, "it must be a URI, such as TOKEN_TYPES.accessToken");
}

function listOf(value: unknown): readonly unknown[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

function resourcesOf(value: unknown): string[] {
  return listOf(value).map((one) => {
    const text = (one as Partial<URL> | null)?.href ?? one;
    if (typeof text === "string" && URL.canParse(text) && !text.includes("#")) return text;
    // RFC 8707 section 2.
    refuse("invalid_request", "resource", "it must be an absolute URI without a fragment");
  });
}

function audiencesOf(value: unknown): string[] {
  return listOf(value).map((one) =>
    typeof one === "string" && one !== "" ? one : refuse("invalid_request", "audience", "it must be a text")
  );
}

function extrasOf(parameters: unknown): Members {
  const pairs = requireExtraParameters(parameters, "extraBodyParameters");
  const own = pairs.find(([name]) => OWN.test(name));
  if (own === undefined) return pairs;
  refuse("reserved_parameter", "extraBodyParameters", `${own[0]} is set by the library, from its own option`);
}

function actorOf({ actorToken, actorTokenType }: ExchangeTokenRequest): Members {
  if (actorToken === undefined && actorTokenType === undefined) return [];
  return [
    ["actor_token", requireToken(actorToken, "actorToken")],
    ["actor_token_type", typeOf("actorTokenType", actorTokenType)],
  ];
}

/** An origin as it was meant: `URL` writes it with a slash. */
function bare(audience: unknown): unknown {
  return typeof audience === "string" ? audience.replace(/^(https?:\/\/[^/]+)\/$/, "$1") : audience;
}

/** whether a token that can be read is for somebody else than asked for. */
function isForOthers(token: string, asked: readonly string[]): boolean {
  const [, payload = "", signature] = token.split(".", 4);
  const { aud } = (signature === undefined ? undefined : decodeJsonPart(payload)) ?? {};
  const meant = asked.map(bare);
  return asked.length > 0 && aud !== undefined && !listOf(aud).some((one) => meant.includes(bare(one)));
}

type Issued = Omit<ExchangedToken, "correlationId">;

/** Section 2.2.1. */
function parserOf(
  asked: readonly string[],
  scopes: readonly string[],
  wanted: string | undefined,
): Parse<Issued> {
  return (json, requestedAtSeconds) => {
    const { access_token: token, issued_token_type: issued, token_type: type, scope, expires_in: lifetime } =
      json;
    if (typeof token !== "string" || token === "") return "access_token is missing";
    if (typeof issued !== "string" || issued === "") return "issued_token_type is missing";
    if (wanted !== undefined && issued !== wanted) return "issued_token_type is not what was asked for";
    const tokenType = (["Bearer", "N_A"] as const).find((one) =>
      one.toLowerCase() === `${type}`.toLowerCase()
    );
    if (tokenType === undefined || typeof type !== "string") return "token_type is not Bearer or N_A";
    if (tokenType === "N_A" && issued === TOKEN_TYPES.accessToken) return "token_type is N_A";
    if (isForOthers(token, asked)) return "the token is for another audience";
    const seconds = typeof lifetime === "string" && /^\d+$/.test(lifetime) ? Number(lifetime) : lifetime;
    const ends = typeof seconds === "number" && seconds >= 0 && seconds < MAX_SECONDS;
    return {
      accessToken: token,
      issuedTokenType: issued,
      tokenType,
      ...(ends && { expiresOn: new Date(1_000 * (requestedAtSeconds + seconds)) }),
      scopes: typeof scope === "string" && scope.trim() !== "" ? splitScopes(scope) : scopes,
    };
  };
}

/**
 * Exchanges a token for another one. Nothing is kept in a cache, and a refresh token that comes along is dropped: exchange again.
 *
 * @param app The application that acts.
 * @param request The token, and what to get for it.
 * @returns The new token.
 * @throws {ClientConfigurationError} where the request is wrong.
 * @throws {ClientAuthError} `endpoints_resolution_error` at Microsoft's authorities, which have `acquireTokenOnBehalfOf` for that.
 * @throws {ServerError} where the authority refuses, or `invalid_response` for a token of another kind or audience than asked for.
 * @throws {NetworkError} where it cannot be reached.
 * @see {@link https://www.rfc-editor.org/rfc/rfc8693#section-2 | RFC 8693 section 2}
 */
export function exchangeToken(
  app: ClientApplication,
  request: ExchangeTokenRequest,
): Promise<ExchangedToken> {
  return operate(app, request, INSTEAD, async ({ engine, send, correlationId }) => {
    const { scopes: given = [], requestedTokenType } = request;
    requireScopeTokens(given, "scopes", []);
    const scopes = [...given];
    const wanted = requestedTokenType === undefined
      ? undefined
      : typeOf("requestedTokenType", requestedTokenType);
    const [resources, audiences] = [resourcesOf(request.resource), audiencesOf(request.audience)];
    const form: Members = [
      ["grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"],
      ["subject_token", requireToken(request.subjectToken, "subjectToken")],
      ["subject_token_type", typeOf("subjectTokenType", request.subjectTokenType)],
      ...actorOf(request),
      ["requested_token_type", wanted],
      ...resources.map((one) => ["resource", one] as const),
      ...audiences.map((one) => ["audience", one] as const),
      ["scope", joinScopes(scopes) || undefined],
      ...extrasOf(request.extraBodyParameters),
    ];
    const issued = await send("token", form, parserOf([...resources, ...audiences], scopes, wanted));
    const { emit, authority: { tenant: tenantId } } = engine.configuration;
    emit?.({
      type: "token_acquired",
      tokenSource: "identity_provider",
      refreshReason: "not_applicable",
      tenantId,
      scopes,
      correlationId,
    });
    return { ...issued, correlationId };
  });
}
