/**
 * What the handlers of a web application share.
 *
 * @module
 */

import { isAuthError } from "../errors/auth_error.ts";
import { ClientAuthError, nameOf } from "../errors/errors.ts";
import { json } from "./answers.ts";
import { isNavigation, isReading, wayBack } from "./callers.ts";
import { CarriedPartition } from "./carried_partition.ts";
import { LoopGuard } from "./loop_guard.ts";
import type { WebAuthOptions } from "./options.ts";
import { createSessions } from "./session_keeper.ts";
import type { FoundSession, HeaderList, Sessions } from "./sessions.ts";
import { StepLinks } from "./step_links.ts";
import { Transactions } from "./transactions.ts";
import { type Trouble, troubleOf, WRONG_METHOD } from "./trouble.ts";
import { resolveWebSettings, type WebSettings } from "./web_settings.ts";

/** What an answer to trouble needs beside it. */
export interface TroubleOptions {
  /** Cookies. */
  readonly headers?: HeaderList | undefined;
  /** Where a sign-in that is offered comes back to. */
  readonly returnTo?: string | undefined;
  /** What to offer instead of what the trouble names. */
  readonly action?: { readonly label: string; readonly href: string } | undefined;
  /** Whose session the request has. */
  readonly user?: string | undefined;
  /** Whether a program is to be answered; where absent, if the request says that a script sent it. */
  readonly asJson?: boolean | undefined;
}

/** Errors that nobody else tells of. */
const UNTOLD: readonly string[] = ["unexpected_error", "value_too_large"];

/** The parts of one web application. */
export class WebKit {
  /** The checked options. */
  readonly settings: WebSettings;
  /** Who is signed in. */
  readonly sessions: Sessions;
  /** Tokens that a store may not show yet. */
  readonly carried: CarriedPartition;
  /** Sign-ins under way. */
  readonly transactions: Transactions;
  /** Notices circles. */
  readonly guard: LoopGuard;
  /** Addresses of sign-ins for something. */
  readonly links: StepLinks;

  /**
   * Puts the parts together; nothing is sent or read.
   *
   * @param options The options.
   * @throws {ClientConfigurationError} that names the option.
   */
  constructor(options: WebAuthOptions) {
    const settings = resolveWebSettings(options);
    const { cookies, store, urls, paths, configuration } = settings;
    const { authority, clientId, clock, emit } = configuration;
    const application = `${clientId} ${authority.base}`;
    const { cookieSecret: secret, session: life } = options;
    this.settings = settings;
    this.sessions = createSessions({ cookies, secret, application, life, store, clock, emit });
    this.carried = new CarriedPartition(cookies, secret, clock);
    this.transactions = new Transactions(cookies, secret, settings.responseMode === "form_post");
    this.guard = new LoopGuard(cookies, secret);
    this.links = new StepLinks(urls, paths.signIn);
  }

  /** The time, in whole seconds since the epoch. */
  get nowSeconds(): number {
    return Math.floor(this.settings.configuration.clock.now() / 1000);
  }

  /**
   * The session of a request, where it does not matter that it cannot be read.
   *
   * @param request The request.
   */
  async sessionIfAny(request: Request): Promise<FoundSession | undefined> {
    try {
      return await this.sessions.read(request);
    } catch (error) {
      this.report(error);
      return undefined;
    }
  }

  /**
   * Runs a handler: whatever it throws becomes an answer of ours, and nothing of it leaks.
   *
   * @param request The request.
   * @param methods The methods that it takes.
   * @param handle The handler.
   * @returns The answer.
   */
  async answer(
    request: Request,
    methods: readonly string[],
    handle: () => Promise<Response>,
  ): Promise<Response> {
    try {
      if (methods.includes(request.method)) return await handle();
      return await this.refuse(request, WRONG_METHOD, { headers: [["allow", methods.join(", ")]] });
    } catch (error) {
      return await this.fail(request, error);
    }
  }

  /**
   * Answers for an error.
   *
   * @param request The request.
   * @param error What was thrown.
   * @param options Cookies, and what to offer.
   */
  async fail(request: Request, error: unknown, options: TroubleOptions = {}): Promise<Response> {
    this.report(error);
    return await this.refuse(request, troubleOf(error), options);
  }

  /**
   * Answers for an error that came on the way to a page of the application: that page can be tried again.
   *
   * @param request The request.
   * @param error What was thrown.
   */
  async failOnTheWay(request: Request, error: unknown): Promise<Response> {
    const asJson = !isNavigation(request);
    const returnTo = wayBack(request, this.settings.returns);
    const action = isReading(request) ? { label: "Try again", href: returnTo } : undefined;
    return await this.fail(request, error, { asJson, returnTo, action });
  }

  /**
   * Tells of what nobody else told of: methods of the application tell of their own failures.
   *
   * @param error What was thrown.
   */
  report(error: unknown): void {
    if (isAuthError(error) && !UNTOLD.includes(error.code)) return;
    const why = `Cannot answer a request: the library met ${nameOf(error)}`;
    const told = isAuthError(error) ? error : new ClientAuthError("unexpected_error", why);
    this.settings.configuration.emit?.({ type: "request_failed", error: told });
  }

  /**
   * Answers with a page, or with JSON where nobody would see one.
   *
   * @param request The request.
   * @param trouble What happened.
   * @param options Cookies, and what to offer.
   */
  async refuse(request: Request, trouble: Trouble, options: TroubleOptions = {}): Promise<Response> {
    const { status, title, text, reference, retryAfterSeconds } = trouble;
    const wait: HeaderList = retryAfterSeconds === undefined
      ? []
      : [["retry-after", `${Math.ceil(retryAfterSeconds)}`]];
    const headers = [...wait, ...options.headers ?? []];
    const isScript = request.headers.has("sec-fetch-mode") && !isNavigation(request);
    if (options.asJson ?? isScript) {
      const [error, correlationId] = reference?.split(", ") ?? [];
      return json(status, { error: error ?? "request_refused", correlationId }, headers);
    }
    const action = options.action ?? await this.#actionFor(trouble, options);
    return await this.settings.pages.show(
      request,
      { kind: status === 429 ? "loop" : "error", status, title, text, reference, action },
      headers,
    );
  }

  async #actionFor(
    { remedy, status }: Trouble,
    { returnTo, user }: TroubleOptions,
  ): Promise<{ readonly label: string; readonly href: string }> {
    const { links, settings: { returns: { homePath } } } = this;
    if (remedy === "home") return { label: "Start page", href: homePath };
    const target = returnTo ?? homePath;
    if (remedy === "again") {
      return { label: status === 401 ? "Sign in" : "Try again", href: links.plain(target) };
    }
    const step = { ask: { prompt: "select_account" }, returnTo: target } as const;
    return { label: "Use another account", href: await links.make(step, user, this.nowSeconds) };
  }
}
