/**
 * Right after a sign-in the user's own browser carries their tokens, sealed, to isolates whose store does not show them yet.
 *
 * @module
 */

import type { UserKey } from "../cache/cached_user.ts";
import { ownerOf } from "../cache/user_entries.ts";
import { type ClientApplication, openApplication } from "../client/client_application.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Cookies } from "./cookies.ts";
import { SealedCookie } from "./sealed_cookie.ts";
import type { HeaderList } from "./sessions.ts";
import type { SessionUser } from "./user_auth.ts";

/** The name of the cookie. */
const CARRIED = "carried";
/** Twice what Workers KV takes to show what was written. */
const LIFE_SECONDS = 120;
/** A cookie from later than this is not believed: clocks differ. */
const CLOCK_SKEW_MS = 300_000;
/** Three cookies, sealed: servers take 16 KiB of headers. */
const MAX_BYTES = 8_600;

/** What the cookie holds. */
interface Carried {
  /** Whose it is. */
  readonly user: string;
  /** When it was written down, in epoch milliseconds. */
  readonly at: number;
  /** MSAL's JSON. */
  readonly partition: object;
}

/** Carries a user's part of the token cache, where its store is only eventually consistent. */
export class CarriedPartition {
  readonly #cookie: SealedCookie;
  readonly #clock: Clock;

  /**
   * Joins the parts.
   *
   * @param cookies The cookies of this site.
   * @param secret Seals the cookie.
   * @param clock The time.
   * @throws {ClientConfigurationError} `invalid_option` for a weak secret.
   */
  constructor(cookies: Cookies, secret: string | readonly string[], clock: Clock) {
    this.#cookie = new SealedCookie(cookies.hostOnly, secret, "carried partition");
    this.#clock = clock;
  }

  /**
   * What the answer to a sign-in has to carry.
   *
   * @param app The application that has just got the tokens.
   * @param user Who signed in.
   * @param request The request that is answered, to delete what it brought of an earlier sign-in.
   * @returns The headers; none where the store shows everybody at once what was written, and where it is too much.
   */
  async carry(
    app: ClientApplication,
    user: Pick<SessionUser, "homeAccountId">,
    request: Request = new Request("http://localhost"),
  ): Promise<HeaderList> {
    const { users, key } = placeOf(app, user);
    const text = users.carry?.(key, MAX_BYTES);
    if (text === undefined) return [];
    const carried: Carried = {
      user: user.homeAccountId,
      at: this.#clock.now(),
      partition: JSON.parse(text),
    };
    return await this.#cookie.write(request, CARRIED, carried, {
      maxAgeSeconds: LIFE_SECONDS,
      sameSite: "Lax",
    });
  }

  /**
   * Takes in what a request carries for its user, where memory does not know them.
   *
   * @param app The application.
   * @param request The request.
   * @param user Whose session it is: nobody else's is taken.
   * @param isNewer Whether memory knows the user, but in vain: then a newer sign-in, such as a step-up, is taken, too.
   * @returns Whether anything was taken; then the tokens can be asked for.
   */
  async adopt(
    app: ClientApplication,
    request: Request,
    user: Pick<SessionUser, "homeAccountId">,
    isNewer: boolean = false,
  ): Promise<boolean> {
    const { users, key } = placeOf(app, user);
    if (users.adopt === undefined || (!isNewer && users.user(ownerOf(key)) !== undefined)) return false;
    const found = await this.#cookie.open(
      request,
      CARRIED,
      (value) => this.#liveOf(value, user.homeAccountId),
    );
    if (found === undefined) return false;
    const { partition, at } = found.value;
    return await users.adopt(key, JSON.stringify(partition), at, isNewer);
  }

  /**
   * Deletes the cookie, at a sign-out.
   *
   * @param request The request that is answered.
   * @returns The headers; none where the request brought none.
   */
  clear(request: Request): HeaderList {
    return this.#cookie.isIn(request, CARRIED)
      ? this.#cookie.clear(request, CARRIED, { sameSite: "Lax" })
      : [];
  }

  #liveOf(value: unknown, user: string): Carried | undefined {
    const carried = Object(value) as Carried;
    const ageMs = this.#clock.now() - carried.at;
    const isLive = ageMs < LIFE_SECONDS * 1000 && ageMs > -CLOCK_SKEW_MS;
    return isLive && carried.user === user && Object(carried.partition) === carried.partition
      ? carried
      : undefined;
  }
}

function placeOf(app: ClientApplication, { homeAccountId }: Pick<SessionUser, "homeAccountId">) {
  const { cache: { users }, authority: { environment }, clientId } =
    openApplication(app).engine.configuration;
  const key: UserKey = { environment, clientId, homeAccountId };
  return { users, key };
}
