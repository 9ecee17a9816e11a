/**
 * Addresses that begin a sign-in for something: what it asks for is sealed in them, so that nobody else can say it, or read it.
 *
 * @module
 */

import type { Sealer } from "../crypto/seal.ts";
import type { SignInRequest } from "./user_auth.ts";

/** A sign-in for something. */
export interface Step {
  /** What to ask the authority for. */
  readonly ask: Omit<SignInRequest, "returnTo">;
  /** Where to come back to. */
  readonly returnTo: string;
  /** What a step-up is for: it must not fail twice. */
  readonly mark?: string | undefined;
}

interface Sealed extends Step {
  /** Whose session it was made in; empty for nobody's. */
  readonly user: string;
  /** When it ends, in seconds since the epoch. */
  readonly until: number;
}

const SECONDS = 600;
const CONTEXT = "step";

/** Makes and reads such addresses. */
export class StepLinks {
  readonly #sealer: Sealer;
  readonly #path: string;

  /**
   * Takes what they are made of.
   *
   * @param sealer Seals them.
   * @param path Where sign-ins begin.
   */
  constructor(sealer: Sealer, path: string) {
    this.#sealer = sealer;
    this.#path = path;
  }

  /**
   * The address of a plain sign-in.
   *
   * @param returnTo Where to come back to: checked.
   */
  plain(returnTo: string): string {
    return `${this.#path}?return_to=${encodeURIComponent(returnTo)}`;
  }

  /**
   * The address of a sign-in for something. It is good for ten minutes, in the same user's browsers.
   *
   * @param step What it asks for.
   * @param user Whose session it is made in.
   * @param nowSeconds The time.
   */
  async make(step: Step, user: string | undefined, nowSeconds: number): Promise<string> {
    const sealed: Sealed = { ...step, user: user ?? "", until: nowSeconds + SECONDS };
    return `${this.#path}?step=${await this.#sealer.seal(JSON.stringify(sealed), CONTEXT)}`;
  }

  /**
   * Reads what an address carries.
   *
   * @param text The parameter.
   * @param user Whose session the request has.
   * @param nowSeconds The time.
   * @returns The step; `undefined` for what is forged, too old, or of another user.
   */
  async open(text: string, user: string | undefined, nowSeconds: number): Promise<Step | undefined> {
    const opened = await this.#sealer.open(text, CONTEXT);
    const step: Sealed | undefined = opened === undefined ? undefined : JSON.parse(opened);
    // Where the authority posts its answer nobody knows who is signed in: what was made then is for everybody.
    const isOfUser = step?.user === "" || step?.user === user;
    return step !== undefined && isOfUser && nowSeconds < step.until ? step : undefined;
  }
}
