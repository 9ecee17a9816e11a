/**
 * Documents of an authority: read once, renewed in time, and outlived while they cannot be renewed.
 *
 * @module
 */

import type { ClientAuthErrorCode } from "../errors/error_codes.ts";
import { ClientAuthError, NetworkError } from "../errors/errors.ts";
import type { Clock } from "../runtime/clock.ts";
import type { Emit } from "../runtime/events.ts";
import type { WaitUntil } from "../runtime/web_types.ts";
import { ClockRing, type RingItem } from "../store/clock_ring.ts";
import { SingleFlight } from "../store/single_flight.ts";
import type { DocumentCache, KeptDocument } from "./document_cache.ts";
import type { HttpClient, HttpRequest, PerPurpose } from "./http_client.ts";
import { sendTwice } from "./retry.ts";

/** How long a failed renewal is not tried again. */
const RENEWAL_PAUSE_MS = 60_000;
/** How long a document that was asked for out of turn is not asked for so again: Microsoft's advice for keys. */
const COOL_DOWN_MS = 300_000;
/** One for each tenant, at most. */
const BOUNDS = { maxEntries: 1_000, maxBytes: 2 ** 23 };

/** What documents need of an application. */
export interface DocumentOptions {
  /** Where the time is read. */
  readonly clock: Clock;
  /** Told when a stale document is used. */
  readonly emit?: Emit | undefined;
  /** The deadline of a document, in milliseconds. */
  readonly timeoutMs: PerPurpose;
}

/** How long documents of one kind count. */
export interface DocumentRules {
  /** After this a document is asked for again; it serves on while that fails. */
  readonly freshMs: number;
  /** After this it serves no more. */
  readonly staleMs: number;
  /** Whether a failed download is tried once more at once. */
  readonly retry: boolean;
  /**
   * Whether the document says yes or no, and an `error` with status 400 is read as one; an outage is then told from both.
   */
  readonly isVerdict?: boolean;
}

/** Refuses a document. */
export type DocumentFail = (why: string, code?: ClientAuthErrorCode) => never;

/** Reads a document's JSON into what is needed of it. */
export type DocumentReader<T> = (body: Readonly<Record<string, unknown>>, fail: DocumentFail) => T;

interface Held<T> extends RingItem {
  readonly url: string;
  readonly value: T;
  readonly text: string;
  readonly fetchedAtMs: number;
  renewAtMs: number;
  outOfTurnAtMs: number;
}

/** Whether a time can only be of a clock that was wrong: what waits for it would wait for as long as that was. */
function isAhead(ms: number, latestMs: number): boolean {
  return ms > latestMs + COOL_DOWN_MS;
}

/** Documents of one kind, by their URLs: from memory, from the `httpCache` store, or from the network. */
export class DocumentSource<T> {
  readonly #http: HttpClient;
  readonly #cache: DocumentCache;
  readonly #options: DocumentOptions;
  readonly #rules: DocumentRules;
  readonly #flight: SingleFlight<T>;
  readonly #held = new Map<string, Held<T>>();
  readonly #ring: ClockRing<Held<T>> = new ClockRing(BOUNDS, ({ url }) => void this.#held.delete(url));

  /**
   * Makes a source; nothing is sent yet.
   *
   * @param http The client that sends.
   * @param cache Where documents are kept.
   * @param options What documents need of the application.
   * @param rules How long they count.
   */
  constructor(http: HttpClient, cache: DocumentCache, options: DocumentOptions, rules: DocumentRules) {
    this.#http = http;
    this.#cache = cache;
    this.#options = options;
    this.#rules = rules;
    this.#flight = new SingleFlight(options.clock);
  }

  /**
   * A document that is in memory and does not have to be renewed yet.
   *
   * @param url Where it is.
   * @returns The same object until another text takes its place; `undefined` where {@linkcode DocumentSource.get} would send something.
   */
  fresh(url: string): T | undefined {
    const held = this.#held.get(url);
    const nowMs = this.#options.clock.now();
    if (held === undefined || this.#isGone(held, nowMs) || this.#isDue(held, nowMs)) return undefined;
    held.used = true;
    return held.value;
  }

  /**
   * A document; the last known one if it cannot be renewed.
   *
   * @param url Where it is: checked by whoever made the URL.
   * @param read Reads it; it runs once for each document.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call; a renewal keeps nobody waiting then.
   * @returns What `read` made of it, at once where it is in memory.
   * @throws {ClientAuthError} what `read` refuses, and `endpoints_resolution_error` for an answer that is no document.
   * @throws {NetworkError} where none arrives.
   */
  get(
    url: string,
    read: DocumentReader<T>,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): T | Promise<T> {
    const held = this.#held.get(url);
    const nowMs = this.#options.clock.now();
    const load = (): Promise<T> =>
      this.#share(url, waitUntil, () => this.#load(url, read, correlationId, held));
    if (held === undefined || this.#isGone(held, nowMs)) return load();
    held.used = true;
    if (!this.#isDue(held, nowMs)) return held.value;
    held.renewAtMs = nowMs + RENEWAL_PAUSE_MS;
    const renewal = load().catch((error) => {
      // No outage, but an answer: what was trusted is not any more.
      if (error.code === "untrusted_authority") {
        this.#drop(held);
        if (waitUntil === undefined) throw error;
      }
      this.#options.emit?.({ type: "metadata_stale", error });
      return held.value;
    });
    return waitUntil === undefined ? renewal : held.value;
  }

  /**
   * The document as it is now, because something is missing from the one that {@linkcode DocumentSource.get} gave.
   *
   * @param url Where it is.
   * @param read Reads it.
   * @param correlationId The call's correlation id.
   * @param waitUntil Keeps work alive after the call.
   * @returns A new one at most every five minutes; otherwise the one in memory.
   * @throws as {@linkcode DocumentSource.get} does.
   */
  renewed(
    url: string,
    read: DocumentReader<T>,
    correlationId: string,
    waitUntil: WaitUntil | "detached" | undefined,
  ): Promise<T> {
    return this.#share(`!${url}`, waitUntil, async () => {
      const nowMs = this.#options.clock.now();
      const held = this.#held.get(url);
      // Asked inside the flight, so that all who miss something at the same time get the same new document.
      if (held === undefined) return await this.#download(url, read, correlationId);
      if (nowMs < held.outOfTurnAtMs && !isAhead(held.outOfTurnAtMs, nowMs + COOL_DOWN_MS)) return held.value;
      held.outOfTurnAtMs = nowMs + RENEWAL_PAUSE_MS;
      const value = await this.#download(url, read, correlationId);
      const renewed = this.#held.get(url);
      if (renewed !== undefined) renewed.outOfTurnAtMs = nowMs + COOL_DOWN_MS;
      return value;
    });
  }

  #drop(held: Held<T>): void {
    if (this.#held.get(held.url) !== held) return;
    this.#ring.remove(held);
    this.#held.delete(held.url);
  }

  /** Whether a document serves no more. */
  #isGone({ fetchedAtMs }: Held<T>, nowMs: number): boolean {
    return nowMs - fetchedAtMs >= this.#rules.staleMs || isAhead(fetchedAtMs, nowMs);
  }

