/**
 * Values as text that only the application can read and make, remembered where they come again and again.
 *
 * @module
 */

import { createSealer, type Sealer } from "../crypto/seal.ts";
import type { OpenedText, OpenedTexts } from "./opened_texts.ts";

/** Seals values of one purpose, each for its place; knows which were sealed with an older secret. */
export class SealedTexts {
  readonly #newest: Sealer;
  readonly #older: Sealer | undefined;
  readonly #opened: OpenedTexts | undefined;

  /**
   * Makes the sealers; keys are derived at the first use.
   *
   * @param secret One secret, or several, newest first.
   * @param label The purpose.
   * @param opened Where what was opened is remembered.
   * @throws {ClientConfigurationError} `invalid_option` for a secret that is missing, short or an example.
   */
  constructor(secret: string | readonly string[], label: string, opened?: OpenedTexts) {
    const any = createSealer(secret, label, "cookieSecret");
    const [newest, ...older] = typeof secret === "string" ? [secret] : secret;
    this.#newest = older.length > 0 ? createSealer(newest as string, label, "cookieSecret") : any;
    this.#older = older.length > 0 ? createSealer(older, label, "cookieSecret") : undefined;
    this.#opened = opened;
  }

  /**
   * Seals a value.
   *
   * @param value Plain JSON.
   * @param place Where it will be: it opens nowhere else.
   */
  seal(value: unknown, place: string): Promise<string> {
    return this.#newest.seal(JSON.stringify(value), place);
  }

  /**
   * Whether a text was opened before.
   *
   * @param text The text.
   * @param place Where it was found.
   */
  knows(text: string, place: string): boolean {
    return this.#opened?.get(`${place}=${text}`) !== undefined;
  }

  /**
   * Opens a text.
   *
   * @param text What may be one.
   * @param place Where it was found.
   * @returns What it held; `undefined` for what is not ours. A promise where it is not remembered.
   */
  open(text: string, place: string): OpenedText | undefined | Promise<OpenedText | undefined> {
    return this.#opened?.get(`${place}=${text}`) ?? this.#open(text, place);
  }

  async #open(text: string, place: string): Promise<OpenedText | undefined> {
    const fresh = await this.#newest.open(text, place);
    const json = fresh ?? await this.#older?.open(text, place);
    if (json === undefined) return undefined;
    const opened = { value: JSON.parse(json) as unknown, isOld: fresh === undefined };
    this.#opened?.put(`${place}=${text}`, opened, json.length);
    return opened;
  }
}
