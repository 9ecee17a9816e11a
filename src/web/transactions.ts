/**
 * Sign-ins under way, each in a sealed cookie of its own, so that tabs do not disturb each other.
 *
 * @module
 */

import { sha256 } from "../crypto/digest.ts";
import { isAuthError } from "../errors/auth_error.ts";
import { type AuthCodeFlow, readAuthCodeFlow } from "../request/auth_code_flow.ts";
import type { CookieAttributes, Cookies } from "./cookies.ts";
import { SealedCookie } from "./sealed_cookie.ts";
import type { HeaderList, SessionMark } from "./sessions.ts";

/** A sign-in under way. Nothing of it is in a URL. */
export interface Transaction {
  /** What the answer is held against. */
  readonly flow: AuthCodeFlow;
  /** Where to come back to. */
  readonly returnTo: string;
  /** When the rounds of this browser began, for the loop guard. */
  readonly rounds: readonly number[];
  /** What a step-up is for, where it is one. */
  readonly step?: string | undefined;
  /** The sessions to end, where the answer will not bring their cookie: it comes from another site. */
  readonly marks?: readonly SessionMark[] | undefined;
}

/** So many may be under way in one browser: their cookies must not fill up its requests. */
const MAX_TRANSACTIONS = 5;
/** Nor may long ones: some servers take 16 KiB of headers, and anybody can begin sign-ins with long paths. */
const MAX_CHARS = 8_192;
const SECONDS = 3_600;
const BEGINNING = "flow.";

/** The name tells when it began, so that the oldest can go, and which `state` it is for. */
async function suffixOf(state: string): Promise<string> {
  return `.${(await sha256(state)).slice(0, 22)}`;
}

function transactionOf(value: unknown): Transaction | undefined {
  const { flow, returnTo, rounds, step, marks } = Object(value) as Partial<Transaction>;
  const fits = typeof returnTo === "string" && Array.isArray(rounds) && rounds.every(Number.isFinite);
  if (!fits || (step !== undefined && typeof step !== "string")) return undefined;
  try {
    return { flow: readAuthCodeFlow(flow), returnTo, rounds, step, marks };
  } catch (error) {
    if (isAuthError(error)) return undefined;
    throw error;
  }
}

/** Keeps sign-ins in the browser. */
export class Transactions {
  readonly #cookies: Cookies;
  readonly #sealed: SealedCookie;
  readonly #attributes: CookieAttributes;

  /**
   * Takes what cookies are made of.
   *
   * @param cookies The cookies.
   * @param secret Seals them.
   * @param crossSite Whether answers are posted from another site: then the cookie has to come along.
   */
  constructor(cookies: Cookies, secret: string | readonly string[], crossSite: boolean) {
    // Never for a whole domain: a sibling site must not see one, nor set it.
    this.#cookies = cookies.hostOnly;
    this.#sealed = new SealedCookie(this.#cookies, secret, "sign-in");
    this.#attributes = { sameSite: crossSite ? "None" : "Lax" };
  }

  /**
   * Keeps a sign-in, and forgets the oldest where there are too many.
   *
   * @param request The request that began it.
   * @param transaction The sign-in.
   * @param nowSeconds The time.
   * @returns The headers.
   */
  async keep(request: Request, transaction: Transaction, nowSeconds: number): Promise<HeaderList> {
    const { flow } = transaction;
    const name = `${BEGINNING}${Math.floor(nowSeconds).toString(36)}${await suffixOf(flow.state)}`;
    const value = { ...transaction, flow: { ...flow, authUri: "" } };
    const written = await this.#sealed.write(request, name, value, {
      ...this.#attributes,
      maxAgeSeconds: SECONDS,
    });
    let chars = written.reduce((sum, [, line]) => sum + line.length, 0);
    // Those of the newest that there is room for stay.
    const newest = this.#names(request).sort().reverse();
    const kept = newest.findIndex((one, i) =>
      i + 2 > MAX_TRANSACTIONS || (chars += this.#charsOf(request, one)) > MAX_CHARS
    );
    const oldest = kept < 0 ? [] : newest.slice(kept);
    return [...oldest.flatMap((one) => this.#sealed.clear(request, one, this.#attributes)), ...written];
  }

  /**
   * Finds the sign-in that an answer names. It is good once: the headers forget it, whatever comes of it.
   *
   * @param request The request that brought the answer.
   * @param state The answer's `state`.
   * @returns The sign-in, where there is one, and the headers.
   */
  async take(
    request: Request,
    state: string,
  ): Promise<{ readonly transaction: Transaction | undefined; readonly headers: HeaderList }> {
    const suffix = await suffixOf(state);
    const headers: (readonly [string, string])[] = [];
    let transaction: Transaction | undefined;
    for (const name of this.#names(request).filter((one) => one.endsWith(suffix))) {
      transaction ??= (await this.#sealed.open(request, name, transactionOf))?.value;
      headers.push(...this.#sealed.clear(request, name, this.#attributes));
    }
    // Under another sign-in's name.
    return { transaction: transaction?.flow.state === state ? transaction : undefined, headers };
  }

  /** How long a sign-in is, its parts together. */
  #charsOf(request: Request, name: string): number {
    const parts = this.#cookies.namesBeginning(request, name).flatMap((one) =>
      this.#cookies.all(request, one)
    );
    return parts.reduce((sum, value) => sum + value.length, 0);
  }

  /** The names of the sign-ins that a request brought, those in parts once. */
  #names(request: Request): string[] {
    const names = this.#cookies.namesBeginning(request, BEGINNING).map((name) =>
      name.replace(/\.[0-7]$/, "")
    );
    return [...new Set(names)].filter((name) => /^flow\.[\da-z]{1,9}\.[\w-]{22}$/.test(name));
  }
}
