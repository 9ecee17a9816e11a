/**
 * What the writers of a chaos run ask an application for.
 *
 * @module
 */
import {
  type AuthenticationResult,
  type ConfidentialClientApplication,
  isAuthError,
  type WaitUntil,
} from "../../mod.ts";
import type { Chance } from "./chaos_random.ts";
import {
  appScopeOf,
  guid,
  homeIdOf,
  type Operation,
  type Outcome,
  REDIRECT_URI,
  type Scene,
  scopeOf,
} from "./chaos_wire.ts";

/** What came of an operation, and what goes on after it. */
export interface Answer {
  readonly outcome: Outcome;
  /** Settles when everything that was given to `waitUntil` has. */
  readonly kept: Promise<unknown>;
}

/** Performs operations. */
export class Operations {
  readonly #app: ConfidentialClientApplication;
  readonly #scene: Scene;
  readonly #chance: Chance;

  constructor(app: ConfidentialClientApplication, scene: Scene, chance: Chance) {
    this.#app = app;
    this.#scene = scene;
    this.#chance = chance;
  }

  /** Performs an operation; never fails. */
  async perform(operation: Operation): Promise<Answer> {
    const kept: Promise<unknown>[] = [];
    // Most applications pass theirs; without one a call ends when everything is written.
    const waitUntil = this.#chance.happens(0.8)
      ? (promise: Promise<unknown>): void => void kept.push(promise.catch(() => {}))
      : undefined;
    const outcome = await this.#outcomeOf(operation, waitUntil);
    return { outcome, kept: all(kept) };
  }

  async #outcomeOf(operation: Operation, waitUntil: WaitUntil | undefined): Promise<Outcome> {
    try {
      const result = await this.#ask(operation, waitUntil);
      if (result === undefined) return {};
      const { accessToken: token, account, tokenSource: source, expiresOn } = result;
      return {
        token,
        source,
        expiresAtMs: expiresOn.getTime(),
        ...(account && { account: account.homeAccountId }),
      };
    } catch (error) {
      return { error: isAuthError(error) ? error.code : `no AuthError: ${error}` };
    }
  }

  async #ask(
    operation: Operation,
    waitUntil: WaitUntil | undefined,
  ): Promise<AuthenticationResult | undefined> {
    const app = this.#app;
    const { kind } = operation;
    const given = { waitUntil };
    if (kind === "restart") return undefined;
    if (kind === "client") {
      const { tenant, scope } = operation;
      const tenantId = this.#scene.issuer === "reusable" ? { tenantId: guid(tenant + 1_000) } : {};
      return await app.acquireTokenForClient({ ...given, ...tenantId, scopes: [appScopeOf(scope)] });
    }
    const account = homeIdOf(this.#scene, operation.user);
    if (kind === "remove") return await app.removeAccount(account).then(() => undefined);
    const scopes = [scopeOf(this.#scene, operation.scope)];
    if (kind === "silent") {
      return await app.acquireTokenSilent({ ...given, account, scopes, forceRefresh: operation.forced });
    }
    if (kind === "bring") {
      return await app.acquireTokenByRefreshToken({ ...given, scopes, refreshToken: operation.refreshToken });
    }
    const flow = await app.initiateAuthCodeFlow({ scopes, redirectUri: REDIRECT_URI });
    const callback = new URL(flow.redirectUri);
    const code = `${operation.user} ${new URL(flow.authUri).searchParams.get("nonce")}`;
    callback.search = new URLSearchParams({ code, state: flow.state }).toString();
    return await app.acquireTokenByAuthCodeFlow(flow, callback, given);
  }
}

/** Waits for promises, and for those that come meanwhile. */
async function all(promises: readonly Promise<unknown>[]): Promise<void> {
  for (let count = -1; count < promises.length;) {
    count = promises.length;
    await Promise.all(promises);
  }
}
