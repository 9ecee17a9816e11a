/**
 * Signs users in to a web application.
 *
 * @module
 */

import { LogoutNotices } from "./logout_notices.ts";
import type { OptionsOf, RequestContext, RequestHandler, WebAuthOptions } from "./options.ts";
import { perContext } from "./per_context.ts";
import { SignIns } from "./sign_ins.ts";
import { SignOuts } from "./sign_outs.ts";
import type { UserAuth } from "./user_auth.ts";
import type { Visit } from "./visit.ts";
import { OneVisit } from "./visits.ts";
import { WebKit } from "./web_kit.ts";
import type { PathNames } from "./web_settings.ts";

/** Signs users in, and knows them again. Each handler answers a request to its path; {@linkcode WebAuth.route} picks one. */
export interface WebAuth<E = unknown> {
  /** Answers a request to one of the paths; `undefined` for any other, which is the application's own. */
  route(request: Request, context?: RequestContext<E>): Promise<Response | undefined>;
  /** Begins a sign-in; `?return_to=/path` names the page to come back to. */
  readonly signIn: RequestHandler<E>;
  /** Takes the authority's answer, by query or `form_post`. */
  readonly callback: RequestHandler<E>;
  /** Ends the session, then sends the browser to the authority's sign-out. A POST from this site alone. */
  readonly signOut: RequestHandler<E>;
  /** Where the browser comes back from that. */
  readonly signedOut: RequestHandler<E>;
  /** Lets the user choose another account. A POST from this site alone. */
  readonly switchAccount: RequestHandler<E>;
  /** Ends sessions that the authority names in a hidden frame. */
  readonly frontChannelLogout: RequestHandler<E>;
  /** Ends sessions that the authority names by a logout token. */
  readonly backChannelLogout: RequestHandler<E>;
  /** Opens a request: for frameworks. Most applications use {@linkcode WebAuth.requireUser}. */
  visit(request: Request, context?: RequestContext<E>): Promise<Visit>;
  /** Guards a handler: it runs for signed-in users alone. */
  requireUser(
    handler: (request: Request, auth: UserAuth, context: RequestContext<E>) => Response | Promise<Response>,
  ): RequestHandler<E>;
  /** Tells a handler who is signed in, if anybody is. */
  withUser(
    handler: (
      request: Request,
      auth: UserAuth | null,
      context: RequestContext<E>,
    ) => Response | Promise<Response>,
  ): RequestHandler<E>;
}

/** The handlers of one application. */
class Handlers {
  readonly kit: WebKit;
  readonly signIns: SignIns;
  readonly signOuts: SignOuts;
  readonly notices: LogoutNotices;

  constructor(options: WebAuthOptions) {
    this.kit = new WebKit(options);
    this.signIns = new SignIns(this.kit);
    this.signOuts = new SignOuts(this.kit, options.cookieSecret);
    this.notices = new LogoutNotices(this.kit);
  }
}

/** What a path answers, and by which methods; all but the callback's. */
const HANDLERS: Readonly<
  Record<
    PathNames,
    {
      readonly methods: readonly string[];
      readonly handle: (all: Handlers, request: Request, context: RequestContext) => Promise<Response>;
    }
  >
> = {
  signIn: { methods: ["GET"], handle: ({ signIns }, request) => signIns.signIn(request) },
  callback: {
    methods: ["GET"],
    handle: ({ signIns }, request, context) => signIns.callback(request, context),
  },
  signOut: { methods: ["GET", "HEAD", "POST"], handle: ({ signOuts }, request) => signOuts.signOut(request) },
  signedOut: { methods: ["GET", "HEAD"], handle: ({ signOuts }, request) => signOuts.signedOut(request) },
  switchAccount: { methods: ["POST"], handle: ({ signIns }, request) => signIns.switchAccount(request) },
  frontChannelLogout: { methods: ["GET"], handle: ({ notices }, request) => notices.frontChannel(request) },
  backChannelLogout: {
    methods: ["POST"],
    handle: ({ notices }, request, context) => notices.backChannel(request, context),
  },
};

function answer(
  name: PathNames,
  all: Handlers,
  request: Request,
  context: RequestContext = {},
): Promise<Response> {
  const { methods, handle } = HANDLERS[name];
  const isForm = name === "callback" && all.kit.settings.responseMode === "form_post";
  return all.kit.answer(
    request,
    isForm ? [...methods, "POST"] : methods,
    () => handle(all, request, context),
  );
}

async function visitOf(
  { kit, signIns }: Handlers,
  request: Request,
  context: RequestContext = {},
): Promise<Visit> {
  return new OneVisit(kit, signIns, request, context, await kit.sessions.read(request));
}

/** Runs a handler of the application; what it throws and is none of ours is thrown again. */
async function guarded(
  all: Handlers,
  request: Request,
  context: RequestContext,
  handle: (visit: Visit) => Response | Promise<Response>,
): Promise<Response> {
  let visit: Visit;
  try {
    visit = await visitOf(all, request, context);
  } catch (error) {
    // nobody knows whether anybody is signed in, so nothing of the application runs.
    return await all.kit.failOnTheWay(request, error);
  }
  let response: Response;
  try {
    response = await handle(visit);
  } catch (error) {
    response = await visit.recover(error);
  }
  return visit.finish(response);
}

/**
 * Makes the handlers of a web application.
 *
 * @param options The options, or a function that makes them of the bindings.
 * @returns The handlers. They answer whatever happens, but reject where the options are a function and no bindings come, or
 * where the options are wrong: then nothing works, and nobody is let in.
 * @throws {ClientConfigurationError} that names the option.
 */
export function createWebAuth<E = unknown>(options: OptionsOf<WebAuthOptions, E>): WebAuth<E> {
  const of = perContext(options, (given) => new Handlers(given));
  const at = (name: PathNames): RequestHandler<E> => async (request, context) =>
    await answer(name, of(context), request, context);
  return {
    async route(request, context) {
      const all = of(context);
      const { pathname } = new URL(request.url);
      const found = Object.entries(all.kit.settings.paths).find(([, path]) => path === pathname);
      return found && await answer(found[0] as PathNames, all, request, context);
    },
    signIn: at("signIn"),
    callback: at("callback"),
    signOut: at("signOut"),
    signedOut: at("signedOut"),
    switchAccount: at("switchAccount"),
    frontChannelLogout: at("frontChannelLogout"),
    backChannelLogout: at("backChannelLogout"),
    async visit(request, context) {
      return await visitOf(of(context), request, context);
    },
    requireUser(handler) {
      return async (request, context = {}) =>
        await guarded(
          of(context),
          request,
          context,
          (visit) => visit.auth === null ? visit.challenge() : handler(request, visit.auth, context),
        );
    },
    withUser(handler) {
      return async (request, context = {}) =>
        await guarded(of(context), request, context, ({ auth }) => handler(request, auth, context));
    },
  };
}
