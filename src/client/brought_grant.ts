/**
 * Redeems what a caller brought: a code, a device's code, the refresh token of another library.
 *
 * @module
 */

import type { TokenRequest } from "../request/requests.ts";
import type { AuthenticationResult } from "../result/authentication_result.ts";
import { untilAborted } from "../runtime/wait.ts";
import type { Engine } from "./engine.ts";
import { handOut, type TokenFound } from "./token_found.ts";
import type { UserErrand, UserGrants } from "./user_grants.ts";

/** What was brought; what it leaves open follows from the request. */
export type BroughtGrant =
  & Omit<
    UserErrand,
    "realm" | "sendsScopes" | "ext" | "correlationId" | "sendCorrelationId" | "asked" | "waitUntil"
  >
  & Partial<Pick<UserErrand, "sendsScopes" | "ext" | "sendCorrelationId">>;

/**
 * Redeems it.
 *
 * @param engine The application's parts.
 * @param grants Redeems grants.
 * @param brought What was brought.
 * @param request The caller's wishes.
 * @returns The token.
 */
export function redeemBrought(
  engine: Engine,
  grants: UserGrants,
  brought: BroughtGrant,
  { correlationId, waitUntil }: Pick<TokenRequest, "correlationId" | "waitUntil">,
): Promise<TokenFound> {
  const { cache, waitUntil: own } = engine.configuration;
  return grants.redeem({
    realm: brought.tenant,
    sendsScopes: true,
    ext: "",
    correlationId: correlationId ?? crypto.randomUUID(),
    sendCorrelationId: correlationId !== undefined,
    asked: cache.users.removals,
    waitUntil: waitUntil ?? own,
    ...brought,
  });
}

/**
 * Redeems it and hands the token out, unless the caller's signal comes first.
 *
 * @param engine The application's parts.
 * @param grants Redeems grants.
 * @param brought What was brought.
 * @param request The caller's wishes.
 * @returns The result.
 */
export async function acquireBrought(
  engine: Engine,
  grants: UserGrants,
  brought: BroughtGrant,
  request: Pick<TokenRequest, "correlationId" | "signal" | "waitUntil">,
): Promise<AuthenticationResult> {
  const { clock } = engine.configuration;
  const { correlationId, signal } = request;
  const { reason, scopes } = brought;
  const nowMs = clock.now();
  const work = redeemBrought(engine, grants, brought, request);
  const found = await untilAborted(work, signal, correlationId);
  return handOut(engine, found, { scopes, correlationId }, reason, clock.now() - nowMs);
}
