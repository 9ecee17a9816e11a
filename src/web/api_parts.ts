/**
 * The parts of an API's guard, put together.
 *
 * @module
 */

import { isSharedTenant } from "../authority/tenant.ts";
import { openApplication } from "../client/client_application.ts";
import type { Engine } from "../client/engine.ts";
import { refuse } from "../errors/errors.ts";
import { allowInsecureLoopback } from "../net/endpoint.ts";
import { createEmit, type Emit } from "../runtime/events.ts";
import type { AccessTokenValidator } from "../validate/access_token_validator.ts";
import { accessTokenValidatorOf } from "../validate/app_validator.ts";
import { authorityOption } from "../validate/authority_option.ts";
import type { CallerTerms } from "./api_caller.ts";
import type { ConsentRequest, RefusalTerms } from "./api_refusal.ts";
import type { ApiAuthOptions } from "./options.ts";
import { type ResourceDocument, resourceDocument } from "./protected_resource.ts";

/** The parts of an API's guard. */
export interface ApiParts {
  /** Says whether a token is good enough. */
  readonly validator: AccessTokenValidator;
  /** What callers may have done on their behalf. */
  readonly callers: CallerTerms;
  /** What refusals say. */
  readonly refusals: RefusalTerms;
  /** What is published about the API. */
  readonly document: ResourceDocument | undefined;
  /** Answers preflights. */
  readonly preflight: NonNullable<ApiAuthOptions["preflight"]>;
  /** Everybody who listens. */
  readonly emit: Emit | undefined;
}

/** Opens the application; whatever is none has no parts. */
function engineOf({ app }: ApiAuthOptions): Engine | undefined {
  if (app === undefined) return undefined;
  try {
    if (typeof app.acquireTokenOnBehalfOf === "function") return openApplication(app).engine;
  } catch {
    // It is none.
  }
  return refuse("invalid_option", "app", "it must be a ConfidentialClientApplication");
}

/** Remembers for an error what was asked, until nobody has the error any more. */
function consentsOf(engine: Engine | undefined): {
  readonly onRefused: CallerTerms["onRefused"];
  readonly consentOf: RefusalTerms["consentOf"];
} {
  const asked = new WeakMap<object, ConsentRequest>();
  return {
    onRefused: (error, tenantId, scopes) => {
      if (engine === undefined) return;
      const { authority, clientId } = engine.configuration;
      let consentUri: string | undefined;
      if (authority.kind === "aad") {
        const url = new URL(`${engine.authorityOf(tenantId ?? authority.tenant)}/oauth2/v2.0/authorize`);
        const query = {
          client_id: clientId,
          response_type: "code",
          prompt: "consent",
          scope: scopes.join(" "),
        };
        for (const pair of Object.entries(query)) url.searchParams.set(...pair);
        consentUri = url.href;
      }
      asked.set(error, { consentUri, clientId, scopes });
    },
    consentOf: (error) => asked.get(error),
  };
}

/** Without a CORS handler, browsers of other sites are allowed nothing. */
function noCors(): Response {
  return new Response(null, { status: 204 });
}

/**
 * Checks the options and puts the parts together. Nothing is sent or read.
 *
 * @param given The options.
 * @returns The parts.
 * @throws {ClientConfigurationError} that names the option.
 */
export function makeApiParts(given: ApiAuthOptions): ApiParts {
  const options = Object(given) as ApiAuthOptions;
  const { app, protectedResource, fetch, onEvent, logger, preflight = noCors } = options;
  if (typeof preflight !== "function") refuse("invalid_option", "preflight", "it must be a function");
  const engine = engineOf(options);
  const validator = accessTokenValidatorOf(options);
  // One of both is there: the validator asks for it.
  const { kind, base, rules } = (authorityOption(options, options[allowInsecureLoopback] === true) ??
    engine?.configuration.authority)!;
  const found = kind === "aad" ? `${base}/v2.0` : rules?.documentUrl ?? base;
  const issuer = found.replace(/\/\.well-known\/openid-configuration$/, "");
  const document = protectedResource && resourceDocument(protectedResource, issuer);
  const { onRefused, consentOf } = consentsOf(engine);
  const supported = protectedResource?.scopesSupported ?? [];
  return {
    validator,
    document,
    preflight,
    emit: createEmit(onEvent, logger) ?? engine?.configuration.emit,
    callers: {
      app,
      onRefused,
      isShared: engine !== undefined && isSharedTenant(engine.configuration.authority.tenant),
      fetch: fetch ?? engine?.configuration.fetch,
    },
    refusals: {
      // In every shape of Microsoft's but ADFS.
      authorizationUri: issuer === `${base}/v2.0` ? `${base}/oauth2/v2.0/authorize` : undefined,
      resourceMetadata: document?.url,
      fullScope: (scope) => supported.find((full) => full.endsWith(`/${scope}`)) ?? scope,
      consentOf,
    },
  };
}