  /** Whether a document has to be renewed. */
  #isDue({ renewAtMs }: Held<T>, nowMs: number): boolean {
    return nowMs >= renewAtMs || isAhead(renewAtMs, nowMs + this.#rules.freshMs);
  }

  #share(
    key: string,
    waitUntil: WaitUntil | "detached" | undefined,
    work: () => Promise<T>,
  ): Promise<T> {
    // Two attempts and the wait between them; a read and a write of the store.
    const deadlineMs = 2 * this.#options.timeoutMs.metadata + 6_000;
    return this.#flight.run(key, { waitUntil, deadlineMs }, work);
  }

  async #load(
    url: string,
    read: DocumentReader<T>,
    correlationId: string,
    held: Held<T> | undefined,
  ): Promise<T> {
    const { clock, emit } = this.#options;
    const kept = await this.#cache.get(url);
    const better = kept !== undefined && kept.fetchedAtMs > (held?.fetchedAtMs ?? 0) ? kept : undefined;
    if (better !== undefined && clock.now() - better.fetchedAtMs < this.#rules.freshMs) {
      const value = this.#adopt(url, read, correlationId, better);
      if (value !== undefined) return value;
    }
    try {
      return await this.#download(url, read, correlationId);
    } catch (error) {
      const value = better && this.#adopt(url, read, correlationId, better);
      if (value === undefined) throw error;
      emit?.({ type: "metadata_stale", error: error as ClientAuthError });
      return value;
    }
  }

  /** Takes a document from the store, unless this version cannot read it. */
  #adopt(url: string, read: DocumentReader<T>, correlationId: string, kept: KeptDocument): T | undefined {
    try {
      return this.#hold(url, read(JSON.parse(kept.text), this.#failOf(url, correlationId)), kept);
    } catch {
      return undefined;
    }
  }

  async #download(url: string, read: DocumentReader<T>, correlationId: string): Promise<T> {
    const { clock, emit } = this.#options;
    const request: HttpRequest = { url: new URL(url), purpose: "metadata", correlationId };
    const { status, body, text } = this.#rules.retry
      ? await sendTwice(this.#http, request, clock, emit)
      : await this.#http.send(request);
    const fail = this.#failOf(url, correlationId);
    const { isVerdict } = this.#rules;
    if (isVerdict && (status === 429 || status >= 500)) {
      const why = `Cannot get a token: ${request.url.host}: status ${status}`;
      throw new NetworkError("network_error", why, correlationId, status);
    }
    if (typeof body === "string" || (status !== 200 && !(isVerdict && status === 400 && body.error))) {
      return fail(typeof body === "string" ? `${body} (status ${status})` : `status ${status}`);
    }
    const value = this.#hold(url, read(body, fail), { text, fetchedAtMs: clock.now() });
    await this.#cache.set(url, text);
    return value;
  }

  #hold(url: string, made: T, { text, fetchedAtMs }: KeptDocument): T {
    const old = this.#held.get(url);
    // The same text is the same object, and what is known of that, such as imported keys, goes on.
    const value = old?.text === text ? old.value : made;
    if (old !== undefined) this.#drop(old);
    const renewAtMs = Math.max(
      fetchedAtMs + this.#rules.freshMs,
      this.#options.clock.now() + RENEWAL_PAUSE_MS,
    );
    const held: Held<T> = {
      url,
      value,
      text,
      fetchedAtMs,
      renewAtMs,
      outOfTurnAtMs: 0,
      bytes: 2 * (url.length + text.length),
      used: false,
    };
    if (this.#ring.add(held)) this.#held.set(url, held);
    return value;
  }

  #failOf(url: string, correlationId: string): DocumentFail {
    return (why, code = "endpoints_resolution_error") => {
      throw new ClientAuthError(code, `Cannot get a token: ${url}: ${why}`, correlationId);
    };
  }
}
