/**
 * That applications of three versions of Hono compile with the middleware, and what they know of `c.var`. Checked, never run.
 *
 * @module
 */
import { Hono as Newest } from "hono";
import type { MiddlewareHandler as NewestHandler } from "hono";
import { Hono as Middle } from "hono-4.9";
import type { MiddlewareHandler as MiddleHandler } from "hono-4.9";
import { Hono as Oldest } from "hono-4.3";
import type { MiddlewareHandler as OldestHandler } from "hono-4.3";
import {
  type ApiAuth,
  type ApiCaller,
  type CallerVariables,
  entraAuth,
  type EntraVariables,
  protectedResource,
  requireBearer,
  requireUser,
  type UserAuth,
  type UserVariables,
  type WebAuth,
} from "../../src/hono/mod.ts";

declare const web: WebAuth;
declare const api: ApiAuth;
interface Env {
  SECRET: string;
}
export function newest(): void {
  const app = new Newest<{ Bindings: Env; Variables: EntraVariables }>();
  app.use(entraAuth((env: Env) => {
    throw new Error(env.SECRET);
  }));
  app.use("*", entraAuth(web));
  app.get("/", (c) => {
    const auth: UserAuth | null = c.var.auth;
    return c.text(String(auth));
  });
  app.get("/me", requireUser(), (c) => c.text(c.var.auth?.user.name ?? ""));
  const user: NewestHandler<{ Variables: UserVariables }> = requireUser();
  new Newest().get("/me", user, (c) => c.text(c.var.auth.user.name ?? ""));
  const pages = new Newest<{ Variables: UserVariables }>().use(requireUser()).get(
    "/",
    (c) => c.text(c.var.auth.user.username),
  );
  app.route("/pages", pages);
  const apis = new Newest<{ Variables: CallerVariables }>();
  apis.use(protectedResource(api)).get("/", requireBearer(api, { scopes: ["a"] }), (c) => {
    const caller: ApiCaller = c.var.caller;
    return c.text(caller.callerId);
  });
  apis.use("/x", requireBearer({ audience: "a", scopes: ["a"] }));
  // @ts-expect-error -- the options are made of other bindings
  new Newest<{ Bindings: { OTHER: string } }>().use(entraAuth((env: Env) => {
    throw new Error(env.SECRET);
  }));
}
export function middle(): void {
  const app = new Middle<{ Bindings: Env; Variables: EntraVariables }>();
  app.use(entraAuth((env: Env) => {
    throw new Error(env.SECRET);
  }));
  app.use("*", entraAuth(web));
  app.get("/", (c) => {
    const auth: UserAuth | null = c.var.auth;
    return c.text(String(auth));
  });
  app.get("/me", requireUser(), (c) => c.text(c.var.auth?.user.name ?? ""));
  const user: MiddleHandler<{ Variables: UserVariables }> = requireUser();
  new Middle().get("/me", user, (c) => c.text(c.var.auth.user.name ?? ""));
  const pages = new Middle<{ Variables: UserVariables }>().use(requireUser()).get(
    "/",
    (c) => c.text(c.var.auth.user.username),
  );
  app.route("/pages", pages);
  const apis = new Middle<{ Variables: CallerVariables }>();
  apis.use(protectedResource(api)).get("/", requireBearer(api, { scopes: ["a"] }), (c) => {
    const caller: ApiCaller = c.var.caller;
    return c.text(caller.callerId);
  });
  apis.use("/x", requireBearer({ audience: "a", scopes: ["a"] }));
}
export function oldest(): void {
  const app = new Oldest<{ Bindings: { SECRET: string }; Variables: EntraVariables }>();
  app.use(entraAuth((env: Env) => {
    throw new Error(env.SECRET);
  }));
  app.use("*", entraAuth(web));
  app.get("/", (c) => {
    const auth: UserAuth | null = c.var.auth;
    return c.text(String(auth));
  });
  app.get("/me", requireUser(), (c) => c.text(c.var.auth?.user.name ?? ""));
  const user: OldestHandler<{ Variables: UserVariables }> = requireUser();
  new Oldest().get("/me", user, (c) => c.text(c.var.auth.user.name ?? ""));
  const pages = new Oldest<{ Variables: UserVariables }>().use(requireUser()).get(
    "/",
    (c) => c.text(c.var.auth.user.username),
  );
  app.route("/pages", pages);
  const apis = new Oldest<{ Variables: CallerVariables }>();
  apis.use(protectedResource(api)).get("/", requireBearer(api, { scopes: ["a"] }), (c) => {
    const caller: ApiCaller = c.var.caller;
    return c.text(caller.callerId);
  });
  apis.use("/x", requireBearer({ audience: "a", scopes: ["a"] }));
}
