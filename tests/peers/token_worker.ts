/**
 * The Worker of `workerd_requests.test.ts`: one application for the isolate, made the way the documentation says.
 *
 * @module
 */
import {
  type AuthenticationResult,
  type ClientCredentialRequest,
  type Clock,
  ConfidentialClientApplication,
  isAuthError,
  perEnv,
  systemClock,
} from "@msal-edge/msal";
import { LocalAuthority } from "@msal-edge/msal/testing";

/** The Worker's bindings. */
export interface Env {
  readonly TENANT_ID: string;
  readonly CLIENT_ID: string;
  readonly CLIENT_SECRET: string;
  readonly SCOPE: string;
}

/** What a request for a token is answered with. */
export interface TokenAnswer {
  readonly accessToken?: string;
  readonly tokenSource?: string;
  readonly refreshReason?: string;
  /** In place of a token: the error's class and its code. */
  readonly error?: { readonly name: string; readonly code: string; readonly message: string };
}

/** What the isolate has seen. */
export interface Stats {
  /** How many different `env` objects. */
  readonly envs: number;
  /** How many applications were made. */
  readonly apps: number;
  /** How many calls for a token have begun. */
  readonly begun: number;
  /** The background refreshes that failed. */
  readonly refreshFailures: readonly string[];
  /** Which of the globals are here that only Node has. */
  readonly nodeGlobals: readonly string[];
}

interface Context {
  waitUntil(promise: Promise<unknown>): void;
}

// At module scope, where workerd refuses timers, random values and requests: constructors must use none of these.
const unused = new LocalAuthority();
const atModuleScope = new ConfidentialClientApplication({
  clientId: unused.defaults.clientId,
  clientCredential: unused.defaults.clientSecret,
});

let aheadMs = 0;
const clock: Clock = { ...systemClock, now: () => Date.now() + aheadMs };

const envs = new WeakSet<Env>();
const refreshFailures: string[] = [];
let seenEnvs = 0;
let apps = 0;
let begun = 0;

const appOf = perEnv((env: Env) => {
  apps++;
  return new ConfidentialClientApplication({
    clientId: env.CLIENT_ID,
    authority: `https://login.microsoftonline.com/${env.TENANT_ID}`,
    clientCredential: env.CLIENT_SECRET,
    clock,
    onEvent: (event) => {
      if (event.type === "refresh_failed") refreshFailures.push(event.error.message);
    },
  });
});

function acquire(env: Env, waitUntil: ClientCredentialRequest["waitUntil"]): Promise<AuthenticationResult> {
  const result = appOf(env).acquireTokenForClient({ scopes: [env.SCOPE], waitUntil });
  begun++;
  return result;
}

/** How a request passes its `waitUntil`: as documented, by one of two mistakes, or not at all. */
function waitUntilOf(ctx: Context, how: string | null): ClientCredentialRequest["waitUntil"] {
  switch (how) {
    case "bound":
      return (promise) => ctx.waitUntil(promise);
    case "unbound":
      return ctx.waitUntil;
    case "detached":
      return "detached";
    default:
      return undefined;
  }
}

async function answer(token: Promise<AuthenticationResult>): Promise<TokenAnswer> {
  try {
    const { accessToken, tokenSource, metadata: { refreshReason } } = await token;
    return { accessToken, tokenSource, refreshReason };
  } catch (error) {
    if (!isAuthError(error)) throw error;
    const { name, code, message } = error;
    return { error: { name, code, message } };
  }
}

function stats(): Stats {
  const nodeGlobals = ["process", "Buffer", "global", "setImmediate"].filter((name) => name in globalThis);
  return { envs: seenEnvs, apps, begun, refreshFailures, nodeGlobals };
}

export default {
  async fetch(request: Request, env: Env, ctx: Context): Promise<Response> {
    const { pathname, searchParams } = new URL(request.url);
    if (!envs.has(env)) seenEnvs++;
    envs.add(env);
    const waitUntil = waitUntilOf(ctx, searchParams.get("waitUntil"));
    switch (pathname) {
      case "/token":
        return Response.json(await answer(acquire(env, waitUntil)));
      case "/leave":
        // Answers before the token is there, as a handler does whose client has gone.
        acquire(env, waitUntil).catch(() => {});
        return Response.json({});
      case "/ahead":
        aheadMs = Number(searchParams.get("ms"));
        return Response.json({});
      case "/constructed":
        return Response.json(atModuleScope);
      default:
        return Response.json(stats());
    }
  },
};
